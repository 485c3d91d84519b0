"""The login window of the running service, by a platform and a browser that know none of our code."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.connections.conftest import CANARY, Platform, credentials, dumped

BACK = "https://platform.example/connected?tab=2"
WANTED = {"return_url": BACK, "account_label": "ACME GmbH", "state": "st-1", "locale": "de"}


class Browser:
    """No JavaScript, one cookie jar, forms filled in by name."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.page = httpx.Response(204)

    def go(self, url: str) -> httpx.Response:
        self.page = self.http.get(url)
        return self._follow()

    def send(self, **fields: str) -> httpx.Response:
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.page.text)
        data = {name: unescape(value) for name, value in hidden} | fields
        self.page = self.http.post(self.page.url, data=data)
        return self._follow()

    def _follow(self) -> httpx.Response:
        """Until a page asks something, or the browser is sent away; a waiting page is loaded again."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.page.is_redirect:
                url = self.page.url.join(self.page.headers["location"])
                if url.host != self.page.url.host:
                    return self.page
                self.page = self.http.get(url)
            elif "http-equiv" in self.page.text and 'value="answer"' not in self.page.text:
                time.sleep(0.1)
                self.page = self.http.get(self.page.url)
            else:
                return self.page
        raise AssertionError(f"still waiting: {self.page.text}")

    @property
    def sent_to(self) -> httpx.URL:
        return httpx.URL(self.page.headers["location"])


def post(platform: Platform, path: str, body: Any, **access: Any) -> httpx.Response:
    token = platform.outsider.token(**access)
    url = f"{platform.services.url('connections')}/v1/connections/{path}"
    return httpx.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=20)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with httpx.Client(timeout=20) as http:
        yield Browser(http)


def open_window(platform: Platform, connection: str, browser: Browser) -> None:
    made = post(platform, f"{connection}/window", WANTED).raise_for_status().json()
    assert "WebDAV mit ACME GmbH verbinden" in browser.go(made["url"]).text
    browser.send()


def test_an_account_is_connected_in_the_window_and_counts_once_its_proof_is_handed_in(
    platform: Platform, rclone_webdav: Any, browser: Browser
) -> None:
    connection = str(uuid4())
    plain = {"direction": "export", "provider_id": "webdav", "locale": "de"}
    platform.outsider.ask("ConnectionRequested", connection_id=connection, **plain)
    open_window(platform, connection, browser)
    wrong = browser.send(**credentials(rclone_webdav, password=CANARY))

    assert f'value="{rclone_webdav.username}"' in wrong.text
    assert CANARY not in wrong.text
    browser.send(**credentials(rclone_webdav))
    params = browser.sent_to.params
    assert (params["tab"], params["result"], params["state"]) == ("2", "authorized", "st-1")
    assert params["connection_id"] == connection
    assert platform.heard("ConnectionAuthorized", connection) == []

    lured = post(platform, f"{connection}/window/complete", {"proof": params["proof"]}, account="mallory")
    looking = post(platform, f"{connection}/window/complete", {"proof": params["proof"]}, role="member")
    guessed = post(platform, f"{connection}/window/complete", {"proof": "x" * 43})
    assert (lured.status_code, looking.status_code, guessed.status_code) == (404, 403, 400)
    done = post(platform, f"{connection}/window/complete", {"proof": params["proof"]})
    assert done.status_code == 200, done.text
    authorized = platform.outsider.wait("ConnectionAuthorized", connection)
    assert authorized["actor"] == "user-1"
    again = post(platform, f"{connection}/window/complete", {"proof": params["proof"]})
    assert again.status_code == 409
    said = repr(platform.outsider.heard)
    assert not any(secret in said for secret in (params["proof"], "/w/", "/window/", CANARY))
    kept = dumped(platform.services.mongo) + platform.services.logs()
    assert not any(secret in kept for secret in (params["proof"], CANARY))
    assert rclone_webdav.password not in kept


def test_the_window_serves_a_new_login_of_a_saved_connection(
    platform: Platform, rclone_webdav: Any, browser: Browser
) -> None:
    connection = platform.saved(rclone_webdav)
    idle = post(platform, f"{connection}/window", WANTED)
    assert (idle.status_code, idle.json()["reason"]) == (409, "not_yet")
    platform.outsider.ask("ReauthenticationRequested", connection_id=connection, locale="de")
    platform.outsider.wait(
        "AuthChallengeIssued", connection, lambda data: data["purpose"] == "reauthenticate"
    )
    open_window(platform, connection, browser)
    browser.send(_action="cancel")

    assert browser.sent_to.params["result"] == "cancelled"
    ended = platform.outsider.wait(
        "AuthSessionEnded", connection, lambda data: data["purpose"] == "reauthenticate"
    )
    assert ended["data"]["result"] == "cancelled"


def test_windows_are_made_for_what_is_there(platform: Platform) -> None:
    sealed = platform.request()["connection_id"]
    statuses = {
        "unknown": post(platform, f"{uuid4()}/window", WANTED).status_code,
        "foreign": post(platform, f"{sealed}/window", WANTED, account="mallory").status_code,
        "member": post(platform, f"{sealed}/window", WANTED, role="member").status_code,
        "sealed": post(platform, f"{sealed}/window", WANTED).status_code,
        "origin": post(
            platform, f"{sealed}/window", WANTED | {"return_url": "https://evil.example"}
        ).status_code,
    }

    assert statuses == {"unknown": 404, "foreign": 404, "member": 403, "sealed": 409, "origin": 422}
