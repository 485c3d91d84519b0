"""Keeps one service running: starts it, waits until it is ready, starts it again when it dies."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from paperbus.errors import Stopped
from paperbus.local.process import Process, last_line
from paperbus.services import Service

PATIENCE = 180.0
"""Seconds until ready; a first load of 50,000 manifests takes half of it."""
GRACE = 7.0
"""Seconds that a service gets to end by itself."""
SETTLED = 60.0
"""Seconds after which a service that dies again is not seen as failing over and over."""


def pauses() -> Iterator[float]:
    """Seconds to wait before each start of a service that keeps dying."""
    pause = 1.0
    while True:
        yield pause
        pause = min(pause * 2, 30.0)


class Kept:
    """A service's process. Without a log it speaks where we speak. `say` hears of each new start.

    `held` are open files that it holds as long as it lives, such as the lock of the data folder.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what it is, what it gets, what it tells
        self,
        service: Service,
        environment: Mapping[str, str],
        address: str,
        log: Path | None,
        say: Callable[[str], None],
        held: Sequence[int],
    ) -> None:
        self.service = service
        self.log = log
        self._environment = environment
        self._url = f"http://{address}:{service.ports[0]}/health/ready"
        self._say = say
        self._held = held
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._process = Process(
            self.service.command, log=self.log, environment=self._environment, keep_open=self._held
        )

    async def ready(self) -> None:
        """Raises Stopped when it ends first, with its last words, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while not await self._is_ready(client):
                if self._ended is not None:
                    raise Stopped(f"{self.service.name} did not start: {self._last_words()}")
                if time.monotonic() > deadline:
                    raise Stopped(f"{self.service.name} is not ready after {PATIENCE:.0f} s.")
                await asyncio.sleep(0.1)

    async def keep(self) -> None:
        """Start it again whenever it ends, without an end."""
        waits, started = pauses(), time.monotonic()
        while True:
            while self._ended is None:  # noqa: ASYNC110  a process sets no event
                await asyncio.sleep(0.2)
            if time.monotonic() - started > SETTLED:
                waits = pauses()
            pause = next(waits)
            self._say(f"{ending(self.service.name, self._ended, self._last_words())} Again in {pause:.0f} s.")
            await asyncio.sleep(pause)
            self.start()
            started = time.monotonic()

    async def stop(self) -> None:
        if self._process:
            await self._process.stop(GRACE)

    @property
    def _ended(self) -> int | None:
        return self._process.ended if self._process else 0

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(self._url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _last_words(self) -> str:
        if self.log is None:
            return "it said why."
        return f"{last_line(self.log)} (its log is {self.log})."


def ending(name: str, code: int, last_words: str) -> str:
    """How a process ended. Who is killed says nothing about it: its log's last line is about other things."""
    if code < 0:
        return f"{name} was killed ({signal.Signals(-code).name})."
    return f"{name} ended ({code}): {last_words}"
