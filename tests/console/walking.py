"""Walking through the console as a customer does, and looking at each page on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize
from targets import Target

from tests.window.browsing import SHOTS

Scheme = Literal["light", "dark"]
DESKTOP: ViewportSize = {"width": 1180, "height": 860}
PHONE: ViewportSize = {"width": 320, "height": 680}
SAVE = "form[data-check] .actions button"
CONTRAST = {"runOnly": ["color-contrast"]}
"""What another colour scheme can change."""
FOCUS_SHOWS = """() => {
  const one = document.activeElement, seen = one.closest(".account") ?? one;
  return one.matches(":focus-visible") && getComputedStyle(seen).outlineStyle !== "none";
}"""


@dataclass
class Walk:
    """One browser of one customer. Each page it looks at is held to what all pages owe."""

    context: BrowserContext
    page: Page
    name: str
    size: ViewportSize
    scheme: Scheme
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def seen(self, name: str, page: Page | None = None) -> None:
        """At a desk and on a phone, light and dark; then as it was.

        Nothing is wider than the page, nothing stands in anybody's way (axe: WCAG 2.2 AA).
        """
        at = page or self.page
        await at.evaluate("document.fonts.ready")
        for size in (DESKTOP, PHONE):
            await at.set_viewport_size(size)
            for scheme, rules in (("light", {}), ("dark", CONTRAST)):
                await at.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                await self._looked_at(at, f"{name}-{size['width']}-{scheme}", rules)
        await at.emulate_media(color_scheme=self.scheme, reduced_motion="no-preference")
        await at.set_viewport_size(self.size)

    async def _looked_at(self, at: Page, name: str, rules: dict[str, Any]) -> None:
        if SHOTS:
            await at.screenshot(path=Path(SHOTS) / f"{self.name}-{name}.png", full_page=True)
        assert await at.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        found = await Axe().run(at, options={"resultTypes": ["violations"], **rules})
        told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]

        assert not told, (name, told)

    async def enter(self, link: str) -> None:
        await self.page.goto(link)
        await self.page.click("form[action='/enter'] button")
        await self.page.wait_for_url("**/")

    async def reached(self, selector: str, page: Page | None = None) -> None:
        """Go to it with Tab alone, from where one is; the focus must show (WCAG 2.1.1, 2.4.7)."""
        at = page or self.page
        await at.wait_for_selector(selector)
        for _ in range(120):
            if await at.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                assert await at.evaluate(FOCUS_SHOWS), f"nobody sees that the focus is on {selector}"
                return
            await at.keyboard.press("Tab")
        raise AssertionError(f"no way to {selector} by keyboard")

    async def pressed(self, selector: str, key: str = "Enter", page: Page | None = None) -> None:
        """Go to it with Tab, and press a key there."""
        await self.reached(selector, page)
        await (page or self.page).keyboard.press(key)

    async def typed(self, name: str, text: str, page: Page | None = None) -> None:
        """Go to the field of that name with Tab, and put `text` in the place of what it says."""
        await self.pressed(f"[name={name}]", "Control+a", page)
        await (page or self.page).keyboard.type(text)

    async def to_interval(self, direction: str, provider: str, words: str) -> None:
        """From the list to the interval; `test_every_page` looks at what is on the way."""
        await self.page.click(".head a.button")
        await self.page.click(f"a[href='/add/{direction}']")
        await self.page.fill("#query", words)
        await self.page.wait_for_selector(".providers li:first-child a[href$='" + provider + "']")
        await self.page.click(f".providers a[href='/add/{direction}/{provider}']")
        await self.page.wait_for_selector("#coming strong")

    async def log_in(self, window: Page, target: Target) -> None:
        """Through the login window; the page behind goes on by itself."""
        await window.click("form button")
        await window.wait_for_selector("[name=url]")
        for name in ("url", "username", "password"):
            await window.fill(f"[name={name}]", getattr(target, name))
        await window.click("[value=answer]")
        await self.page.wait_for_url("**/options", timeout=30_000)

    async def saved(self) -> str:
        """Save, and return the connection's id."""
        await self.page.click(SAVE)
        return await self.listed()

    async def listed(self) -> str:
        """Back at the list after the save: the connection's id."""
        await self.page.wait_for_url("**/?said=*", timeout=30_000)
        path = await self.page.locator(".account h2 a").first.get_attribute("href")
        found = re.search(r"/accounts/(.+)", path or "")
        assert found is not None
        return found[1]


async def walking(
    browser: Browser,
    name: str,
    url: str,
    *,
    size: ViewportSize = DESKTOP,
    scheme: Scheme = "light",
    **options: Any,
) -> Walk:
    """A browser that never was here, watched for requests to strangers and for complaints."""
    looks: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "timezone_id": "Europe/Paris"}
    context = await browser.new_context(**looks, **options)
    walk = Walk(context, await context.new_page(), name, size, scheme)
    own = (url, url.replace(":8100", ":8112"), "about:", "data:")
    context.on("request", lambda sent: None if sent.url.startswith(own) else walk.foreign.append(sent.url))
    context.on("console", lambda said: walk.complaints.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda error: walk.complaints.append(str(error.error)))
    return walk
