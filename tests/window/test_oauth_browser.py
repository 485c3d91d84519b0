"""Logins at a provider's own page and by a device code in a real browser, and logging in again."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from providers.login.oauth.client import Client
from schemas.connections import ConnectionOptionsSubmitted, ReauthenticationRequested
from schemas.manifest import Manifest
from tests.oauth.conftest import CLIENT
from tests.oauth.walking import Operator, folder_for_tokens
from tests.peers.oidc_server import NoNode, oidc_server
from tests.unit.connections.builders import ID
from tests.window.browsing import CHROMIUM, MISSING, chromium
from tests.window.test_browser import page_of, seen
from tests.window.walking import Room, room

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.filterwarnings("default"),  # the browser's driver and the server warn on their own account
]
SECRET = str(CLIENT["client_secret"])
AGAIN = ReauthenticationRequested(connection_id=ID, answer_by="window")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@asynccontextmanager
async def acme(login: dict[str, Any]) -> AsyncIterator[Room]:
    """A window to a provider that an authorization server lets in."""
    listener = socket.create_server(("127.0.0.1", 0))
    back = f"http://127.0.0.1:{listener.getsockname()[1]}/oauth/callback/acme"
    try:
        with oidc_server([CLIENT | {"redirect_uris": [back]}], scopes=["files"]) as authority:
            async with folder_for_tokens([]) as folder:
                manifest = Manifest.model_validate(
                    {
                        "id": "acme", "name": "Acme", "summary": "Files", "categories": ["storage"],
                        "directions": ["export"], "login": [login],
                        "oauth": {
                            "issuer": authority.issuer,
                            "scopes": ["openid", "email", "files"], "optional_scopes": ["offline_access"],
                            "authorize_params": {"prompt": "consent"},
                        },
                        "driver": {
                            "kind": "webdav", "settings": {"url": folder}, "identity": "{account}",
                        },
                    }
                )  # fmt: skip
                async with room(manifest, listener, Operator({"acme": Client("paperbus", SECRET)})) as made:
                    yield made
    except NoNode as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


async def sign_in(page: Page, user: str) -> None:
    """At the provider's own page: who it is, and yes."""
    await page.fill("[name=login]", user)
    await page.fill("[name=password]", "anything")
    await page.click("[type=submit]")
    await page.wait_for_selector("[name=prompt][value=consent]", state="attached")
    await page.click("[type=submit]")


async def logged_in(browser: Browser, acme: Room, user: str) -> Page:
    """Through the window and the provider's page, in a browser that never was there."""
    page = await page_of(browser)
    await page.goto(await acme.address())
    assert await page.evaluate("document.querySelector('.pair .logo img').naturalWidth") > 0
    await page.click("form button")
    await page.wait_for_selector("a.button")
    await seen(page, f"redirect-{user}")
    await page.click("a.button")
    await sign_in(page, user)
    return page


async def test_logging_in_again_keeps_the_connection_and_another_identity_is_named(browser: Browser) -> None:
    async with acme({"redirect": "oauth"}) as it:
        page = await logged_in(browser, it, "jane")
        await page.wait_for_url(f"{it.back}?*result=authorized*proof=*")
        await it.complete(page.url)
        await it.ask(ConnectionOptionsSubmitted(connection_id=ID, options={}))
        before = await it.it()

        await it.ask(AGAIN)
        page = await logged_in(browser, it, "paul")
        await page.wait_for_selector("h1:has-text('Acme could not be connected')")
        said = await page.inner_text(".lead")
        assert "jane@firm.example" in said
        assert "paul@firm.example" in said
        await seen(page, "redirect-told")
        await page.click("form button")
        await page.wait_for_url(f"{it.back}?*result=failed*")
        assert (await it.it()).credentials_revision == before.credentials_revision

        await it.ask(AGAIN)
        page = await logged_in(browser, it, "jane")
        await page.wait_for_url(f"{it.back}?*result=authorized*proof=*")
        await it.complete(page.url)
        after = await it.it()

    assert (before.status, before.identity) == ("active", "jane@firm.example")
    assert (after.status, after.identity) == (before.status, before.identity)
    assert (after.revision, after.options) == (before.revision, before.options)
    assert after.credentials_revision > before.credentials_revision


async def test_a_device_code_is_typed_elsewhere_and_the_window_goes_on_by_itself(browser: Browser) -> None:
    async with acme({"device": "oauth"}) as it:
        page = await page_of(browser, width=320, height=640)
        await page.goto(await it.address("de"))
        await page.click("form button")
        await page.wait_for_selector("[value=answer]")
        await seen(page, "device-1-begin")
        await page.click("[value=answer]")
        code = await page.inner_text(".compare strong")
        await seen(page, "device-2-code")
        there = await page.get_attribute("main a[target=_blank]", "href")
        assert there is not None
        elsewhere = await page_of(browser)
        await elsewhere.goto(there)
        assert code in await elsewhere.inner_text("body")  # the address brings it
        await elsewhere.click("[type=submit]")
        await sign_in(elsewhere, "jane")
        await page.wait_for_url(f"{it.back}?*result=authorized*proof=*")
        await it.complete(page.url)

        assert (await it.it()).identity == "jane@firm.example"
