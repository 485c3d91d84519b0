"""The login window in a real browser: by keyboard, without JavaScript, narrow, dark, and as axe sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.unit.window.fakes import PASSWORD
from tests.window.browsing import CHROMIUM, MISSING, SHOTS, Site, chromium, site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.filterwarnings("default"),  # the browser's driver and the server warn on their own account
]


@pytest.fixture
async def pages() -> AsyncIterator[Site]:
    async with site() as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


async def page_of(browser: Browser, *, width: int = 900, height: int = 900, **more: Any) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": height}, **more)
    return await context.new_page()


async def fits(page: Page, name: str) -> None:
    """Nothing on the page is wider than the page."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def seen(page: Page, name: str) -> None:
    """Nothing on the page stands in anybody's way (WCAG 2.2 AA, as far as a program can tell)."""
    await fits(page, name)
    found = await Axe().run(page)

    assert [violation["id"] for violation in found.response["violations"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_login_by_keyboard_alone(pages: Site, browser: Browser, scheme: str) -> None:
    page = await page_of(browser, color_scheme=scheme)
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    await page.goto(await pages.address())
    await seen(page, f"{scheme}-1-intro")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/window/*")
    await seen(page, f"{scheme}-2-credentials")
    await page.keyboard.press("Tab")
    await page.keyboard.type("https://cloud.example.org")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[aria-invalid=true]")
    assert await page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    await seen(page, f"{scheme}-3-errors")
    await page.get_by_label("User name").fill("jane")
    await page.get_by_label("App password").fill("wr0ng")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=2 tries left")
    await seen(page, f"{scheme}-4-wrong")
    await page.get_by_label("App password").fill(PASSWORD)
    pages.login.works_at_once = False
    pages.login.confirms = True
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[role=status]")
    await seen(page, f"{scheme}-5-waiting")
    pages.login.work()
    await page.wait_for_selector("dl")
    await seen(page, f"{scheme}-6-confirm")
    await page.get_by_label("I compared it").press("Space")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[role=status]")
    pages.login.work()
    await page.wait_for_url(f"{pages.back}?*result=authorized*proof=*")
    await page.go_back()
    await page.wait_for_selector("text=Nextcloud is connected")
    await seen(page, f"{scheme}-7-over")
    assert [url for url in foreign if not url.startswith((pages.url, pages.back))] == []


async def test_without_javascript_the_whole_way_works(pages: Site, browser: Browser) -> None:
    page = await page_of(browser, java_script_enabled=False)
    pages.login.works_at_once = False
    await page.goto(await pages.address())
    await page.click("button")
    for name, value in (("url", "https://c.example"), ("username", "jane"), ("password", PASSWORD)):
        await page.fill(f"[name={name}]", value)
    await page.click("text=Continue")
    await page.wait_for_selector("[role=status]")
    pages.login.work()

    await page.wait_for_url(f"{pages.back}?*result=authorized*proof=*")


async def test_cancelling_is_let_through_to_the_platform(pages: Site, browser: Browser) -> None:
    """Browsers hold a form's redirects against `form-action`: the platform's origin has to be in it."""
    page = await page_of(browser)
    await page.goto(await pages.address())
    await page.click("button")
    await page.click("text=Cancel")

    await page.wait_for_url(f"{pages.back}?*result=cancelled*")


@pytest.mark.parametrize("locale", ["en", "fr", "de"])
async def test_a_phone_of_320_pixels_shows_everything(pages: Site, browser: Browser, locale: str) -> None:
    page = await page_of(browser, width=320, height=640)
    await page.goto(await pages.address(locale, "Müller & Söhne Vermögensverwaltungsgesellschaft mbH"))
    assert await page.evaluate("document.documentElement.lang") == locale
    await fits(page, f"320-{locale}-1-intro")
    await page.click("button")
    await page.wait_for_selector("form [name=url]")
    await page.click("[value=answer]")
    await page.wait_for_selector("[aria-invalid=true]")
    await fits(page, f"320-{locale}-2-errors")


async def test_no_page_runs_anything_inline(pages: Site, browser: Browser) -> None:
    page = await page_of(browser)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(await pages.address())
    await page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.hacked=1>')"
    )
    await page.wait_for_timeout(300)

    assert await page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in complaints)
