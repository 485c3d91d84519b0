"""The provider's logo on the window's pages: through us, for the window's own browser, unable to act."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet, OKPKey

from catalog.api import inner_routes
from catalog.reading import Logo as File
from connections.logos import MOST, Logo, Logos
from kit.http import make_app
from kit.tokens import ServiceTokens
from tests.unit.window.conftest import LOGO, Browser, Stage

SVG = Logo("image/svg+xml", b"<svg/>")


def logo_on(browser: Browser) -> str:
    assert browser.page is not None
    found = re.search(r'<span class="logo [^>]*><span>NE</span><img src="(/[^"]+)" alt=""', browser.page.text)
    assert found, browser.page.text
    return found.group(1)


async def test_an_address_and_its_window_show_the_logo_from_our_own_origin(stage: Stage) -> None:
    browser = stage.browser()
    await browser.go(await stage.address())
    before = await browser.http.get(logo_on(browser))
    await browser.send()
    bound = await browser.http.get(logo_on(browser))

    assert before.content == bound.content == LOGO.data
    assert bound.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in bound.headers["content-security-policy"]
    assert bound.headers["x-content-type-options"] == "nosniff"


async def test_without_a_logo_the_initials_stand_there_alone(stage: Stage) -> None:
    stage.login.has_logo = False
    browser = await stage.opened()

    assert (await browser.http.get(logo_on(browser))).status_code == 404


async def test_a_logo_tells_a_stranger_nothing_of_a_window(stage: Stage) -> None:
    browser = await stage.opened()
    stranger = stage.browser()

    assert (await stranger.http.get(logo_on(browser))).status_code == 403
    assert (await stranger.http.get("/w/nobody-knows-this/logo")).status_code == 404


async def test_a_logo_is_asked_for_once_and_one_that_is_missing_again_after_a_minute() -> None:
    clock, asked = SimpleNamespace(at=0.0), list[str]()

    async def ask(provider_id: str) -> Logo | None:
        asked.append(provider_id)
        return SVG if provider_id == "acme" else None

    logos = Logos(ask, lambda: clock.at)
    assert [await logos("acme"), await logos("acme"), await logos("none")] == [SVG, SVG, None]
    clock.at = 61.0
    await logos("acme")
    await logos("none")
    clock.at = 601.0
    await logos("acme")

    assert asked == ["acme", "none", "none", "acme"]


async def test_logos_of_few_providers_are_remembered_at_a_time() -> None:
    asked = list[str]()

    async def ask(provider_id: str) -> Logo | None:
        asked.append(provider_id)
        return SVG

    logos = Logos(ask)
    for number in (*range(MOST + 1), MOST, 0):
        await logos(str(number))

    assert asked == [*map(str, range(MOST + 1)), "0"]


@pytest.mark.parametrize(("who", "status"), [("connections", 200), ("sync-runner", 401), (None, 401)])
async def test_catalog_gives_logos_to_connections_alone(who: str | None, status: int) -> None:
    keys = {
        name: OKPKey.generate_key("Ed25519", {"kid": name})
        for name in ("catalog", "connections", "sync-runner")
    }
    known = KeySet([OKPKey.import_key(key.as_dict(private=False)) for key in keys.values()])

    class Shelf:
        async def logo(self, provider_id: str) -> File | None:
            return File("image/svg+xml", "0" * 64, b"<svg/>") if provider_id == "webdav" else None

        async def read(self, ids: list[str]) -> dict[str, Any]:
            return {}

    app = make_app("catalog")
    app.include_router(inner_routes(Shelf(), ServiceTokens(keys["catalog"], known, lambda: 0.0)))
    token = ServiceTokens(keys[who], known, lambda: 0.0).issue("catalog", {}) if who else ""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://in") as http:
        headers = {"Authorization": f"Bearer {token}"}
        found = await http.get("/internal/v1/providers/webdav/logo", headers=headers)
        missing = await http.get("/internal/v1/providers/none/logo", headers=headers)

    assert found.status_code == status
    assert missing.status_code == (404 if status == 200 else status)
