"""The console in a real browser, over the running platform: both ways, three languages, desktop and phone."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser

from paperbus.demo.portal import PROVIDER, portal
from tests.console.acme import PROVIDER as ACME, acme
from tests.console.stage import Stage
from tests.console.walking import PHONE, SAVE, Walk, walking

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("default"),  # the browser's driver warns on its own account
]


async def test_an_export_from_the_empty_list_to_the_ledger_by_keyboard_alone(
    stage: Stage, browser: Browser
) -> None:
    """English, light, at a desk, without a mouse. The pop-up opens with the key and closes by itself."""
    stage.account("Boulangerie Martin")
    stage.documents(7)
    walk = await walking(browser, "en", stage.url, locale="en-GB")
    page = walk.page
    await page.goto(stage.link())
    await walk.pressed("form[action='/enter'] button")
    await page.wait_for_selector(".empty")
    await walk.seen("empty")
    await walk.pressed(".head a.button")
    await walk.pressed("a[href='/add/export']")
    await walk.typed("query", "webdva")
    await page.wait_for_selector(".providers li:first-child a[href='/add/export/webdav']")
    await walk.pressed(".providers a[href='/add/export/webdav']")
    await walk.pressed("[name=rhythm]:checked", "ArrowDown")
    await page.wait_for_selector("#coming strong:has-text('On Monday')")
    async with walk.context.expect_page() as opened:
        await walk.pressed(".actions button")
    window = await opened.value
    await page.wait_for_url("**/login")
    await window.wait_for_url("**/w/*")
    await walk.seen("login")
    await walk.pressed("form button", page=window)
    for name in ("url", "username", "password"):
        await walk.typed(name, getattr(stage.target, name), window)
    await walk.pressed("[value=answer]", page=window)
    await page.wait_for_url("**/options", timeout=30_000)
    assert "7 documents are there already" in await page.inner_text("#preview")
    assert await page.locator("#preview .paths li").count() == 5
    await walk.typed("folder", "/Walk/{year}")
    await walk.typed("filename", "{seller_name} {number}{ext}")
    await walk.pressed("[name=start]:checked", "ArrowDown")
    await page.wait_for_selector("#preview .paths :text('/Walk/2026/')")
    await walk.pressed("[name=export_now]", "Space")
    await walk.seen("options")
    await walk.pressed(SAVE)
    connection = await walk.listed()
    await page.wait_for_selector("text=7 done", timeout=90_000)
    assert window.is_closed()
    await walk.seen("list")
    await walk.pressed(".account h2 a")
    for tab in ("documents", "history"):
        await walk.pressed(f".tabs a[href$='{tab}']")
        await page.wait_for_url(f"**/accounts/{connection}/{tab}")
        await walk.seen(f"account-{tab}")
    assert len([path for path in stage.target.folder.rglob("*") if path.is_file()]) == 7
    assert (walk.foreign, walk.complaints) == ([], [])


SEED = {
    "en-GB": ("Add a synced account", "Import", "Export", "Continue", "Save"),
    "fr-FR": ("Ajouter un compte synchronisé", "Importer", "Exporter", "Continuer", "Enregistrer"),
    "de-DE": ("Synchronisiertes Konto hinzufügen", "Importieren", "Exportieren", "Weiter", "Speichern"),
}


@pytest.mark.parametrize("locale", SEED)
async def test_both_ways_step_for_step_in_the_customers_language(
    stage: Stage, browser: Browser, locale: str
) -> None:
    """Each page on the way is looked at: at a desk and on a phone, light and dark, the login window too."""
    stage.account(f"Both ways {locale}")
    stage.documents(3)
    walk = await walking(browser, f"ways-{locale[:2]}", stage.url, locale=locale)
    await walk.enter(stage.link())
    add, *ways, go_on, save = SEED[locale]
    for direction, way in zip(("import", "export"), ways, strict=True):
        await way_of(walk, stage, direction, (add, way, go_on, save))
    await walk.page.wait_for_selector(".facts-line .good:has-text('3')", timeout=90_000)
    await walk.seen("list")
    assert await walk.page.locator(".account").count() == 2
    assert (walk.foreign, walk.complaints) == ([], [])


async def way_of(walk: Walk, stage: Stage, direction: str, words: tuple[str, str, str, str]) -> None:
    """From the list to the list, by what the buttons say."""
    add, way, go_on, save = words
    page = walk.page
    await page.click(f".head a:has-text('{add}')")
    await page.wait_for_url("**/add")
    await walk.seen("direction")
    await page.click(f"main a:has-text('{way}')")
    await page.fill("#query", "webdva")
    await page.wait_for_url("**?query=webdva")  # what was used last shows the same provider before
    await page.wait_for_selector(f".providers li:first-child a[href='/add/{direction}/webdav']")
    await walk.seen(f"{direction}-providers")
    await page.click(f".providers a[href='/add/{direction}/webdav']")
    await page.wait_for_selector("#coming strong")
    await walk.seen(f"{direction}-interval")
    async with walk.context.expect_page() as opened:
        await page.click(f".actions button:has-text('{go_on}')")
    window = await opened.value
    await window.wait_for_url("**/w/*")
    await walk.seen(f"{direction}-window", window)
    await page.wait_for_selector("#login")
    await walk.seen(f"{direction}-login")
    await walk.log_in(window, stage.target)
    if direction == "export":
        await page.wait_for_selector("#preview .paths li")
        await page.check("[name=start][value=all]")
        await page.check("[name=export_now]")
    await walk.seen(f"{direction}-options")
    await page.click(f".actions button:has-text('{save}')")
    await walk.listed()


async def test_an_import_with_a_code_on_a_dark_phone_in_german_with_the_popup_blocked(
    stage: Stage, browser: Browser
) -> None:
    """From the demo's portal, whose manifest appears while everything runs."""
    stage.account("Müller & Söhne")
    walk = await walking(browser, "de", stage.url, locale="de-DE", size=PHONE, scheme="dark")
    page = walk.page
    await walk.enter(stage.link())
    await walk.seen("empty")
    async with portal(stage.target, stage.providers):
        await asyncio.to_thread(stage.published, PROVIDER)
        await walk.to_interval("import", PROVIDER, "demo")
        await page.evaluate("() => { window.open = () => null; }")
        await page.click(".actions button")
        await page.wait_for_url("**/login")
        await page.wait_for_selector("#blocked:not([hidden])")
        await walk.seen("login-blocked")
        async with walk.context.expect_page() as opened:
            await page.click("form[data-window] button")
        window = await opened.value
        await window.click("form button")
        await window.fill("[name=pin]", "irgendeines")
        await window.click("[value=answer]")
        await window.wait_for_selector("[name=sms_code]", timeout=30_000)
        await page.wait_for_selector("#login :text('Demo-Portal fragt')")
        await walk.seen("code", window)
        code = re.search(r"demo: (\d{6})", await window.inner_text("main"))
        assert code is not None
        await window.fill("[name=sms_code]", code[1])
        await window.click("[value=answer]")
        await page.wait_for_url("**/options", timeout=30_000)
        await walk.seen("options")
        await walk.saved()
    await walk.seen("list")
    assert "Synchronisierte Konten" in await page.inner_text("h1")
    assert walk.foreign == []


