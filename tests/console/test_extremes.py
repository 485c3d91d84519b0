"""What is large, broken or late, in a real browser with made-up services around the console."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from console import account
from tests.console.test_every_page import served
from tests.console.walking import PHONE, Walk, walking
from tests.unit.console.room import ID, connection, saved
from tests.unit.console.test_large_ledgers import Ledger
from tests.window.browsing import CHROMIUM, MISSING

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.filterwarnings("default"),  # the browser's driver and the server warn on their own account
]
ONE = f"/v1/connections/{ID}"
TYPES = ("text", "integer", "date", "boolean", "folder", "pattern")
MANY = [{"value": f"v{n}", "label": f"Cost centre {n:05}"} for n in range(10_000)]
SHIFTED = """() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((one) => { sum += one.value; });
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


def sixty() -> list[dict[str, Any]]:
    """Options of every kind, some of which go with another's value, one with 10,000 live choices."""
    fields: list[dict[str, Any]] = [
        {"name": f"o{n}", "label": f"Option {n}", "type": TYPES[n % 6], "help": "What it does."}
        for n in range(57)
    ]
    fields[7] |= {"depends_on": ["o3"]}
    fields[8] |= {"choices_live": True}
    return [
        *fields,
        {"name": "plain", "label": "Plain", "type": "choice", "choices": MANY[:50]},
        {"name": "live", "label": "Cost centre", "type": "choice", "choices_live": True},
        {"name": "last", "label": "Last", "type": "text", "pattern": "[a-z]+", "pattern_message": "Letters."},
    ]


async def test_sixty_options_and_ten_thousand_choices_fit_on_a_phone_and_move_nothing(
    browser: Browser,
) -> None:
    async with served() as (made, url):
        made.says |= {
            ONE: connection("configuring", direction="import"),
            f"{ONE}/options": {"items": sixty()},
        }
        made.says[f"{ONE}/options/live/choices"] = {"items": MANY}
        made.says[f"{ONE}/options/o8/choices"] = {"items": MANY[:4]}
        walk = await walking(browser, "sixty", url, locale="en-GB", size=PHONE)
        page = walk.page
        await walk.enter(f"{url}/enter?token={made.token()}")
        await page.goto(f"{url}/accounts/{ID}/options")
        await page.wait_for_selector(".dated button")
        shifted = await page.evaluate(SHIFTED)
        await page.click(":has(> [name=live]) > button")
        await page.wait_for_selector("text=There are more: type the beginning")
        shown = await page.locator(".picker li").count()
        await page.fill("[name=last]", "123")
        await page.focus("[name=name]")
        await page.wait_for_selector("#field-last-error:has-text('Letters.')")
        await walk.seen("options")

        assert shown == 200 + 4
        assert shifted == 0


async def test_pages_of_a_million_rows_are_turned_and_searched_to_the_end(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer looks through 5,000 rows: what stands further back is found without another click."""
    monkeypatch.setattr(account, "SEARCHES", 0.0)
    async with served() as (made, url):
        made.says[f"{ONE}/documents"] = Ledger()
        walk = await walking(browser, "million", url, locale="de-DE")
        page = walk.page
        await walk.enter(f"{url}/enter?token={made.token()}")
        await page.goto(f"{url}/accounts/{ID}/documents")
        await walk.seen("documents")
        await page.click(".more a")
        await page.wait_for_selector("tbody :text('R-50.pdf')")
        await page.fill("#query", "R-27777")
        await page.wait_for_selector("tbody :text('R-27777.pdf')")

        assert "query=R-27777" in str(await page.get_attribute("[data-csv]", "href"))


async def filled_in(walk: Walk, url: str, token: str) -> None:
    await walk.enter(f"{url}/enter?token={token}")
    await walk.page.goto(f"{url}/accounts/{ID}/options")
    await walk.page.fill("[name=folder]", "/Typed")


async def test_without_a_network_nothing_that_was_filled_in_is_lost_and_it_goes_on_by_itself(
    browser: Browser,
) -> None:
    async with served() as (made, url):
        made.says[ONE] = connection("configuring")
        made.answer = saved
        walk = await walking(browser, "offline", url, locale="fr-FR", scheme="dark")
        page = walk.page
        await filled_in(walk, url, made.token())
        await walk.context.set_offline(True)
        await page.fill("[name=filename]", "{number}{ext}")
        await page.wait_for_selector("#lost:not([hidden])")
        await page.click("form[data-check] .actions button")
        await page.wait_for_selector("#unsent:not([hidden])")
        await walk.seen("unsent")
        sent_meanwhile = list(made.published)
        await walk.context.set_offline(False)
        await page.wait_for_selector("#unsent", state="hidden")
        await page.wait_for_selector("#lost", state="hidden")
        await page.click("form[data-check] .actions button")
        await page.wait_for_url("**/?said=saved")

        assert sent_meanwhile == []
        assert made.published[0]["data"]["options"] == {"folder": "/Typed", "filename": "{number}{ext}"}


async def test_a_machine_without_a_network_still_reaches_a_console_of_its_own(browser: Browser) -> None:
    async with served() as (made, url):
        made.says[ONE] = connection("configuring")
        made.answer = saved
        walk = await walking(browser, "alone", url, locale="en-GB")
        offline = "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })"
        await walk.context.add_init_script(offline)
        await filled_in(walk, url, made.token())
        await walk.page.click("form[data-check] .actions button")
        await walk.page.wait_for_url("**/?said=saved")

        assert len(made.published) == 1


async def test_an_answer_that_never_comes_is_said_with_what_to_do_and_the_window_does_not_wait_for_ever(
    browser: Browser,
) -> None:
    async with served() as (made, url):
        walk = await walking(browser, "silence", url, locale="en-GB")
        page = walk.page
        await walk.enter(f"{url}/enter?token={made.token()}")
        await page.goto(f"{url}/add/export/webdav")
        async with walk.context.expect_page() as opened:
            await page.click(".actions button")
        await page.wait_for_selector("text=send it once more")
        await walk.seen("later")
        window = await opened.value
        await window.goto(f"{url}/opening?late=1")
        await walk.seen("late", window)

        assert "Close this window" in await window.inner_text("main")
        assert len(made.published) == 1
