"""A login, step by step, at servers that nobody here wrote."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from subjects import CANARY
from targets import Target

from providers.drivers import open_driver
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized, Failed, Outcome, Unreached
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason

SECRET = {"secret": True, "type": "password"}
DAV = [
    {"name": "url", "label": {"en": "Address", "de": "Adresse"}, "type": "url", "destination": True},
    {"name": "username", "label": "User"},
    {"name": "password", "label": "Password", **SECRET},
]
SSH = [
    {"name": "host", "label": "Host", "destination": True},
    {"name": "port", "label": "Port", "type": "integer", "destination": True},
    {"name": "username", "label": "User"},
    {"name": "password", "label": "Password", **SECRET},
    {"name": "private_key", "label": "Key", **SECRET},
]


def manifest(kind: str, *login: Mapping[str, Any]) -> Manifest:
    return Manifest.model_validate(
        {
            "id": "subject",
            "name": "Subject",
            "summary": "Under test.",
            "categories": ["storage"],
            "directions": ["export"],
            "login": list(login),
            "driver": {"kind": kind},
        }
    )


WEBDAV = manifest("webdav", {"ask": "credentials", "fields": DAV})
SFTP = manifest("sftp", {"ask": "credentials", "fields": SSH}, {"confirm": "host_key"})


def dav_answer(target: Target, **changed: Any) -> Answer:
    return Answer({"url": target.url, "username": target.username, "password": target.password, **changed})


def ssh_answer(target: Target, **changed: Any) -> Answer:
    way_in = {"private_key": target.private_key or None, "password": target.password or None}
    return Answer(
        {"host": target.host, "port": target.port, "username": target.username, **way_in, **changed}
    )


async def after(given: Asked, answer: Answer, reach: Reach, to: Manifest = WEBDAV) -> Outcome:
    return await step(to, given.state, answer, reach, "de")


async def test_right_credentials_are_authorized_under_their_identity(rclone_webdav: Target, reach: Reach):
    first = begin(WEBDAV, {}, "de")
    ended = await after(first, dav_answer(rclone_webdav), reach)

    assert first.challenge.kind is ChallengeKind.CREDENTIALS
    assert [field.label for field in first.challenge.fields] == ["Adresse", "User", "Password"]
    assert isinstance(ended, Authorized)
    assert ended.identity == "jane@127.0.0.1"
    assert ended.credentials["password"] == rclone_webdav.password
    assert ended.known == {"url": rclone_webdav.url, "username": "jane"}


async def test_a_wrong_password_is_asked_again_with_its_reason_and_may_be_right_then(
    rclone_webdav: Target, reach: Reach
):
    again = await after(begin(WEBDAV, {}, "de"), dav_answer(rclone_webdav, password="wrong"), reach)
    assert isinstance(again, Asked)
    ended = await after(again, dav_answer(rclone_webdav), reach)

    assert again.error is not None
    assert again.error.reason is Reason.CREDENTIALS_WRONG
    assert again.error.message == "Der Anbieter hat die Anmeldung nicht angenommen. Prüfen Sie Ihre Eingabe."
    assert [field.default for field in again.challenge.fields] == [None, None, None]
    assert isinstance(ended, Authorized)


async def test_a_dead_host_is_an_outage_and_a_forbidden_one_is_not(rclone_webdav: Target, reach: Reach):
    first = begin(WEBDAV, {}, "en")
    dead = await after(first, dav_answer(rclone_webdav, url="http://127.0.0.1:9/"), reach)
    nowhere = await after(first, dav_answer(rclone_webdav, url="https://no-such.invalid/"), reach)
    forbidden = await after(first, dav_answer(rclone_webdav, url="http://169.254.169.254/"), reach)
    lost = await after(first, dav_answer(rclone_webdav, url=f"{rclone_webdav.url}no/such"), reach)

    assert isinstance(dead, Unreached)
    assert dead.error.reason is Reason.HOST_UNREACHABLE
    assert isinstance(nowhere, Unreached)
    assert "no-such.invalid" in nowhere.error.message
    assert "127.0.0.1 antwortet nicht" in dead.error.message
    assert isinstance(forbidden, Asked)
    assert forbidden.error is not None
    assert forbidden.error.reason is Reason.ADDRESS_REFUSED
    assert isinstance(lost, Asked)
    assert lost.blamed == "url"


async def test_the_hosts_key_is_shown_before_any_secret_is_sent_then_pinned(openssh: Target, reach: Reach):
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(openssh), reach, SFTP)
    assert isinstance(shown, Asked)
    ended = await after(shown, Answer({"accept": True}), reach, SFTP)

    assert shown.challenge.kind is ChallengeKind.CONFIRM
    assert shown.challenge.facts is not None
    assert shown.challenge.facts[-1].value.startswith("SHA256:")
    assert [field.name for field in shown.challenge.fields] == ["accept"]
    assert isinstance(ended, Authorized)
    assert ended.credentials["host_key"].startswith("ssh-ed25519 ")
    async with open_driver(SFTP, ended.credentials, {}, reach) as driver:
        await driver.check()


async def test_a_host_that_is_not_confirmed_ends_the_login(openssh: Target, reach: Reach):
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(openssh), reach, SFTP)
    assert isinstance(shown, Asked)
    ended = await after(shown, Answer({"accept": False}), reach, SFTP)

    assert isinstance(ended, Failed)
    assert ended.reason is Reason.CANCELLED


async def test_a_wrong_password_after_the_key_asks_for_credentials_not_for_the_key_again(
    rclone_sftp: Target, reach: Reach
):
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(rclone_sftp, password="wrong"), reach, SFTP)
    assert isinstance(shown, Asked)
    again = await after(shown, Answer({"accept": True}), reach, SFTP)
    assert isinstance(again, Asked)
    ended = await after(again, ssh_answer(rclone_sftp), reach, SFTP)

    assert again.challenge.kind is ChallengeKind.CREDENTIALS
    assert again.error is not None
    assert again.error.reason is Reason.CREDENTIALS_WRONG
    assert isinstance(ended, Authorized)


async def test_a_later_login_is_prefilled_and_confirms_a_known_key_by_itself(openssh: Target, reach: Reach):
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(openssh), reach, SFTP)
    assert isinstance(shown, Asked)
    ended = await after(shown, Answer({"accept": True}), reach, SFTP)
    assert isinstance(ended, Authorized)
    later = begin(SFTP, ended.known, "en")
    again = await after(later, ssh_answer(openssh), reach, SFTP)
    other = {**ended.known, "host_key": ended.known["host_key"].replace("A", "B")}
    changed = await after(begin(SFTP, other, "en"), ssh_answer(openssh), reach, SFTP)

    assert later.challenge.fields[0].default == openssh.host
    assert all(field.default is None for field in later.challenge.fields if field.secret)
    assert isinstance(again, Authorized)
    assert isinstance(changed, Asked)
    assert changed.challenge.kind is ChallengeKind.CONFIRM


async def test_another_key_than_the_pinned_one_is_refused(openssh: Target, rclone_sftp: Target, reach: Reach):
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(openssh), reach, SFTP)
    assert isinstance(shown, Asked)
    swapped = {**ssh_answer(rclone_sftp).fields, "host_key": shown.state["here"]["offered"]["host_key"]}
    with pytest.raises(Exception, match="certificate_invalid"):
        async with open_driver(SFTP, swapped, {}, reach):
            pass


async def test_secrets_of_an_earlier_step_are_asked_again_when_a_later_one_moves_their_destination(
    rclone_webdav: Target, reach: Reach
):
    two = manifest(
        "webdav",
        {"ask": "credentials", "fields": [DAV[2]]},
        {"ask": "credentials", "fields": [DAV[0], DAV[1]]},
    )
    where = {"url": rclone_webdav.url, "username": "jane"}
    second = await after(begin(two, {}, "en"), Answer({"password": "wrong"}), reach, two)
    assert isinstance(second, Asked)
    blamed = await after(second, Answer(where), reach, two)
    assert isinstance(blamed, Asked)
    back = await after(blamed, Answer({"password": rclone_webdav.password}), reach, two)
    assert isinstance(back, Asked)
    moved = await after(back, Answer({**where, "url": f"{rclone_webdav.url}./"}), reach, two)

    assert (second.challenge.step, blamed.challenge.step, back.challenge.step) == (2, 1, 2)
    assert isinstance(moved, Asked)
    assert moved.challenge.step == 1
    assert "password" not in moved.state["values"]


async def test_no_secret_is_in_any_log_error_or_repr(
    rclone_webdav: Target, rclone_sftp: Target, reach: Reach, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    wrong = dav_answer(rclone_webdav, password=CANARY)
    outcomes = [wrong, await after(begin(WEBDAV, {}, "en"), wrong, reach)]
    shown = await after(begin(SFTP, {}, "en"), ssh_answer(rclone_sftp, password=CANARY), reach, SFTP)
    assert isinstance(shown, Asked)
    outcomes += [shown, await after(shown, Answer({"accept": True}), reach, SFTP)]
    outcomes.append(
        await after(begin(SFTP, {}, "en"), ssh_answer(rclone_sftp, private_key=CANARY), reach, SFTP)
    )

    assert CANARY not in caplog.text
    assert CANARY not in repr(outcomes)
