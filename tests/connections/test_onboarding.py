"""Onboarding over events, against servers that nobody here wrote: what a platform sees."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.connections.conftest import Platform, credentials
from tests.sentences import says_what_to_do

pytestmark = [
    pytest.mark.servers,
    # The platform signs with EdDSA, as the contract has it; joserfc prefers its newer name.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


def test_a_webdav_account_is_connected_changed_and_removed_over_events_alone(
    platform: Platform, rclone_webdav: Any
) -> None:
    it = platform.outsider
    (rclone_webdav.folder / "Invoices").mkdir(exist_ok=True)
    challenge = platform.request()
    connection = challenge["connection_id"]
    it.answer(challenge, credentials(rclone_webdav))
    authorized = it.wait("ConnectionAuthorized", connection)["data"]
    assert authorized["identity"].startswith("jane@")
    assert authorized["options"][0]["name"] == "folder"

    choices = platform.get(f"/v1/connections/{connection}/options/folder/choices").json()
    assert "/Invoices" in [choice["value"] for choice in choices["items"]]

    it.ask("ConnectionOptionsSubmitted", connection_id=connection, options={"folder": "/Invoices"})
    saved = it.wait("ConnectionSaved", connection)["data"]
    assert (saved["revision"], saved["options"]["folder"]) == (1, "/Invoices")
    assert saved["schedule"]["every"] == "P1D"

    it.ask(
        "ConnectionChangeRequested", connection_id=connection, expected_revision=1, schedule={"every": "PT1H"}
    )
    changed = it.wait("ConnectionChanged", connection)["data"]
    assert (changed["revision"], changed["schedule"]["every"]) == (2, "PT1H")

    shown = platform.get(f"/v1/connections/{connection}").json()
    assert (shown["status"], shown["challenge"], shown["revision"]) == ("active", None, 2)

    it.ask("ConnectionPauseRequested", connection_id=connection)
    it.wait("ConnectionPaused", connection)
    it.ask("ConnectionResumeRequested", connection_id=connection)
    it.wait("ConnectionResumed", connection)
    it.ask("ConnectionRemovalRequested", connection_id=connection)
    it.wait("ConnectionRemoved", connection)
    told: set[str] = set()
    deadline = time.monotonic() + 10
    while "ConnectionRemoved" not in told and time.monotonic() < deadline:  # it follows the events
        told = {
            entry["what"] for entry in platform.get(f"/v1/connections/{connection}/timeline").json()["items"]
        }
    assert {"AuthChallengeIssued", "ConnectionSaved", "ConnectionRemoved"} <= told


def test_a_server_is_confirmed_by_its_fingerprint_once(
    platform: Platform, rclone_sftp: Any, between_steps: Callable[[], None]
) -> None:
    it = platform.outsider
    fields = {
        "host": rclone_sftp.host,
        "port": rclone_sftp.port,
        "username": "jane",
        "password": rclone_sftp.password,
    }
    confirm = platform.next(platform.request("sftp"), fields)
    connection = confirm["connection_id"]
    assert (confirm["kind"], confirm["step"]) == ("confirm", 2)
    assert any("SHA256:" in fact["value"] for fact in confirm["facts"])

    between_steps()
    it.answer(confirm, {"accept": True})
    it.wait("ConnectionAuthorized", connection)
    it.ask("ConnectionOptionsSubmitted", connection_id=connection, options={})
    it.wait("ConnectionSaved", connection)

    it.ask("ReauthenticationRequested", connection_id=connection, answer_by="sealed")
    again = platform.challenge(connection, after={**confirm, "attempts_left": 3})
    again = it.wait("AuthChallengeIssued", connection, lambda data: data["purpose"] == "reauthenticate")[
        "data"
    ]
    assert {field["name"]: field.get("default") for field in again["fields"]}["username"] == "jane"
    it.answer(again, fields)
    authorized = it.wait("ConnectionAuthorized", connection, lambda data: data["purpose"] == "reauthenticate")
    assert authorized["data"]["identity"].startswith("jane@")


TROUBLES = {
    "the password is wrong": ({"username": "joan", "password": "wrong"}, "credentials_wrong", 2),
    "nothing listens there": ({"url": "http://127.0.0.1:9/dav"}, "host_unreachable", 3),
    "there is no such host": ({"url": "https://no-such-host.invalid/dav"}, "host_unreachable", 3),
    "the network is not listed": ({"url": "https://10.1.2.3/dav"}, "address_refused", 3),
    "the certificate is nobody's": ({}, "certificate_invalid", 3),
}


@pytest.mark.parametrize("what", TROUBLES)
def test_troubles_of_a_login_are_told_apart_and_only_wrong_passwords_count(
    platform: Platform, rclone_webdav: Any, untrusted: str, what: str
) -> None:
    fields, reason, left = TROUBLES[what]
    if reason == "certificate_invalid":
        fields = {"url": untrusted}
    challenge = platform.next(platform.request(), credentials(rclone_webdav, **fields))

    assert challenge["error"]["reason"] == reason, challenge["error"]
    assert says_what_to_do(challenge["error"]["message"]), challenge["error"]
    assert challenge["attempts_left"] == left
    secrets = [field for field in challenge["fields"] if field["secret"]]
    assert all("default" not in field for field in secrets)


def test_three_wrong_passwords_end_the_session_and_block_the_next(
    platform: Platform, rclone_webdav: Any
) -> None:
    it = platform.outsider
    challenge = platform.request()
    connection = challenge["connection_id"]
    wrong = credentials(rclone_webdav, username="joe", password="wrong")  # jane's name is others' to fail by
    for _ in range(2):
        challenge = platform.next(challenge, wrong)
    it.answer(challenge, wrong)
    ended = it.wait("AuthSessionEnded", connection)["data"]

    assert (ended["result"], ended["reason"]) == ("exhausted", "credentials_wrong")
    assert ended["retry_at"] is not None
    again = it.ask("ReauthenticationRequested", connection_id=connection)
    assert it.refused(again)["reason"] == "locked"


def test_of_fifty_answers_at_once_one_is_tried_and_the_others_are_told(
    platform: Platform, rclone_webdav: Any
) -> None:
    it = platform.outsider
    challenge = platform.request()
    connection = challenge["connection_id"]
    sent = [it.answer(challenge, credentials(rclone_webdav)) for _ in range(50)]
    it.wait("ConnectionAuthorized", connection)

    it.wait("RequestRefused", connection, lambda data: data["request_id"] == sent[-1]["id"])
    refused = {
        e["data"]["request_id"]: e["data"]["reason"] for e in platform.heard("RequestRefused", connection)
    }
    assert set(refused.values()) == {"already_answered"}
    assert len(refused) == 49
    assert len(platform.heard("AuthChallengeAnswered", connection)) == 1
    assert len(platform.heard("ConnectionAuthorized", connection)) == 1
