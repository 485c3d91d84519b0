"""What both embedded servers have in common: a locked folder, a port, a tied process, an ordered stop."""

import asyncio
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from paperbus.local.errors import DidNotStart, LocalServerError, NoSpace
from paperbus.local.folder import LOOPBACK, FolderLock, free_port, make_folder, require_port
from paperbus.local.process import Process


class EmbeddedServer(ABC):
    """A server on `data/<name>`, listening on one loopback address alone. Its data outlives it.

    `port=None` takes any free port. `start` and `stop` may run in different event loops. Every way of failing
    to start raises a LocalServerError and leaves nothing running and nothing half made.
    """

    name: str
    title: str
    setting: str  # what to set instead of embedding one
    option: str  # of `paperbus up`, that chooses its port
    space: int  # bytes that must be free to start
    patience = 60.0  # seconds from start to ready
    grace = 2.5  # seconds to stop by itself

    def __init__(self, data: Path, port: int | None, address: str = LOOPBACK) -> None:
        self.folder = data.absolute() / self.name
        self.address = address
        self.port = free_port(address) if port is None else port
        self.log = self.folder / f"{self.name}.log"
        self._lock: FolderLock | None = None
        self._process: Process | None = None

    @abstractmethod
    async def _launch(self, lock: int) -> Process:
        """Prepare the folder and start the process, handing it the lock's descriptor."""

    @abstractmethod
    async def _ready(self) -> bool:
        """Whether it serves now. May finish a first set-up."""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.ended is None

    @property
    def pid(self) -> int:
        assert self._process, "not started"  # noqa: S101  a mistake of the caller
        return self._process.pid

    async def start(self) -> None:
        make_folder(self.folder, self.space)
        self._lock = await FolderLock.take(self.folder)
        try:
            advice = f"choose another with {self.option}, or set {self.setting} to use what listens there"
            require_port(self.port, advice, self.address)
            self.log.unlink(missing_ok=True)
            self._process = await self._launch(self._lock.descriptor)
            await self._become_ready(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it in order; kill it if it takes longer than `grace` seconds. Twice is fine."""
        process, self._process = self._process, None
        lock, self._lock = self._lock, None
        try:
            if process:
                await process.stop(self.grace)
        finally:
            if lock:
                lock.release()

    def kill(self) -> None:
        """End it as a power cut would, keeping the folder's lock; `start_again` brings it back. For tests."""
        assert self._process, "not started"  # noqa: S101  a mistake of the caller
        self._process.kill()

    async def start_again(self) -> None:
        """Start on the same folder and port, in order or after `kill`."""
        await self.stop()
        await self.start()

    async def _become_ready(self, process: Process) -> None:
        deadline = time.monotonic() + self.patience
        while not await self._ready():
            if process.ended is not None:
                raise self._explain(f"it ended with code {process.ended}")
            if time.monotonic() > deadline:
                raise self._explain(f"not ready after {self.patience:.0f} s")
            await asyncio.sleep(0.05)

    def _explain(self, why: str) -> LocalServerError:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        if "No space left on device" in text:
            return NoSpace(self.folder, self.space)
        return DidNotStart(self.title, why, self.log)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
