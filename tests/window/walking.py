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
from urllib.parse import parse_qs, urlsplit

import uvicorn

from connections import store
from connections.handlers.counting import Counting
from connections.handlers.leaving import Leaving, Left
from connections.handlers.onboarding import LoginHandlers
from connections.handlers.requests import Requests
from connections.handlers.tries import Tries, first_question
from connections.lifecycle.things import Connection
from connections.logos import Logo
from connections.vault import Vault
from connections.window.app import window_app
from connections.window.inner import Desk, WindowWanted
from connections.worker import Worker
from kit.memory import MemoryAggregates
from providers.egress import Guard
from providers.login import machine, outcomes
from providers.logos import monogram
from providers.manifests import load
from providers.reach import Reach
from schemas.envelope import Data
from schemas.manifest import Manifest
from schemas.reasons import Locale
from tests.oauth.walking import Operator
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
class Room:
    """The pages over the real handlers, and the platform that they lead back to."""

    desk: Desk
    back: str
    things: MemoryAggregates[Connection]
    requests: Requests

    async def address(self, locale: str = "en") -> str:
        wanted = WindowWanted(return_url=self.back, account_label="ACME GmbH", state="s", locale=locale)
        return (await self.desk.make(ID, ACCOUNT, wanted)).url

    async def ask(self, *data: Data) -> None:
        await self.requests.handle([heard(one) for one in data])

    async def complete(self, landed: str) -> None:
        """Hand in the proof of the address that a browser came back to."""
        await self.desk.complete(ID, ACCOUNT, "jane", parse_qs(urlsplit(landed).query)["proof"][0])

    async def it(self) -> Connection:
        return (await self.things.read((ID,)))[ID].thing


@dataclass
class Walk(Room):
    """A login at the portal."""

    portal: Portal
    url: str
    """Of the portal."""


class MemoryDepartures:
    """Who is at a provider's page, in memory."""

    def __init__(self) -> None:
        self._left: dict[str, Left] = {}

    async def add(self, left: Left) -> None:
        self._left[left.id] = left

    async def take(self, id_: str) -> Left | None:
        return self._left.pop(id_, None)


async def _all_read() -> bool:
    return True


async def _logo(provider_id: str) -> Logo | None:
    return Logo("image/svg+xml", monogram(provider_id).encode())


@contextlib.asynccontextmanager
async def room(manifest: Manifest, listener: socket.socket, clients: Operator) -> AsyncIterator[Room]:
    """The pages at `listener`, served; a connection to the provider is asked for."""
    things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, now)
    providers, trying = MemoryProviders(manifest), MemoryTrying(things, now)
    vault, windows = Vault([("test", bytes(32))]), MemoryWindows()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    back = url.replace("127.0.0.1", "localhost")

    async with Reach(Guard(["127.0.0.0/8"]), clients=clients) as reach:

        async def step(
            of: Manifest, state: outcomes.LoginState, answer: outcomes.Answer, locale: Locale
        ) -> outcomes.Outcome:
            return await machine.step(of, state, answer, reach, locale)

        tries = Tries(things, providers, trying, Counting(MemoryGate(now), vault, step), vault)
        worker = Worker(trying, tries.look, now)
        logins = LoginHandlers(things, providers, vault, worker.ring)
        requests = Requests(things, providers, _all_read, first_question)
        leaving = Leaving(things, providers, vault, reach, MemoryDepartures(), url, logins.answer)
        desk = Desk(logins, windows, now, url, [back], _all_read)
        made = Room(desk, f"{back}/health/live", things, requests)
        await made.ask(request(provider_id=manifest.id, answer_by="window"))
        app = window_app(logins, windows, now, url, leaving=leaving, logos=_logo)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        tasks = [asyncio.create_task(server.serve([listener])), asyncio.create_task(worker.run())]
        try:
            yield made
        finally:
            server.should_exit = True
            await tasks[0]
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def walk(**limits: Any) -> AsyncIterator[Walk]:
    """A window to the portal."""
    manifest = Manifest.model_validate({**load(FOLDER).wire(), "limits": {"logins": limits}})
    listener = socket.create_server(("127.0.0.1", 0))
    with served(portal := Portal()) as url:
        async with room(manifest, listener, Operator()) as made:
            yield Walk(made.desk, made.back, made.things, made.requests, portal, url)
