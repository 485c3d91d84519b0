"""Every reason of `RequestRefused` that an export can cause, provoked from outside; each changes nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from outside_steps import OPTIONS, connect, login
from outsider import Json, Outsider
from targets import Target

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
EXPORT = {"direction": "export", "provider_id": "webdav", "answer_by": "sealed"}


def started(outsider: Outsider, **asked: object) -> tuple[str, Json]:
    """A connection that waits for its login; its id and its challenge."""
    connection = str(uuid.uuid4())
    outsider.ask("ConnectionRequested", connection_id=connection, **{**EXPORT, **asked})
    return connection, outsider.wait("AuthChallengeIssued", connection)["data"]


@pytest.fixture(scope="module")
def nobody() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize(
    ("asked", "reason", "field"),
    [
        ({"provider_id": "no-such-provider"}, "unknown_provider", None),
        ({"direction": "import", "provider_id": "email"}, "invalid", "direction"),
        ({"direction": "sideways"}, "invalid", "direction"),
        ({"schedule": {"every": "PT10S"}}, "invalid", "schedule.every"),
        ({"schedule": {"every": "P1000Y"}}, "invalid", "schedule.every"),
        ({"schedule": {"at": "02:30", "timezone": "Mars/Base"}}, "invalid", "schedule.timezone"),
        ({"schedule": {"cron": "61 * * * *"}}, "invalid", "schedule.cron"),
        ({"start": "yesterday"}, "invalid", "start"),
        ({"name": ""}, "invalid", "name"),
    ],
)
def test_a_request_that_cannot_begin(outsider: Outsider, asked: Json, reason: str, field: str | None) -> None:
    request = outsider.ask("ConnectionRequested", connection_id=str(uuid.uuid4()), **{**EXPORT, **asked})
    said = outsider.refused(request)

    assert said["reason"] == reason
    if field:
        assert field in [error["field"] for error in said["errors"]]
    made = outsider.get(f"{outsider.connections}/v1/connections/{request['data']['connection_id']}")
    assert made.status_code == 404, "something was begun"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("ConnectionOptionsSubmitted", {"options": {}}),
        ("ConnectionChangeRequested", {"expected_revision": 1, "name": "x"}),
        ("ReauthenticationRequested", {}),
        ("ConnectionPauseRequested", {}),
        ("ConnectionResumeRequested", {}),
        ("ConnectionRemovalRequested", {}),
    ],
)
def test_a_connection_that_nobody_knows(outsider: Outsider, nobody: str, name: str, more: Json) -> None:
    assert (
        outsider.refused(outsider.ask(name, connection_id=nobody, **more))["reason"] == "unknown_connection"
    )


def test_an_id_asked_for_with_other_contents_or_by_another_account(outsider: Outsider) -> None:
    connection, _ = started(outsider)

    other = outsider.ask("ConnectionRequested", connection_id=connection, **EXPORT, name="another")
    assert outsider.refused(other)["reason"] == "exists"

    data = {"connection_id": connection, **EXPORT}
    theirs = outsider.say("connections.requests", "ConnectionRequested", data, accountid="another-account")
    assert outsider.refused(theirs)["reason"] == "unknown_connection"


def test_options_before_the_login(outsider: Outsider) -> None:
    connection, _ = started(outsider)
    early = outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=OPTIONS)

    assert outsider.refused(early)["reason"] == "not_yet"


def test_options_that_the_manifest_refuses(outsider: Outsider, webdav: Target) -> None:
    connection, challenge = started(outsider)
    outsider.answer(challenge, login(webdav))
    outsider.wait("ConnectionAuthorized", connection)

    for bad, field in (
        ({"clash": "explode"}, "clash"),
        ({"filename": "{nonsense}"}, "filename"),
        ({"x": 1}, "x"),
    ):
        asked = outsider.ask(
            "ConnectionOptionsSubmitted", connection_id=connection, options={**OPTIONS, **bad}
        )
        said = outsider.refused(asked)
        assert said["reason"] == "invalid"
        assert [error["field"] for error in said["errors"]] == [f"options.{field}"]
    outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=OPTIONS)
    assert outsider.wait("ConnectionSaved", connection)["data"]["revision"] == 1, "a part of it was taken"


def test_a_change_on_an_old_revision_and_after_the_end(outsider: Outsider, webdav: Target) -> None:
    connection, _ = connect(outsider, webdav)
    outsider.ask("ConnectionChangeRequested", connection_id=connection, expected_revision=1, name="second")
    outsider.wait("ConnectionChanged", connection)

    late = outsider.ask(
        "ConnectionChangeRequested", connection_id=connection, expected_revision=1, name="third"
    )
    assert outsider.refused(late)["reason"] == "revision_conflict"
    known = outsider.get(f"{outsider.connections}/v1/connections/{connection}").json()
    assert (known["name"], known["revision"]) == ("second", 2)

    outsider.ask("ConnectionRemovalRequested", connection_id=connection)
    outsider.wait("ConnectionRemoved", connection)
    for name, more in (
        ("ConnectionChangeRequested", {"expected_revision": 2, "name": "x"}),
        ("ConnectionPauseRequested", {}),
        ("ReauthenticationRequested", {}),
    ):
        assert outsider.refused(outsider.ask(name, connection_id=connection, **more))["reason"] == "removed"
    assert outsider.refused(outsider.due(connection))["reason"] == "removed"


def test_dues_that_cannot_be_met(outsider: Outsider, webdav: Target, nobody: str) -> None:
    connection, _ = connect(outsider, webdav)
    assert outsider.refused(outsider.due(nobody))["reason"] == "unknown_connection"

    ahead = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    assert outsider.refused(outsider.due(connection, due_at=ahead))["reason"] == "invalid"

    data = {"connection_id": connection, "due_at": datetime.now(UTC).isoformat(), "reason": "manual"}
    theirs = outsider.say("syncs.requests", "ExportDue", data, accountid="another-account")
    assert outsider.refused(theirs)["reason"] == "unknown_connection"

    outsider.ask("ConnectionPauseRequested", connection_id=connection)
    outsider.wait("ConnectionPaused", connection)
    assert outsider.refused(eventually_paused(outsider, connection))["reason"] == "paused"


def eventually_paused(outsider: Outsider, connection: str) -> Json:
    """A due sent once sync-runner has heard of the pause: order across topics is not promised."""
    url = f"{outsider.sync_runner}/v1/connections/{connection}/schedule"
    with outsider.news:
        for _ in range(100):
            if not outsider.get(url).json()["next"]:
                break
            outsider.news.wait(0.1)
        outsider.news.wait(1)
    return outsider.due(connection)


def test_answers_that_do_not_count_cost_no_attempt(outsider: Outsider, webdav: Target) -> None:
    connection, challenge = started(outsider)
    fields = login(webdav)

    def refusal(**other: object) -> str:
        return outsider.refused(outsider.answer(challenge, fields, **other))["reason"]

    assert refusal(exp=1) == "invalid"
    assert refusal(token=outsider.token(account="another-account")) == "invalid"
    assert refusal(token=outsider.token(role="member")) == "invalid"
    assert refusal(aud="somebody-else") == "invalid"
    assert refusal(fields={"url": 7}) == "invalid"
    sealed = outsider.seal(challenge, fields)
    tampered = sealed[:-6] + ("AAAAAA" if not sealed.endswith("AAAAAA") else "BBBBBB")
    data = {"connection_id": connection, "challenge_id": challenge["challenge_id"], "sealed": tampered}
    assert (
        outsider.refused(outsider.say("connections.answers", "AuthChallengeAnswerSubmitted", data))["reason"]
        == "invalid"
    )
    clear = {**data, "sealed": "password=canary"}
    assert (
        outsider.refused(outsider.say("connections.answers", "AuthChallengeAnswerSubmitted", clear))["reason"]
        == "invalid"
    )

    outsider.answer(challenge, fields)
    outsider.wait("ConnectionAuthorized", connection)
    assert refusal() == "already_answered"


def test_a_window_onboarding_takes_no_sealed_answer(outsider: Outsider, webdav: Target) -> None:
    _, challenge = started(outsider, answer_by="window")
    assert challenge["answer_by"] == ["window"]

    assert outsider.refused(outsider.answer(challenge, login(webdav)))["reason"] == "invalid"


def test_a_second_login_supersedes_the_first(outsider: Outsider, webdav: Target) -> None:
    connection, first = started(outsider)
    outsider.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
    second = outsider.wait(
        "AuthChallengeIssued", connection, lambda d: d["session_id"] != first["session_id"]
    )["data"]

    assert outsider.refused(outsider.answer(first, login(webdav)))["reason"] == "superseded"
    outsider.answer(second, login(webdav))
    outsider.wait("ConnectionAuthorized", connection)


@pytest.mark.parametrize(
    "value",
    [b"\xff\xfe", b"{}", b"null", b'{"specversion":"1.0","type":"paperbus.Nothing.v1"}'],
    ids=["binary", "empty", "null", "half an envelope"],
)
def test_what_cannot_be_attributed_is_set_aside_whole(outsider: Outsider, value: bytes) -> None:
    from confluent_kafka import Consumer

    key = str(uuid.uuid4())
    outsider.publish("connections.requests", key, value, [("binary", b"\xff\x00"), ("nothing", b"")])
    consumer = Consumer(
        {"bootstrap.servers": outsider.kafka, "group.id": key, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["connections.requests.dead"])
    try:
        for _ in range(300):
            message = consumer.poll(0.1)
            if message and not message.error() and message.key() == key.encode():
                break
        else:
            raise AssertionError("no dead letter within 30 s")
    finally:
        consumer.close()

    headers = dict(message.headers())
    assert message.value() == value
    assert (headers["binary"], headers["nothing"]) == (b"\xff\x00", b"")
    assert headers["paperbus-topic"] == b"connections.requests"
    assert {
        "paperbus-error",
        "paperbus-reason",
        "paperbus-partition",
        "paperbus-offset",
        "paperbus-service",
    } <= set(headers)
