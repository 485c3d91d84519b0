"""Every reason that connections refuses a request for, provoked from outside."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.connections.conftest import Platform, credentials
from tests.sentences import says_what_to_do

pytestmark = [
    pytest.mark.servers,
    # The platform signs with EdDSA, as the contract has it; joserfc prefers its newer name.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


def test_a_request_that_cannot_be_carried_out_is_answered_with_its_reason(
    platform: Platform, rclone_webdav: Any
) -> None:
    it = platform.outsider
    connection = platform.saved(rclone_webdav)
    fresh = platform.request()["connection_id"]

    def reason(request: str, **data: Any) -> str:
        told: str = it.refused(it.say("connections.requests", request, data))["reason"]
        return told

    asked = {"connection_id": connection, "direction": "export", "provider_id": "webdav"}
    assert reason("ConnectionRequested", **asked, name="Another") == "exists"
    assert reason("ConnectionPauseRequested", connection_id=str(uuid4())) == "unknown_connection"
    elsewhere = it.say(
        "connections.requests", "ConnectionPauseRequested", {"connection_id": connection}, accountid="another"
    )
    assert it.refused(elsewhere)["reason"] == "unknown_connection"
    assert reason(
        "ConnectionRequested", **asked | {"connection_id": str(uuid4()), "provider_id": "nobody"}
    ) == ("unknown_provider")
    assert reason("ConnectionOptionsSubmitted", connection_id=fresh, options={}) == "not_yet"
    assert (
        reason("ConnectionChangeRequested", connection_id=fresh, expected_revision=1, name="x") == "not_yet"
    )
    assert reason("ConnectionOptionsSubmitted", connection_id=connection, options={}) == "already_answered"
    assert reason("ConnectionChangeRequested", connection_id=connection, expected_revision=9, name="x") == (
        "revision_conflict"
    )
    change = {"connection_id": connection, "expected_revision": 1}
    invalid = it.refused(it.ask("ConnectionChangeRequested", **change, options={"clash": "never"}))
    assert (invalid["reason"], invalid["errors"][0]["field"]) == ("invalid", "options.clash")
    invalid = it.refused(it.ask("ConnectionChangeRequested", **change, schedule={"every": "PT1M"}))
    assert (invalid["reason"], invalid["errors"][0]["field"]) == ("invalid", "schedule.every")
    it.ask("ConnectionRemovalRequested", connection_id=connection)
    it.wait("ConnectionRemoved", connection)
    assert reason("ConnectionResumeRequested", connection_id=connection) == "removed"


def test_an_answer_that_comes_late_or_wrongly_is_told_why(platform: Platform, rclone_webdav: Any) -> None:
    it = platform.outsider
    challenge = platform.request()
    connection = challenge["connection_id"]

    broken = it.say(
        "connections.answers",
        "AuthChallengeAnswerSubmitted",
        {"connection_id": connection, "challenge_id": challenge["challenge_id"], "sealed": "a.b.c.d.e"},
    )
    assert it.refused(broken)["reason"] == "invalid"
    missing = it.refused(it.answer(challenge, {"url": rclone_webdav.url, "username": "jane"}))
    assert (missing["reason"], missing["errors"][0]["field"]) == ("invalid", "password")
    member = it.answer(challenge, credentials(rclone_webdav), token=it.token(role="member"))
    assert it.refused(member)["reason"] == "invalid"

    it.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
    newer = it.wait(
        "AuthChallengeIssued", connection, lambda data: data["challenge_id"] != challenge["challenge_id"]
    )["data"]
    assert it.refused(it.answer(challenge, credentials(rclone_webdav)))["reason"] == "superseded"
    it.answer(newer, {}, action="cancel")
    ended = it.wait("AuthSessionEnded", connection, lambda data: data["session_id"] == newer["session_id"])
    assert ended["data"]["result"] == "cancelled"
    assert it.refused(it.answer(newer, credentials(rclone_webdav)))["reason"] == "cancelled"


def test_a_window_onboarding_takes_no_sealed_answer(platform: Platform, rclone_webdav: Any) -> None:
    it = platform.outsider
    challenge = platform.request(answer_by="window")
    assert challenge["answer_by"] == ["window"]
    assert it.refused(it.answer(challenge, credentials(rclone_webdav)))["reason"] == "invalid"


def test_a_retired_provider_rejects_its_onboardings_and_takes_no_more(platform: Platform) -> None:
    it = platform.outsider
    platform.publish("koofr")
    connection = platform.request("koofr")["connection_id"]
    it.say("catalog.events", "ProviderRetired", {"provider_id": "koofr", "revision": 2}, subject="koofr")
    rejected = it.wait("ConnectionRejected", connection)["data"]

    assert rejected["reason"] == "provider_retired"
    assert says_what_to_do(rejected["message"])
    again = it.ask("ReauthenticationRequested", connection_id=connection)
    assert it.refused(again)["reason"] == "provider_retired"
    asked = it.ask("ConnectionRequested", connection_id=str(uuid4()), direction="export", provider_id="koofr")
    assert it.refused(asked)["reason"] == "provider_retired"


def test_a_repeated_request_does_no_harm_and_a_repeated_event_none_either(platform: Platform) -> None:
    it = platform.outsider
    connection = str(uuid4())
    asked = {"connection_id": connection, "direction": "export", "provider_id": "webdav"}
    first = it.ask("ConnectionRequested", **asked)
    it.ask("ConnectionRequested", **asked)
    it.say("connections.requests", "ConnectionRequested", asked, id=first["id"])
    refused = it.ask("ConnectionPauseRequested", connection_id=connection)
    assert it.refused(refused)["reason"] == "not_yet"

    assert len(platform.heard("AuthChallengeIssued", connection)) == 1
    assert len(platform.heard("RequestRefused", connection)) == 1


def test_what_others_may_not_see_does_not_exist_for_them(platform: Platform) -> None:
    connection = platform.request()["connection_id"]
    path = f"/v1/connections/{connection}"

    assert platform.get(path, account="another").status_code == 404
    assert platform.get(path, account="another", role="operator").status_code == 200
    assert platform.get(f"{path}/timeline", account="another").status_code == 404
    listed = platform.get("/v1/connections?limit=1").json()
    assert (len(listed["items"]), listed["items"][0]["status"]) == (1, "connecting")
    assert listed["next"] is not None
    following = platform.get(f"/v1/connections?limit=1&cursor={listed['next']}").json()
    assert following["items"][0]["id"] != listed["items"][0]["id"]
