"""Every page in a real browser, with made-up services: three languages, a phone, light and dark, by axe."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.console.walking import walking
from tests.unit.console.room import ID, NASTY, Room, connection, provider, room, row, standing
from tests.unit.console.test_pages import READING
from tests.window.browsing import CHROMIUM, MISSING

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.filterwarnings("default"),  # the browser's driver and the server warn on their own account
]
LONG = "Müller & Söhne Vermögensverwaltungsgesellschaft mbH"
ONE = f"/v1/connections/{ID}"
CHALLENGE: dict[str, Any] = {
    "kind": "credentials",
    "title": "Log in to WebDAV",
    "error": {"reason": "credentials_wrong", "message": "The password is wrong."},
}
RUN = {"id": "r", "due_at": "2026-11-22T15:00:00Z", "started_at": "2026-11-22T15:00:00Z", "reason": "manual"}


def full() -> dict[str, Any]:
    """Services that have something of everything to say."""
    troubled = connection(
        "attention", name=LONG, title="The folder is gone", message=NASTY, action="change_options"
    )
    others = [
        connection(id=ID.replace("7", "8"), name="Plain"),
        connection("connecting", id=ID.replace("7", "9"), name=NASTY),
        connection("removed", id=ID.replace("7", "a"), name="Old"),
    ]
    told = standing(done=1234, pending=5, rejected=2)
    told["run"] = {"id": "r", "status": "running", "started_at": None, "counts": {"done": 3}}
    counts = {"done": 3, "rejected": 2, "failed": 1, "unknown": 0, "skipped": 0}
    rows = [row(1), row(2, "rejected", message="Too large for the target."), row(3, "pending", target=None)]
    said = {"at": "2026-11-22T15:00:00Z", "actor": "jane@martin.example"}
    return {
        "/v1/connections": {"items": [troubled, *others], "next": None},
        ONE: troubled,
        f"runner {ONE}": told,
        "runner /v1/connections": {"items": [told], "next": None},
        f"{ONE}/runs": {"items": [{**RUN, "status": "running", "counts": counts, "message": None}]},
        f"{ONE}/documents": {"items": rows, "next": "more"},
        f"{ONE}/timeline": {
            "items": [
                {**said, "what": "ConnectionNeedsAttention", "data": {"title": "The folder is gone"}},
                {**said, "what": "ConnectionSaved", "data": {"name": LONG}},
            ],
            "next": None,
        },
    }


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[Room, str]]:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with room(url) as made:
        config = uvicorn.Config(made.app, log_level="warning", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield made, url
        finally:
            await made.hub.close()
            server.should_exit = True
            await serving


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR", "de-DE"])
async def test_every_page_fits_and_stands_in_nobodys_way(browser: Browser, locale: str) -> None:
    async with served() as (made, url):
        walk = await walking(browser, f"page-{locale[:2]}", url, locale=locale)
        await walk.enter(f"{url}/enter?token={made.token(account=LONG)}")
        await walk.context.clear_cookies()
        await walk.enter(f"{url}/enter?token={made.token()}")
        await walk.seen("quiet")
        made.says |= full()
        for n, path in enumerate(READING):
            await walk.page.goto(url + path)
            await walk.seen(f"{n:02}")
        for status, end in (("connecting", "login"), ("configuring", "options")):
            made.says[ONE] = connection(status, challenge=CHALLENGE, login="open")
            await walk.page.goto(f"{url}/accounts/{ID}/{end}")
            await walk.seen(end)

        assert walk.foreign == []


async def test_the_menu_the_picker_and_the_preview_work_by_keyboard(browser: Browser) -> None:
    async with served() as (made, url):
        made.says[ONE] = connection("configuring")
        made.says[f"{ONE}/options/folder/choices"] = {"items": [{"value": "/In/2026", "label": "2026"}]}
        walk = await walking(browser, "keys", url, locale="en-GB")
        page = walk.page
        await walk.enter(f"{url}/enter?token={made.token()}")
        await page.focus(".menu summary")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".menu[open]")
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".menu:not([open])")
        await page.goto(f"{url}/accounts/{ID}/options")
        await page.focus(".combo button")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".picker li button")
        await walk.seen("picker")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_function("() => document.querySelector('[name=folder]').value === '/In/2026'")
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".picker", state="hidden")
        await page.wait_for_timeout(400)

        assert ("/v1/preview", "/In/2026") in [(path, asked.get("folder")) for path, asked in made.asked]


async def test_a_list_can_be_read_while_a_search_is_under_way(browser: Browser) -> None:
    over = asyncio.Event()

    async def late(_: Request) -> Response:
        await over.wait()
        return JSONResponse({"items": [provider(name="Found")], "next": None})

    async with served() as (made, url):
        walk = await walking(browser, "waits", url, locale="en-GB")
        await walk.enter(f"{url}/enter?token={made.token()}")
        await walk.page.goto(f"{url}/add/export")
        made.says["/v1/providers"] = late
        await walk.page.fill("#query", "dav")
        try:
            await walk.page.wait_for_selector("#results.waits :text('WebDAV')")
            await walk.seen("waits")
        finally:
            over.set()
        await walk.page.wait_for_selector("#results:not(.waits) :text('Found')")


async def test_times_are_in_the_browsers_zone_and_in_the_new_one_where_it_moved(browser: Browser) -> None:
    async with served() as (made, url):
        walk = await walking(browser, "zone", url, locale="en-GB")
        await walk.enter(f"{url}/enter?token={made.token()}")
        await walk.page.wait_for_function("() => document.cookie.includes('paperbus-zone=Europe/Paris')")
        await walk.page.reload()
        assert "02:30" in await walk.page.inner_text(".account"), "the next run, 01:30 UTC, as Paris says it"
        kept = await walk.context.storage_state()
        moved = await browser.new_context(timezone_id="America/New_York", storage_state=kept)
        page = await moved.new_page()
        await page.goto(url)
        await page.wait_for_function("() => document.cookie.includes('paperbus-zone=America/New_York')")
        await page.reload()

        assert "20:30" in await page.inner_text(".account")


async def test_days_say_how_many_come_and_an_option_shows_beside_its_value_alone(browser: Browser) -> None:
    moves = {"depends_on": ["after"], "shown_when": {"after": ["move"]}}
    choices = [{"value": value, "label": value} for value in ("nothing", "move")]
    async with served() as (made, url):
        made.says[ONE] = connection("configuring", direction="import")
        made.says[f"{ONE}/options"] = {
            "items": [
                {"name": "since", "label": "Not older than", "type": "date", "choices_live": True},
                {"name": "after", "label": "After", "type": "choice", "choices": choices},
                {"name": "to", "label": "Move to", "choices_live": True, **moves},
            ]
        }
        made.says[f"{ONE}/options/since/choices"] = {
            "items": [{"value": "2026-01-01", "label": "2026-01-01 (12)"}]
        }
        walk = await walking(browser, "days", url, locale="en-GB")
        page = walk.page
        await walk.enter(f"{url}/enter?token={made.token()}")
        await page.goto(f"{url}/accounts/{ID}/options")
        await page.wait_for_selector("[name=to]", state="hidden")
        await page.check("[name=after][value=move]")
        await page.wait_for_selector("[name=to]", state="visible")
        await page.click(".picker button:has-text('1 Jan 2026 (12)')")
        await walk.seen("days")

        assert await page.input_value("[name=since]") == "2026-01-01"


async def test_a_broken_logo_leaves_its_tile_and_a_double_click_saves_once(browser: Browser) -> None:
    async with served() as (made, url):
        made.says[ONE] = connection("configuring")
        walk = await walking(browser, "broken", url, locale="en-GB")
        await walk.enter(f"{url}/enter?token={made.token()}")
        await walk.page.wait_for_function("() => !document.querySelector('.logo img')")
        await walk.page.goto(f"{url}/accounts/{ID}/options")
        await walk.page.dblclick("form[data-check] .actions button")
        await walk.page.wait_for_url("**/?said=*")

        assert len(made.published) == 1
