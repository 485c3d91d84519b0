"""What an operator sees and mends with `paperbus admin`, on the running platform."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from outside_steps import connect
from outsider import Json, Outsider
from running import Running
from targets import Target

from kit import mongo
from kit.parking import Parking, Raw, Wait

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]


def admin(services: Running, *words: str) -> list[Json]:
    """The rows of `paperbus admin … --json`."""
    done = services.command("admin", *words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_connection_is_listed_its_story_told_and_its_events_tailed(
    outsider: Outsider, services: Running, webdav: Target
) -> None:
    connection, _ = connect(outsider, webdav, name="Accountant")
    with outsider.serving() as origin:
        document = outsider.document(b"%PDF", "a.pdf", origin)
        outsider.due(connection)
        outsider.exported(connection, [document])

    [listed] = admin(services, "connections", "list", "--account", outsider.account)
    assert (listed["id"], listed["status"], listed["name"]) == (connection, "active", "Accountant")
    assert admin(services, "connections", "list", "--account", outsider.account, "--status", "removed") == []

    [shown] = admin(services, "connections", "show", connection)
    assert (shown["sync_standing"], shown["open_documents"], shown["parked_events"]) == ("active", 0, 0)
    [row] = admin(services, "documents", connection)
    assert (row["document"], row["status"]) == (document["document_id"], "done")

    told = [entry["what"] for entry in admin(services, "timeline", connection)]
    assert told[0] == "AuthChallengeIssued"
    assert told[-1] == "Run done"
    assert "ConnectionSaved" in told

    passed = admin(services, "tail", "--once", "--connection", connection)
    names = [event["type"].split(".")[1] for event in passed]
    assert {"ConnectionRequested", "ConnectionSaved", "ExportDue", "DocumentsExported"} <= set(names)
    assert webdav.password not in str(passed)


def test_a_dead_letter_is_found_shown_and_put_back(outsider: Outsider, services: Running) -> None:
    key = f"somebody-{uuid.uuid4()}"
    outsider.publish("connections.requests", key, b"no event", [("traced", b"yes")])

    [letter] = _letters(services, key, 1)
    assert (letter["reason"], letter["service"]) == ("malformed", "connections")
    [shown] = admin(services, "dead", "show", letter["id"])
    assert (shown["value"], shown["headers"]) == ("no event", {"traced": "yes"})

    admin(services, "dead", "replay", letter["id"])
    first, second = _letters(services, key, 2)
    assert first["was"] != second["was"], "it was read at its own place a second time"


def _letters(services: Running, key: str, count: int) -> list[Json]:
    """The dead letters of that key, once there are so many."""
    for _ in range(20):
        rows = admin(services, "dead", "list", "--topic", "connections.requests")
        if len(found := [row for row in rows if row["key"] == key]) >= count:
            return found
    raise AssertionError("it never died")


async def test_what_is_parked_is_listed_and_let_go(services: Running) -> None:
    client = mongo.connect(services.mongo)
    parking, now = Parking(client["sync_runner"].parked), datetime.now(UTC)
    raw = Raw("syncs.requests", 1, 7, b"some-connection", b"{}")
    await parking.park("nobody.reads", [Wait(raw, "MongoDB took a nap.", now + timedelta(hours=1))], now)
    try:
        rows = await asyncio.to_thread(admin, services, "parked", "list", "--service", "sync-runner")
        [row] = [row for row in rows if row["group"] == "nobody.reads"]
        assert (row["key"], row["reason"], row["offset"]) == ("some-connection", "MongoDB took a nap.", 7)
        assert await parking.claim("nobody.reads", datetime.now(UTC)) == []

        [told] = await asyncio.to_thread(admin, services, "parked", "retry", "--group", "nobody.reads")
        assert told == {"released": 1}
        assert [one.offset for one in await parking.claim("nobody.reads", datetime.now(UTC))] == [7]
    finally:
        await parking.remove("nobody.reads", [raw])
        client.close()


def test_state_is_said_again_for_a_consumer_that_lost_it(
    outsider: Outsider, services: Running, webdav: Target
) -> None:
    connection, saved = connect(outsider, webdav)
    outsider.ask("ConnectionPauseRequested", connection_id=connection)
    outsider.wait("ConnectionPaused", connection)

    assert admin(services, "republish", "--connection", connection) == [{"connections": 1}]

    said = outsider.wait("ConnectionChanged", connection)
    assert said["data"] == saved, "the same, under a later sequence"
    paused = [event for _, event in outsider.heard if event["type"] == "paperbus.ConnectionPaused.v1"]
    assert len({event["id"] for event in paused if event["subject"] == connection}) <= 2
    page = outsider.get(f"{outsider.connections}/v1/connections/{connection}").json()
    assert (page["paused"], page["revision"]) == (True, saved["revision"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("timeline", "nobody"), "There is no connection nobody"),
        (("dead", "show", "x"), "x is no id of a dead letter"),
        (("dead", "show", "syncs.requests.dead/0/999999"), "There is no dead letter"),
        (("tail", "connections.answers"), "connections.answers cannot be tailed"),
        (("republish", "--connection", "nobody"), "There is no saved connection nobody."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(services: Running, words: tuple[str, ...], sentence: str) -> None:
    done = services.command("admin", *words)

    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert sentence in done.stderr