async def test_an_export_that_is_agreed_to_at_the_providers_own_page(stage: Stage, browser: Browser) -> None:
    """French. The window goes to an authorization server and back, and closes; the page behind goes on."""
    stage.account("Atelier Moreau")
    walk = await walking(browser, "oauth", stage.url, locale="fr-FR")
    page = walk.page
    await walk.enter(stage.link())
    async with acme(stage) as tokens:
        await page.goto(f"{stage.url}/add/export/{ACME}")
        async with walk.context.expect_page() as opened:
            await page.click("text=Continuer")
        window = await opened.value
        await window.wait_for_url("**/w/*")
        assert await window.evaluate("document.querySelector('.pair .logo img').naturalWidth") > 0
        await walk.seen("window", window)
        await window.click("form button")
        await window.click("a.button")
        await window.fill("[name=login]", "jane")
        await window.fill("[name=password]", "anything")
        await window.click("[type=submit]")
        await window.wait_for_selector("[name=prompt][value=consent]", state="attached")
        await window.click("[type=submit]")
        await page.wait_for_url("**/options", timeout=30_000)
        assert "jane@firm.example" in await page.inner_text(".title")
        await walk.saved()
    assert tokens
    assert "À jour" in await page.inner_text(".accounts")


TROUBLES = {
    "en-GB": ("Check what you entered", "Check the address"),
    "fr-FR": ("Vérifiez votre saisie", "adresse et le port"),
    "de-DE": ("Prüfen Sie Ihre Eingabe", "Prüfen Sie Adresse"),
}


