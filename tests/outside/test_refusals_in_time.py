"""The refusals that take days, minutes or failed logins: what is asked too late, or too often.

Days are not waited for: the connection is made older in the store, as if they had passed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from outside_steps import OPTIONS, login
from outsider import Json, Outsider
from pymongo import MongoClient
from running import Running
from targets import Target

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
EXPORT = {"direction": "export", "provider_id": "webdav", "answer_by": "sealed"}
Age = Callable[[str, timedelta], None]


@pytest.fixture
def age(services: Running) -> Age:
    """Makes a connection, with its open challenge, so much older."""

    def older(connection: str, by: timedelta) -> None:
        with MongoClient[dict[str, Any]](services.mongo, tz_aware=True) as client:
            kept = client["connections"]["connections"]
            known = kept.find_one({"_id": connection})
            assert known is not None
            times = {name: known[name] - by for name in ("created_at", "wake_at")}
            challenge = known["login"]["challenge"]
            if challenge:
                times["login.challenge.expires_at"] = challenge["expires_at"] - by
            assert kept.update_one({"_id": connection, "v": known["v"]}, {"$set": times}).modified_count

    return older


def started(outsider: Outsider, **asked: object) -> tuple[str, Json]:
    connection = str(uuid.uuid4())
    outsider.ask("ConnectionRequested", connection_id=connection, **{**EXPORT, **asked})
    return connection, outsider.wait("AuthChallengeIssued", connection)["data"]


def reason_of(outsider: Outsider, request: Json) -> str:
    said = outsider.refused(request)
    assert said["message"].endswith(".")
    return str(said["reason"])


def test_a_challenge_that_expired_takes_no_answer(outsider: Outsider, webdav: Target, age: Age) -> None:
    connection, challenge = started(outsider)
    age(connection, timedelta(minutes=31))
    outsider.wait("AuthChallengeExpired", connection)
    ended = outsider.wait("AuthSessionEnded", connection)["data"]
    assert ended["result"] == "expired"

    assert reason_of(outsider, outsider.answer(challenge, login(webdav))) == "session_expired"

    outsider.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
    fresh = outsider.wait("AuthChallengeIssued", connection, lambda d: d != challenge)["data"]
    outsider.answer(fresh, login(webdav))
    outsider.wait("ConnectionAuthorized", connection)


def test_an_onboarding_that_took_a_week_is_given_up(outsider: Outsider, webdav: Target, age: Age) -> None:
    connection, challenge = started(outsider)
    age(connection, timedelta(days=7))
    assert outsider.wait("ConnectionRejected", connection)["data"]["reason"] == "abandoned"

    asked = (
        outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=OPTIONS),
        outsider.ask("ReauthenticationRequested", connection_id=connection),
        outsider.ask("ConnectionPauseRequested", connection_id=connection),
    )
    assert {reason_of(outsider, request) for request in asked} == {"abandoned"}
    late = outsider.answer(challenge, login(webdav))
    assert reason_of(outsider, late) in ("cancelled", "session_expired"), "whichever end came first"


def test_after_three_wrong_passwords_no_login_is_begun_for_a_while(
    outsider: Outsider, webdav: Target
) -> None:
    connection, challenge = started(outsider)
    wrong = {**login(webdav), "username": "joe", "password": "wrong"}
    for left in (2, 1):
        outsider.answer(challenge, wrong)
        challenge = outsider.wait(
            "AuthChallengeIssued", connection, lambda d, left=left: d["attempts_left"] == left
        )["data"]
    outsider.answer(challenge, wrong)
    ended = outsider.wait("AuthSessionEnded", connection)["data"]
    assert ended["result"] == "exhausted"
    assert ended["retry_at"]

    again = outsider.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
    assert reason_of(outsider, again) == "locked"


def test_a_login_that_was_cancelled_takes_no_answer(outsider: Outsider, webdav: Target) -> None:
    connection, challenge = started(outsider)
    outsider.answer(challenge, {}, action="cancel")
    assert outsider.wait("AuthSessionEnded", connection)["data"]["result"] == "cancelled"

    assert reason_of(outsider, outsider.answer(challenge, login(webdav))) == "cancelled"
