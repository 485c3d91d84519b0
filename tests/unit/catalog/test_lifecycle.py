"""A provider's states, by a grid written by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.handlers import decided
from catalog.lifecycle import TRANSITIONS, ManifestGone, ManifestRead, Provider, State, TopicLacks
from catalog.wire import Wire
from kit.endings import Refused
from kit.transitions import draw
from providers.manifests import CATALOGUE, load
from schemas.catalog import ProviderPublished

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MANIFEST = Wire.of(load(CATALOGUE / "webdav"))
EDITED = Wire.of(load(CATALOGUE / "webdav").model_copy(update={"aliases": ("edited",)}))
MEMBERS = json.loads(MANIFEST.json)
OF_AN_OLDER_RELEASE = {name: value for name, value in MEMBERS.items() if name != "countries"}
IN_ANOTHER_ORDER = dict(reversed(MEMBERS.items()))

MESSAGES: dict[str, Any] = {
    "same manifest": ManifestRead(MANIFEST, NOW),
    "other manifest": ManifestRead(EDITED, NOW),
    "gone": ManifestGone(NOW),
    "topic lacks": TopicLacks(NOW),
}
GRID = """
          | same manifest          | other manifest         | gone                 | topic lacks
absent    | published, says it     | published, says it     | refused              | refused
published | nothing                | published, says it     | retired, says it     | published, says it
retired   | published, says it     | published, says it     | nothing              | retired, says it
"""


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in GRID.strip("\n").splitlines()]
    return [(row[0], name, cell) for row in rows for name, cell in zip(header[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("state", "message", "expected"), cells())
def test_what_a_message_does(state: str, message: str, expected: str) -> None:
    at_rest = None if state == "absent" else Provider("webdav", State(state), 4, MANIFEST, NOW)
    if expected == "refused":
        with pytest.raises(Refused):
            decided("webdav", at_rest, MESSAGES[message])
        return
    decision = decided("webdav", at_rest, MESSAGES[message])
    if expected == "nothing":
        assert decision is None
        return
    assert decision is not None
    said = {State.PUBLISHED: "ProviderPublished", State.RETIRED: "ProviderRetired"}
    assert decision.after.state.value == expected.split(",", maxsplit=1)[0]
    assert [type(emit).__name__ for emit in decision.emits] == [said[decision.after.state]]
    assert decision.emits[0].revision == decision.after.revision == (1 if at_rest is None else 5)


def test_the_grid_names_every_state_and_message() -> None:
    assert {state for state, _, _ in cells()} == {state.value for state in State}
    assert {message for _, message in TRANSITIONS} == {type(message) for message in MESSAGES.values()}


def test_the_readme_shows_the_table() -> None:
    readme = Path(__file__).parents[3] / "services" / "catalog" / "README.md"

    assert draw(TRANSITIONS) in readme.read_text("utf-8")


@pytest.mark.parametrize("members", [OF_AN_OLDER_RELEASE, IN_ANOTHER_ORDER])
def test_a_manifest_is_no_other_for_what_an_older_release_lacks_nor_for_its_order(
    members: dict[str, Any],
) -> None:
    kept = Provider("webdav", State.PUBLISHED, 4, Wire(json.dumps(members).encode(), members), NOW)

    assert MEMBERS["countries"] == []
    assert decided("webdav", kept, ManifestRead(MANIFEST, NOW)) is None


def test_what_is_said_of_a_provider_is_what_readers_of_the_topic_know() -> None:
    decision = decided("webdav", None, ManifestRead(MANIFEST, NOW))
    assert decision is not None
    (said,) = decision.emits

    assert said.TYPE == ProviderPublished.TYPE
    read = ProviderPublished.model_validate_json(said.model_dump_json(by_alias=True))
    assert (read.provider_id, read.revision, read.manifest.wire()) == ("webdav", 1, MEMBERS)
    assert said.subject == read.subject == "webdav"