async def test_a_wrong_password_and_a_dead_host_are_said_beside_their_fields_with_what_to_do(
    stage: Stage, browser: Browser
) -> None:
    """On a phone, in three languages at once."""
    await asyncio.gather(*(in_trouble(stage, browser, locale) for locale in TROUBLES))


async def in_trouble(stage: Stage, browser: Browser, locale: str) -> None:
    """Through a login that goes wrong twice. A name of its own for each: one may fail a few times only."""
    stage.account(f"Troubles {locale}")
    link = stage.link()
    walk = await walking(browser, f"troubles-{locale[:2]}", stage.url, locale=locale, size=PHONE)
    page = walk.page
    await walk.enter(link)
    await page.goto(f"{stage.url}/add/export/webdav")
    async with walk.context.expect_page() as opened:
        await page.click(".actions button")
    window = await opened.value
    await window.click("form button")
    troubles = ("password", "wrong"), ("url", "http://127.0.0.1:9/")
    for (field, value), words in zip(troubles, TROUBLES[locale], strict=True):
        typed = {**vars(stage.target), "username": locale, field: value}
        for name in ("url", "username", "password"):
            await window.fill(f"[name={name}]", str(typed[name]))
        await window.click("[value=answer]")
        await window.wait_for_selector(f"#field-{field}-error:has-text('{words}')", timeout=60_000)
        await page.wait_for_selector("#login .bad")
        await walk.seen(f"{field}-window", window)
        await walk.seen(field)
    assert walk.foreign == []


async def test_two_replicas_behind_one_address_are_one_console_and_a_killed_one_is_not_missed(
    stage: Stage, browser: Browser
) -> None:
    """French. Sessions, spent links, live pages are shared; pages of the dead one go on at the other."""
    stage.account(f"Replicas {browser.version}")
    connection = await asyncio.to_thread(stage.connect, "Deux onglets")
    async with stage.two_consoles() as (gate, (first, second)):
        walk = await walking(browser, "fr", stage.url, locale="fr-FR")
        link = stage.link()
        await walk.enter(link)
        await walk.page.wait_for_selector("text=À jour")
        gate.to = second.address
        signed_in = await walk.context.storage_state()
        elsewhere = await walking(browser, "fr-2", stage.url, locale="fr-FR", storage_state=signed_in)
        await elsewhere.page.goto(link)
        await elsewhere.page.click("form[action='/enter'] button")
        await elsewhere.page.wait_for_selector("h1:has-text('Ce lien')")
        await elsewhere.page.goto(f"{stage.url}/accounts/{connection}")
        await elsewhere.pressed("form[action$='/pause'] button")
        await walk.page.wait_for_selector(".chip:has-text('En pause')")
        await walk.seen("paused")
        gate.to = "127.0.0.254"  # nobody
        await asyncio.to_thread(first.kill, "console")
        await walk.page.wait_for_selector("#lost:not([hidden])")
        assert "Deux onglets" in await walk.page.inner_text(".account")
        stage.outsider.ask("ConnectionResumeRequested", connection_id=connection)
        await asyncio.to_thread(stage.outsider.wait, "ConnectionResumed", connection)
        gate.to = second.address
        await walk.page.wait_for_selector(".chip:has-text('À jour')", timeout=30_000)
        await walk.page.wait_for_selector("#lost", state="hidden")


async def test_without_javascript_the_reading_pages_are_whole(stage: Stage, browser: Browser) -> None:
    stage.account(f"Reading {browser.version}")
    connection = await asyncio.to_thread(stage.connect, "Plain")
    walk = await walking(browser, "nojs", stage.url, java_script_enabled=False)
    await walk.page.goto(stage.link("member"))
    await walk.page.click("form[action='/enter'] button")
    assert "Plain" in await walk.page.inner_text(".accounts")
    for tab in ("", "/documents", "/runs", "/history", "/settings"):
        answer = await walk.page.goto(f"{stage.url}/accounts/{connection}{tab}")
        assert answer is not None
        assert answer.status == 200
    await walk.page.goto(f"{stage.url}/add/export")
    await walk.page.fill("#query", "nextclod")
    await walk.page.click("form[role=search] button")
    assert "Nextcloud" in await walk.page.inner_text(".providers")
