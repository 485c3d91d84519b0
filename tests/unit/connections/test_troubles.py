"""What runs say of a connection: when it needs attention, and what mends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connections.lifecycle.deciding import decide
from connections.lifecycle.messages import LoggedIn
from connections.lifecycle.things import Connection, Status
from schemas.connections import (
    AuthSessionEnded,
    ConnectionAuthorized,
    ConnectionChanged,
    ConnectionChangeRequested,
    ConnectionNeedsAttention,
    ConnectionOptionsSubmitted,
    ConnectionPauseRequested,
    ConnectionRecovered,
    ReauthenticationRequested,
)
from schemas.reasons import Reason
from tests.unit.connections.builders import (
    ID,
    NOW,
    active,
    after,
    attention,
    case,
    configuring,
    exported,
    failed,
    said,
    trying,
    verified,
)


def kinds(connection: Connection | None, message: object) -> list[type]:
    return [type(event) for event in said(connection, message)]


def test_a_trouble_is_said_once_and_in_the_connections_language() -> None:
    it = after(configuring(locale="de"), ConnectionOptionsSubmitted(connection_id=ID, options={}))
    (needs,) = said(it, failed(it))

    assert isinstance(needs, ConnectionNeedsAttention)
    assert (needs.reason, needs.action) == ("credentials_wrong", "reauthenticate")
    assert needs.title == "Das Passwort wird nicht angenommen"
    broken = after(it, failed(it))
    assert decide(case(broken), failed(broken)) is None


def test_another_trouble_is_said_too() -> None:
    it = attention(Reason.DESTINATION_MISSING)
    assert kinds(it, failed(it, Reason.CREDENTIALS_WRONG)) == [ConnectionNeedsAttention]


def test_a_failure_with_older_credentials_is_ignored() -> None:
    it = active()
    assert decide(case(it), failed(it, credentials_revision=0)) is None


@pytest.mark.parametrize("reason", [Reason.PAUSED, Reason.REMOVED])
def test_a_run_that_was_stopped_by_us_is_no_trouble(reason: Reason) -> None:
    it = after(active(), ConnectionPauseRequested(connection_id=ID))
    assert decide(case(it), failed(it, reason, credentials_revision=None)) is None
    broken = attention(Reason.DESTINATION_MISSING)
    assert decide(case(broken), failed(broken, reason, credentials_revision=None)) is None


def test_a_loan_refused_before_a_new_login_does_not_undo_it() -> None:
    late = failed(attention(), credentials_revision=None)
    it = after(attention(), LoggedIn())

    assert it.status is Status.ACTIVE
    assert decide(case(it), late) is None


def test_a_loan_held_back_for_the_providers_new_address_is_trouble_still() -> None:
    it = active()
    held = failed(it, Reason.PROVIDER_CHANGED, credentials_revision=None)
    assert kinds(it, held) == [ConnectionNeedsAttention]


def test_what_is_tried_again_by_itself_needs_nobody() -> None:
    it = active()
    outage = failed(it, Reason.PROVIDER_DOWN, retry_at=NOW + timedelta(minutes=5))
    assert decide(case(it), outage) is None


def test_what_is_not_tried_again_needs_somebody_whatever_it_is() -> None:
    it = active()
    (needs,) = said(it, failed(it, Reason.PROVIDER_DOWN))

    assert (needs.action, needs.message) == ("contact_support", "Please contact support.")


def test_a_new_login_mends_and_keeps_everything_that_was_chosen() -> None:
    broken = attention()
    it = after(broken, ReauthenticationRequested(connection_id=ID, answer_by="sealed"))
    it = trying(it)

    assert kinds(it, verified(it)) == [AuthSessionEnded, ConnectionAuthorized, ConnectionRecovered]
    mended = after(it, verified(it))
    assert (mended.status, mended.credentials_revision) == (Status.ACTIVE, 2)
    assert (mended.options, mended.revision) == (broken.options, broken.revision)


def test_a_new_login_while_it_is_paused_keeps_the_pause() -> None:
    paused = after(attention(), ConnectionPauseRequested(connection_id=ID))
    it = trying(after(paused, ReauthenticationRequested(connection_id=ID, answer_by="sealed")))
    mended = after(it, verified(it))

    assert (mended.paused, mended.status, mended.credentials_revision) == (True, Status.ACTIVE, 2)
    assert (mended.options, mended.revision) == (paused.options, paused.revision)


def test_a_failed_relogin_ends_the_session_and_nothing_else() -> None:
    before = active()
    it = after(before, ReauthenticationRequested(connection_id=ID, answer_by="sealed"))
    it = trying(it)
    other = after(it, verified(it, identity="joe@dav.example.org"))

    assert other.login.ended is not None
    assert (other.login.ended.result, other.login.ended.reason) == ("failed", "identity_changed")
    untouched = ("status", "identity", "credentials", "credentials_revision", "options", "revision")
    assert all(getattr(other, name) == getattr(before, name) for name in untouched)


def test_another_destination_mends_a_missing_one() -> None:
    change = ConnectionChangeRequested(connection_id=ID, expected_revision=1, options={"folder": "/New"})
    assert kinds(attention(Reason.DESTINATION_MISSING), change) == [ConnectionChanged, ConnectionRecovered]


def test_only_a_run_that_moved_something_since_shows_that_it_works_again() -> None:
    it = attention()

    assert decide(case(it), exported(it, done=0)) is None
    assert decide(case(it), exported(it, at=NOW - timedelta(hours=1))) is None
    assert kinds(it, exported(it)) == [ConnectionRecovered]
