"""A portal's login of many kinds on the running service: in the window, and over sealed events alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyotp
import pytest
from pymongo import MongoClient

from providers.manifests import load
from tests.connections.conftest import CANARY, Platform, dumped
from tests.connections.test_window import WANTED, Browser, post
from tests.peers.portal.app import Portal
from tests.peers.portal.serving import served

FOLDER = Path(__file__).parents[1] / "peers" / "portal" / "billing-portal"
PORTAL = Portal()


@pytest.fixture(scope="module")
def portal(platform: Platform) -> Iterator[str]:
    """Its address; the platform knows its manifest, with waits that a test can wait for."""
    manifest = load(FOLDER).wire()
    manifest["limits"] = {"logins": {"resend_seconds": [5, 1]}}
    data = {"provider_id": "billing-portal", "revision": 1, "manifest": manifest}
    platform.outsider.say("catalog.events", "ProviderPublished", data, subject="billing-portal")
    with served(PORTAL) as url:
        yield url


def newest(account: Any, known: int) -> str:
    """The code that was sent after so many before."""
    until = time.monotonic() + 20
    while len(account.outbox) <= known:
        assert time.monotonic() < until, "no code was sent"
        time.sleep(0.05)
    return str(account.outbox[-1])


def test_a_code_that_is_sent_again_over_sealed_events_alone(platform: Platform, portal: str) -> None:
    account = PORTAL.has("sealed", "sms", password=CANARY)
    first = platform.request("billing-portal")
    connection = first["connection_id"]
    code = platform.next(first, {"url": portal, "username": "sealed", "pin": CANARY})

    assert (code["kind"], code["answer_by"], code["resend"]["left"]) == ("code_sent", ["sealed"], 2)
    assert code["medium"] == {"type": "sms", "label": "+33 6 •• •• •• 12"}
    early = platform.outsider.answer(code, {}, action="resend")
    assert platform.outsider.refused(early)["reason"] == "not_yet"
    over = datetime.fromisoformat(code["resend"]["not_before"]) - datetime.now(UTC)
    time.sleep(max(0.0, over.total_seconds()) + 0.1)
    again = platform.next(code, {}, action="resend")
    newer = newest(account, 1)
    assert (again["resend"]["left"], len(account.outbox)) == (1, 2)
    late = platform.outsider.answer(code, {"sms_code": account.outbox[0]})
    assert platform.outsider.refused(late)["reason"] == "already_answered"
    wrong = platform.next(again, {"sms_code": account.outbox[0]})
    assert (wrong["error"]["reason"], wrong["attempts_left"]) == ("credentials_wrong", 2)
    platform.outsider.answer(wrong, {"sms_code": newer})
    authorized = platform.outsider.wait("ConnectionAuthorized", connection)["data"]
    assert authorized["identity"] == "sealed"
    assert CANARY not in dumped(platform.services.mongo)
    assert newer not in dumped(platform.services.mongo)


def test_captcha_code_approval_and_company_in_the_window(
    platform: Platform, portal: str, between_steps: Callable[[], None]
) -> None:
    account = PORTAL.has("window", "captcha", "sms", "app", "company")
    connection = str(uuid4())
    platform.outsider.ask(
        "ConnectionRequested", connection_id=connection, direction="export", provider_id="billing-portal"
    )
    with httpx.Client(timeout=20) as http:
        browser = Browser(http)
        made = post(platform, f"{connection}/window", WANTED).raise_for_status().json()
        assert "Rechnungsportal mit ACME GmbH verbinden" in browser.go(made["url"]).text
        assert "Adresse des Portals" in browser.send().text

        page = browser.send(url=portal, username="window", pin=account.password).text
        picture = re.search(r'<img src="(/window/[^"]+/picture/[^"]+)"', page)
        assert picture, page
        shown = http.get(browser.page.url.join(picture.group(1)))
        assert (shown.headers["content-type"], shown.content[:4]) == ("image/png", b"\x89PNG")
        sound = re.search(r'<audio[^>]* src="([^"]+)"', page)
        assert sound
        assert http.get(browser.page.url.join(sound.group(1))).headers["content-type"] == "audio/wav"
        session = next(one for one in PORTAL.sessions.values() if one.account is account)
        page = browser.send(letters=session.captcha).text
        assert "Gesendet an +33 6" in page
        assert "möglich in" in page
        assert "gerade erst gesendet" in browser.send(_action="resend").text
        until = time.monotonic() + 30
        while len(account.outbox) < 2:
            assert time.monotonic() < until, browser.page.text
            browser.send(_action="resend")
            time.sleep(0.5)
        page = browser.send(sms_code=newest(account, 1)).text
        assert session.number in page
        assert "Öffnen Sie die App" in page
        issued = partial(platform.outsider.wait, "AuthChallengeIssued", connection)
        asked = issued(lambda data: data["kind"] == "approve_elsewhere")["data"]
        assert asked["answer_by"] == ["window"]
        assert session.number not in repr(asked["message"] + asked["title"])
        before = len(platform.challenge_ids(connection))
        between_steps()
        account.approved = True
        until = time.monotonic() + 20
        while "Welche Firma?" not in browser.go(str(browser.page.url)).text:
            assert time.monotonic() < until, browser.page.text
            time.sleep(0.2)
        issued(lambda data: data["kind"] == "select")
        assert len(platform.challenge_ids(connection)) == before + 1
        browser.send(company="200")
        proof = browser.sent_to.params["proof"]
    done = post(platform, f"{connection}/window/complete", {"proof": proof})
    assert done.status_code == 200
    assert platform.outsider.wait("ConnectionAuthorized", connection)["data"]["identity"] == "window"


class Replicas:
    """The service of the platform, and another one that is started before the first one is killed."""

    def __init__(self, platform: Platform) -> None:
        self.outsider = platform.outsider
        self.alive, self.other = platform.services, platform.services.replica("127.0.0.42")

    def take_turns(self) -> None:
        """One dies, the other one goes on."""
        self.other.start("connections")
        self.other.ready("connections")
        self.alive.kill("connections")
        self.alive, self.other = self.other, self.alive
        self.outsider.connections = self.alive.url("connections")


@pytest.fixture
def replicas(platform: Platform) -> Iterator[Replicas]:
    them = Replicas(platform)
    try:
        yield them
    finally:
        if them.alive is not platform.services:
            them.take_turns()


KINDS = ("captcha_image", "select", "code_sent", "question", "code_offline", "action_on_site")
ANOTHER_GOES_ON = "action_on_site"
"""Before this answer the replica that was killed stays dead, and another one goes on."""


@pytest.mark.parametrize(
    "killed_before",
    [
        pytest.param(("captcha_image",), id="the first answer"),
        pytest.param(KINDS, id="each answer", marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_every_kind_over_sealed_events_alone_at_replicas_that_are_killed_in_between(
    platform: Platform, portal: str, killed_before: tuple[str, ...], replicas: Replicas
) -> None:
    way = ("captcha", "device", "sms", "question", "totp", "grid", "terms", "company")
    account = PORTAL.has("killed", *way, password=CANARY, terms=True)
    asked = platform.request("billing-portal")
    connection = asked["connection_id"]
    asked = platform.next(asked, {"url": portal, "username": "killed", "pin": CANARY})
    session = next(one for one in PORTAL.sessions.values() if one.account is account)
    assert asked["image"]["media_type"] == "image/png"
    steps: list[tuple[str, Callable[[], dict[str, str]]]] = [
        ("captcha_image", lambda: {"letters": session.captcha}),
        ("select", lambda: {"device": "mail"}),
        ("code_sent", lambda: {"sms_code": account.outbox[-1]}),
        ("question", lambda: {"answer": "Rex"}),
        ("code_offline", lambda: {"totp_code": pyotp.TOTP(account.totp_secret).now()}),
        ("code_offline", lambda: {"card_code": "7Q2"}),
        ("action_on_site", dict),
    ]
    for kind, fields in steps:
        assert (asked["kind"], asked["answer_by"], asked["error"]) == (kind, ["sealed"], None)
        if kind in killed_before:
            replicas.take_turns() if kind == ANOTHER_GOES_ON else platform.dies()
        asked = platform.next(asked, fields())
    assert asked["kind"] == "select"
    platform.outsider.answer(asked, {"company": "200"})
    assert platform.outsider.wait("ConnectionAuthorized", connection)["data"]["identity"] == "killed"
    assert len(account.outbox) == 1  # no death sent a code again
    assert CANARY not in dumped(platform.services.mongo)


def test_a_state_that_was_moved_to_another_connection_or_put_back_opens_nothing(
    platform: Platform, portal: str
) -> None:
    """Whoever writes into the database gains nothing: the login ends, and nothing is sent to the provider."""
    account = PORTAL.has("moved", "question")
    other = PORTAL.has("other", "question")
    typed = {"url": portal, "pin": account.password}
    mine = platform.next(platform.request("billing-portal"), {**typed, "username": "moved"})
    theirs = platform.next(platform.request("billing-portal"), {**typed, "username": "other"})
    with MongoClient[dict[str, Any]](platform.services.mongo) as client:
        things = client["connections"]["connections"]
        taken = things.find_one({"_id": theirs["connection_id"]}, {"login": 1})
        assert taken is not None
        login = {name: taken["login"][name] for name in ("machine", "machine_fence")}
        things.update_one(
            {"_id": mine["connection_id"]}, {"$set": {f"login.{name}": login[name] for name in login}}
        )
    guesses = account.guesses + other.guesses
    platform.outsider.answer(mine, {"answer": "rex"})
    ended = platform.outsider.wait("AuthSessionEnded", mine["connection_id"])["data"]
    assert (ended["result"], account.guesses + other.guesses) == ("failed", guesses)
    platform.outsider.answer(theirs, {"answer": "rex"})
    assert (
        platform.outsider.wait("ConnectionAuthorized", theirs["connection_id"])["data"]["identity"] == "other"
    )
