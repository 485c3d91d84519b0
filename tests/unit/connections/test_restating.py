"""What a connection says when its present state is asked for again, for each status, written by hand."""

from __future__ import annotations

import pytest

from connections.lifecycle.restating import restated
from connections.lifecycle.things import Status
from schemas.connections import ConnectionPauseRequested
from tests.unit.connections.builders import ID, NOW, active, after, in_status

SAID = {
    Status.CONNECTING: None,
    Status.CONFIGURING: None,
    Status.ACTIVE: ["ConnectionChanged"],
    Status.ATTENTION: ["ConnectionChanged"],
    Status.REJECTED: None,
    Status.REMOVED: ["ConnectionRemoved"],
}


@pytest.mark.parametrize("status", SAID)
def test_each_status_says_what_a_new_reader_needs(status: Status) -> None:
    decision = restated(in_status(status), NOW)

    assert (decision and [type(fact).__name__ for fact in decision.emits]) == SAID[status]


def test_it_changes_nothing_and_says_the_revision_that_is_known() -> None:
    it = active()
    decision = restated(it, NOW)

    assert decision is not None
    assert decision.after is it
    assert (decision.emits[0].revision, decision.emits[0].options) == (it.revision, it.options)


def test_a_paused_connection_says_that_it_is_paused_after_what_it_is() -> None:
    paused = after(active(), ConnectionPauseRequested(connection_id=ID))
    decision = restated(paused, NOW)

    assert decision is not None
    assert [type(fact).__name__ for fact in decision.emits] == ["ConnectionChanged", "ConnectionPaused"]


def test_what_does_not_exist_says_nothing() -> None:
    assert restated(None, NOW) is None
