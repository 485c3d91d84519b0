"""A login in the window, against a real server: what a browser does, what the proof is good for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.connections.conftest import Platform, credentials

pytestmark = [
    pytest.mark.servers,
    # The platform signs with EdDSA, as the contract has it; joserfc prefers its newer name.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]
Open = Callable[[str], "Browser"]
RETURN = "https://platform.example/back"


class Browser:
    """Follows links, keeps cookies, posts what a form holds."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.client = httpx.Client(
            base_url=self.origin, headers={"Sec-Fetch-Site": "same-origin"}, timeout=20
        )
        self.page = self.client.get(parts.path)
        self.at = parts.path

    def hidden(self) -> dict[str, str]:
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.page.text))

    def post(self, **fields: Any) -> None:
        """Post the form of this page, and go where that leads within the window."""
        headers = {"Origin": self.origin}
        self.page = self.client.post(self.at, data={**self.hidden(), **fields}, headers=headers)
        self.follow()

    def follow(self) -> None:
        while self.page.is_redirect and self.page.headers["location"].startswith(("/", self.origin)):
            self.at = self.page.headers["location"].removeprefix(self.origin)
            self.page = self.client.get(self.at)

    def until_back(self) -> dict[str, str]:
        """Look again until the window sends the browser back; what it brings along."""
        for _ in range(200):
            self.follow()
            if self.page.is_redirect:
                return {
                    name: value
                    for name, (value,) in parse_qs(urlsplit(self.page.headers["location"]).query).items()
                }
            time.sleep(0.1)
            self.page = self.client.get(self.at)
        raise AssertionError(f"the window never came to an end: {self.page.text[-2000:]}")


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens addresses in browsers of their own."""
    browsers: list[Browser] = []

    def browser(url: str) -> Browser:
        browsers.append(Browser(url))
        return browsers[-1]

    yield browser
    for one in browsers:
        one.client.close()


def made(platform: Platform, connection: str) -> httpx.Response:
    wanted = {"return_url": RETURN, "account_label": "ACME GmbH", "state": "state-1"}
    return post(platform, f"/v1/connections/{connection}/window", wanted)


def post(platform: Platform, path: str, body: dict[str, str]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {platform.outsider.token()}"}
    return httpx.post(platform.services.url("connections") + path, json=body, headers=headers, timeout=20)


def test_a_login_in_the_window_counts_once_the_platform_hands_in_the_proof(
    platform: Platform, opened: Open, rclone_webdav: Any
) -> None:
    it = platform.outsider
    connection = platform.request(answer_by="window")["connection_id"]
    browser = opened(made(platform, connection).json()["url"])
    assert "ACME GmbH" in browser.page.text
    browser.post()
    browser.post(**credentials(rclone_webdav, password="wrong"), _action="answer")
    it.wait("AuthChallengeIssued", connection, lambda data: data["error"] is not None)
    browser.page = browser.client.get(browser.at)
    assert rclone_webdav.url in browser.page.text

    browser.post(**credentials(rclone_webdav), _action="answer")
    back = browser.until_back()
    assert (back["result"], back["state"], back["connection_id"]) == ("authorized", "state-1", connection)
    assert platform.heard("ConnectionAuthorized", connection) == []
    assert platform.get(f"/v1/connections/{connection}").json()["status"] == "connecting"

    proof = {"proof": back["proof"]}
    assert post(platform, f"/v1/connections/{connection}/window/complete", proof).is_success
    authorized = it.wait("ConnectionAuthorized", connection)
    assert authorized["actor"] == "user-1"
    assert not post(platform, f"/v1/connections/{connection}/window/complete", proof).is_success


def test_a_cancelled_window_says_so_and_brings_no_proof(platform: Platform, opened: Open) -> None:
    connection = platform.request(answer_by="window")["connection_id"]
    browser = opened(made(platform, connection).json()["url"])
    browser.post()
    browser.post(_action="cancel")

    back = browser.until_back()
    assert back["result"] == "cancelled"
    ended = platform.outsider.wait("AuthSessionEnded", connection)["data"]
    assert (ended["result"], ended["reason"]) == ("cancelled", "cancelled")
