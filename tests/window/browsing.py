"""A real browser and a window to look at: Chromium, and the pages over a made-up login on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn
from playwright.async_api import Browser, async_playwright

from connections.window.app import window_app
from connections.window.inner import Desk, WindowWanted
from tests.unit.window.fakes import ACCOUNT, CONNECTION, MadeUpLogin, MemoryWindows

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "no Chromium here; install it (Debian: apt-get install chromium) and run `make test` again"
SHOTS = os.environ.get("PAPERBUS_SHOTS")
"""A folder for pictures of the pages, to be looked at; unset, none are taken."""


@dataclass
class Site:
    """The window's pages on a port of loopback, and a way back that answers."""

    login: MadeUpLogin
    desk: Desk
    url: str
    back: str
    """Where the platform would be: another origin."""

    async def address(self, locale: str = "en", label: str = "ACME GmbH") -> str:
        wanted = WindowWanted(return_url=self.back, account_label=label, state="s", locale=locale)
        return (await self.desk.make(CONNECTION, ACCOUNT, wanted)).url


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """The pages, served."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    login, windows = MadeUpLogin(_now), MemoryWindows()
    login.begin()

    async def all_read() -> bool:
        return True

    app = window_app(login, windows, _now, url)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    served = asyncio.create_task(server.serve([listener]))
    try:
        back = url.replace("127.0.0.1", "localhost")
        yield Site(login, Desk(login, windows, _now, url, [back], all_read), url, f"{back}/health/live")
    finally:
        server.should_exit = True
        await served


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()
