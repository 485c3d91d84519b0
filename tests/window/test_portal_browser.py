"""Every kind of challenge in a real browser, at a portal that asks for all of them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.peers.portal.app import Account
from tests.peers.test_portal_login import qr_picture
from tests.window.browsing import CHROMIUM, MISSING, chromium
from tests.window.test_browser import page_of, seen
from tests.window.walking import Walk, walk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.filterwarnings("default"),  # the browser's driver and the server warn on their own account
]


@pytest.fixture
async def room() -> AsyncIterator[Walk]:
    async with walk(resend_seconds=[2, 60]) as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


async def logged_in(page: Page, room: Walk, account: Account, locale: str) -> None:
    """As far as the first proof."""
    await page.goto(await room.address(locale))
    await page.click("button")
    await page.fill("[name=url]", room.url)
    await page.fill("[name=username]", account.name)
    await page.fill("[name=pin]", account.password)
    await page.keyboard.press("Enter")


def captcha_of(room: Walk, account: Account) -> str:
    return [one for one in room.portal.sessions.values() if one.account is account][-1].captcha


async def test_every_kind_in_a_row_in_german_on_a_phone(  # noqa: PLR0915 - one way from end to end
    room: Walk, browser: Browser
) -> None:
    way = ("captcha", "device", "sms", "question", "totp", "grid", "app", "terms", "company")
    account = room.portal.has("all", *way)
    page = await page_of(browser, width=320, height=640)
    foreign: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await logged_in(page, room, account, "de")

    await expect(page.get_by_role("heading")).to_have_text("Schreiben Sie ab, was Sie sehen")
    assert await page.evaluate("document.querySelector('.picture img').naturalWidth") == 180
    assert await page.get_attribute(".picture img", "alt")
    await seen(page, "portal-1-captcha")
    await page.fill("[name=letters]", "nope")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#field-letters-error:has-text('hat das nicht angenommen')")
    await seen(page, "portal-2-captcha-wrong")
    await page.fill("[name=letters]", captcha_of(room, account))
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Wohin soll der Code?")
    await seen(page, "portal-3-select")
    await page.get_by_label("j•••@firm.example").check()
    await page.click("[value=answer]")
    await page.wait_for_selector("text=Gesendet an j•••@firm.example")
    await seen(page, "portal-4-code")
    await page.wait_for_selector("text=möglich in", state="detached")
    await page.click("text=Noch einmal senden")
    await page.wait_for_selector("text=möglich in")
    assert len(account.outbox) == 2
    await seen(page, "portal-5-code-again")
    await page.fill("[name=sms_code]", account.outbox[1])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=What was your first pet called?")
    await seen(page, "portal-6-question")
    await page.fill("[name=answer]", "Rex")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[name=totp_code]")
    await seen(page, "portal-7-totp")
    await page.fill("[name=totp_code]", pyotp.TOTP(account.totp_secret).now())
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Feld B4")
    await seen(page, "portal-7-grid")
    await page.fill("[name=card_code]", "7Q2")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".compare strong")
    session = [one for one in room.portal.sessions.values() if one.account is account][-1]
    await expect(page.locator(".compare strong")).to_have_text(session.number)
    await seen(page, "portal-8-approve")
    account.approved = True
    await page.wait_for_selector("text=neuen Bedingungen")
    await seen(page, "portal-9-action")
    account.terms = True
    await page.click("[value=answer]")
    await page.wait_for_selector("text=Welche Firma?")
    await seen(page, "portal-10-company")
    await page.get_by_label("Firm Two Ltd").check()
    await page.click("[value=answer]")
    await page.wait_for_url(f"{room.back}?*result=authorized*proof=*")
    ours = room.desk.public_url
    assert [url for url in foreign if not url.startswith((ours, room.back))] == []
    assert [text for text in complaints if "Content Security" in text] == []


async def test_an_approval_without_javascript(room: Walk, browser: Browser) -> None:
    account = room.portal.has("plain", "app")
    page = await page_of(browser, java_script_enabled=False)
    await logged_in(page, room, account, "fr")
    await page.wait_for_selector(".compare strong", timeout=15_000)
    await page.click("text=C'est fait")
    await page.wait_for_selector(".compare strong", timeout=15_000)
    account.approved = True
    await page.click("text=C'est fait")
    await page.wait_for_url(f"{room.back}?*result=authorized*", timeout=15_000)


async def test_a_refusal_elsewhere_is_read_before_the_way_back(room: Walk, browser: Browser) -> None:
    account = room.portal.has("denied", "app")
    page = await page_of(browser)
    await logged_in(page, room, account, "en")
    await page.wait_for_selector(".compare strong")
    account.approved = False
    await page.wait_for_url(f"{room.back}?*result=failed*")


async def test_a_picture_of_a_qr_code_is_taken_for_the_secret_it_shows(
    room: Walk, browser: Browser, tmp_path: Path
) -> None:
    account = room.portal.has("scans", "totp")
    page = await page_of(browser)
    await logged_in(page, room, account, "en")
    await page.wait_for_selector("[name=totp_code]")
    (tmp_path / "no.png").write_bytes(b"no picture")
    await page.fill("[name=totp_code]", pyotp.TOTP(account.totp_secret).now())
    await page.set_input_files("[name=_qr]", tmp_path / "no.png")
    await page.click("[value=answer]")
    await page.wait_for_selector("#field-totp_secret-error:has-text('no secret of an authenticator app')")
    await seen(page, "portal-11-qr")
    data = qr_picture(f"otpauth://totp/Portal:scans?secret={account.totp_secret}")
    (tmp_path / "qr.png").write_bytes(base64.b64decode(data.partition(",")[2]))
    await page.fill("[name=totp_code]", pyotp.TOTP(account.totp_secret).now())
    await page.set_input_files("[name=_qr]", tmp_path / "qr.png")
    await page.click("[value=answer]")
    await page.wait_for_url(f"{room.back}?*result=authorized*")
