"""The window over the real handlers, worker and machine, stores in memory: a login at a portal to look at."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from connections import store
from connections.handlers.counting import Counting
from connections.handlers.onboarding import LoginHandlers
from connections.handlers.requests import Requests
from connections.handlers.tries import Tries, first_question
from connections.lifecycle.things import Connection
from connections.vault import Vault
from connections.window.app import window_app
from connections.window.inner import Desk, WindowWanted
from connections.worker import Worker
from kit.memory import MemoryAggregates
from providers.egress import Guard
from providers.login import machine, outcomes
from providers.manifests import load
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Locale
from tests.peers.portal.app import Portal
from tests.peers.portal.serving import served
from tests.unit.connections.builders import ACCOUNT, ID, request
from tests.unit.connections.fakes import MemoryGate, MemoryProviders, MemoryTrying
from tests.unit.connections.room import heard
from tests.unit.window.fakes import MemoryWindows

FOLDER = Path(__file__).parents[1] / "peers" / "portal" / "billing-portal"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Walk:
    """The pages, the portal behind them, and the platform that they lead back to."""

    portal: Portal
    url: str
    """Of the portal."""
    desk: Desk
    back: str
    logins: LoginHandlers
    things: MemoryAggregates[Connection]

    async def address(self, locale: str = "en") -> str:
        wanted = WindowWanted(return_url=self.back, account_label="ACME GmbH", state="s", locale=locale)
        return (await self.desk.make(ID, ACCOUNT, wanted)).url

    async def it(self) -> Connection:
        return (await self.things.read((ID,)))[ID].thing


@contextlib.asynccontextmanager
async def walk(**limits: Any) -> AsyncIterator[Walk]:
    """Everything, served; a connection to the portal is asked for."""
    manifest = Manifest.model_validate({**load(FOLDER).wire(), "limits": {"logins": limits}})
    things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, now)
    providers, trying = MemoryProviders(manifest), MemoryTrying(things, now)
    vault, windows, portal = Vault([("test", bytes(32))]), MemoryWindows(), Portal()
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    back = url.replace("127.0.0.1", "localhost")

    async def all_read() -> bool:
        return True

    async with Reach(Guard(["127.0.0.0/8"])) as reach:

        async def step(
            of: Manifest, state: outcomes.LoginState, answer: outcomes.Answer, locale: Locale
        ) -> outcomes.Outcome:
            return await machine.step(of, state, answer, reach, locale)

        tries = Tries(things, providers, trying, Counting(MemoryGate(now), vault, step), vault)
        worker = Worker(trying, tries.look, now)
        logins = LoginHandlers(things, providers, vault, worker.ring)
        asked = request(provider_id=manifest.id, answer_by="window")
        await Requests(things, providers, all_read, first_question).handle([heard(asked)])
        app = window_app(logins, windows, now, url)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        tasks = [asyncio.create_task(server.serve([listener])), asyncio.create_task(worker.run())]
        desk = Desk(logins, windows, now, url, [back], all_read)
        try:
            with served(portal) as where:
                yield Walk(portal, where, desk, f"{back}/health/live", logins, things)
        finally:
            server.should_exit = True
            await tasks[0]
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
