"""A window to visit: the real pages and paths over a made-up login, and browsers that are httpx clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
import pytest

from connections.logos import Logo
from connections.window.app import window_app
from connections.window.inner import Desk, WindowMade, WindowWanted
from providers.logos import monogram
from tests.unit.window.fakes import ACCOUNT, CONNECTION, Clock, MadeUpLogin, MemoryWindows

PUBLIC = "https://login.paperbus.example"
PLATFORM = "https://app.platform.example"
LOGO = Logo("image/svg+xml", monogram("Nextcloud").encode())


@dataclass
class Browser:
    """A browser without JavaScript: keeps cookies, follows nothing by itself, fills in forms."""

    http: httpx.AsyncClient
    page: httpx.Response | None = field(default=None)

    async def go(self, url: str) -> httpx.Response:
        """Open an address and follow our own redirects, as far as they stay here."""
        self.page = await self.http.get(url)
        return await self._follow()

    async def send(self, **values: Any) -> httpx.Response:
        """Fill in the form on the page and send it; `_button="cancel"` presses that button."""
        assert self.page is not None
        form = re.search(r"<form method=\"post\"( action=\"([^\"]*)\")?", self.page.text)
        assert form, self.page.text
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.page.text))
        button = {"_action": values.pop("_button")} if "_button" in values else {}
        data = {name: unescape(value) for name, value in hidden.items()} | button | values
        self.page = await self.http.post(form.group(2) or str(self.page.url), data=data)
        return await self._follow()

    async def _follow(self) -> httpx.Response:
        assert self.page is not None
        while self.page.is_redirect and self.page.headers["location"].startswith("/"):
            self.page = await self.http.get(self.page.headers["location"])
        return self.page

    @property
    def sent_to(self) -> httpx.URL | None:
        """Where else the browser was sent."""
        assert self.page is not None
        return httpx.URL(self.page.headers["location"]) if self.page.is_redirect else None


@dataclass
class Stage:
    """Everything that a test of the window plays with."""

    clock: Clock
    login: MadeUpLogin
    windows: MemoryWindows
    desk: Desk
    browser: Callable[[], Browser]
    read: bool = True

    async def address(self, **wanted: Any) -> str:
        return (await self.made(**wanted)).url

    async def made(self, **wanted: Any) -> WindowMade:
        asked = {"return_url": f"{PLATFORM}/back?tab=2", "account_label": "ACME GmbH", "state": "s-1"}
        return await self.desk.make(CONNECTION, ACCOUNT, WindowWanted.model_validate(asked | wanted))

    async def opened(self, **wanted: Any) -> Browser:
        """A browser that pressed the button of a fresh address."""
        browser = self.browser()
        await browser.go(await self.address(**wanted))
        await browser.send()
        return browser


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = Clock()
    login, windows = MadeUpLogin(clock), MemoryWindows()
    login.begin()

    async def logo(provider_id: str) -> Logo | None:
        return LOGO if provider_id == "nextcloud" and login.has_logo else None

    app = window_app(login, windows, clock, PUBLIC, logos=logo)
    clients: list[httpx.AsyncClient] = []

    def browser() -> Browser:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        clients.append(httpx.AsyncClient(transport=transport, base_url=PUBLIC))
        return Browser(clients[-1])

    async def all_read() -> bool:
        return stage_.read

    desk = Desk(login, windows, clock, PUBLIC, [PLATFORM, "http://127.0.0.1:8100"], all_read, 0.01)
    stage_ = Stage(clock, login, windows, desk, browser)
    yield stage_
    for client in clients:
        await client.aclose()
