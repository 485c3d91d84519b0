"""The login worker: it looks when rung, goes on after trouble, and lets what is under way end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from pymongo.errors import AutoReconnect

from connections.worker import AT_ONCE, Worker
from tests.unit.connections.builders import NOW

RUNG = 10.0
"""Seconds after which nobody can have been rung."""


class Waiting:
    """What is due, as a list."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.fails = 0

    async def claim(self, connection_id: str) -> int | None:
        return None

    async def due(self, at: datetime, most: int) -> list[str]:
        if self.fails:
            self.fails -= 1
            raise AutoReconnect("away")
        ids, self.ids = self.ids, []
        return ids

    async def unfinished_of(self, provider_id: str) -> list[str]:
        return []


class Looks:
    """Remembers what it looked at, and waits where told to."""

    def __init__(self) -> None:
        self.at: list[str] = []
        self.seen = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, connection_id: str) -> None:
        self.at.append(connection_id)
        self.seen.set()
        if connection_id == "broken":
            raise ValueError("a bug")
        await self.go.wait()
        self.at.append(f"{connection_id} done")


@asynccontextmanager
async def working(waiting: Waiting, looks: Looks, poll: float = 10 * RUNG) -> AsyncIterator[Worker]:
    worker = Worker(waiting, looks, lambda: NOW, poll)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    yield worker
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_looks_as_soon_as_it_is_rung() -> None:
    waiting, looks = Waiting(), Looks()
    async with working(waiting, looks) as worker:
        waiting.ids = ["one"]
        worker.ring()
        await asyncio.wait_for(looks.seen.wait(), RUNG)


async def test_what_it_is_rung_for_is_looked_at_though_the_store_tells_of_nothing() -> None:
    waiting, looks = Waiting(), Looks()
    async with working(waiting, looks) as worker:
        worker.ring("one")
        worker.ring("one")  # it is being looked at already
        await asyncio.wait_for(looks.seen.wait(), RUNG)
    assert looks.at == ["one", "one done"]


async def test_no_more_is_looked_at_at_once_than_may_be_and_the_rest_is_looked_for_then() -> None:
    waiting, looks = Waiting(), Looks()
    looks.go.clear()
    async with working(waiting, looks) as worker:
        for number in range(AT_ONCE + 1):
            worker.ring(f"{number}")
        await asyncio.wait_for(looks.seen.wait(), RUNG)
        await asyncio.sleep(0)
        assert len(looks.at) == AT_ONCE
        waiting.ids = ["last"]
        looks.go.set()
        async with asyncio.timeout(RUNG):
            while "last done" not in looks.at:  # noqa: ASYNC110 - the fake tells only of the first
                await asyncio.sleep(0.005)


async def test_a_store_that_is_away_is_waited_for() -> None:
    waiting, looks = Waiting(), Looks()
    waiting.ids, waiting.fails = ["one"], 2
    async with working(waiting, looks, poll=0.05) as worker:
        worker.ring()
        await asyncio.wait_for(looks.seen.wait(), RUNG)


async def test_one_login_that_breaks_does_not_keep_others_waiting() -> None:
    waiting, looks = Waiting(), Looks()
    waiting.ids = ["broken", "one"]
    async with working(waiting, looks):
        async with asyncio.timeout(RUNG):
            while len(looks.at) < 3:  # noqa: ASYNC110 - the fake tells only of the first
                await asyncio.sleep(0.005)
        assert looks.at == ["broken", "one", "one done"]


async def test_what_is_under_way_may_end_and_nothing_new_begins() -> None:
    waiting, looks = Waiting(), Looks()
    waiting.ids = ["one"]
    looks.go.clear()
    async with working(waiting, looks) as worker:
        await asyncio.wait_for(looks.seen.wait(), RUNG)
        draining = asyncio.create_task(worker.drain())
        await asyncio.sleep(0)
        waiting.ids = ["two"]
        worker.ring()
        worker.ring("three")
        looks.go.set()
        await asyncio.wait_for(draining, RUNG)
    assert looks.at == ["one", "one done"]
