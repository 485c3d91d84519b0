"""A target in memory that keeps the promises of `providers.drivers.Driver`, and takes troubles on order.

`tests/sync_runner/test_fakes.py` holds it to what the real drivers do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from providers.content import Body
from providers.drivers import Capabilities, Driver, Found, Receipt
from providers.errors import ProviderError, moved_on, taken
from schemas.fields import Choice
from schemas.reasons import Reason

Trouble = Callable[[str, str], ProviderError | None]
"""What goes wrong with (`put`, path); None: nothing."""


def calm(step: str, path: str) -> None:
    """Nothing goes wrong."""


@dataclass
class MemoryTarget:
    """Files and folders by path. `trouble` is asked before each step, `lost` after a put that then raises."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {"/"})
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(create_only=True, atomic_put=True, conditional_replace=True)
    )
    trouble: Trouble = calm
    lost: Trouble = calm
    puts: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    uploads: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @asynccontextmanager
    async def open(self, *_: object) -> AsyncIterator[Driver]:
        """As `open_driver`."""
        yield self

    async def check(self) -> None:
        self._met("check", "/")

    async def identity(self) -> str:
        return "jane@memory"

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        return []

    async def find(self, path: str) -> Found | None:
        self._met("find", path)
        there = self._at(path)
        return None if there is None else Found(len(self.files[there]), None, self._version(there))

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        self._met("same_bytes", path)
        there = self._at(path)
        return there is not None and hashlib.sha256(self.files[there]).hexdigest() == sha256

    async def folder_exists(self, path: str) -> bool:
        self._met("folder_exists", path)
        return path in self.folders

    async def make_folder(self, path: str) -> None:
        self._met("make_folder", path)
        self.made.append(path)
        parts = path.strip("/").split("/")
        self.folders |= {"/" + "/".join(parts[: n + 1]) for n in range(len(parts))}

    async def put(self, path: str, body: Body) -> Receipt:
        self._met("put", path)
        if (path.rpartition("/")[0] or "/") not in self.folders:
            raise ProviderError("config", Reason.DESTINATION_MISSING, "The folder is not there.")
        data = await self._read(body)
        if self._at(path) is not None:
            raise taken()
        return self._write(path, data)

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        self._met("replace", path)
        data = await self._read(body)
        there = self._at(path)
        if version is not None and (there is None or self._version(there) != version):
            raise moved_on()
        return self._write(there or path, data)

    def _write(self, path: str, data: bytes) -> Receipt:
        self.files[path] = data
        self.puts.append(path)
        if error := self.lost("put", path):
            raise error
        return Receipt(path, self._version(path))

    async def _read(self, body: Body) -> bytes:
        self.uploads += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return b"".join([chunk async for chunk in body.stream()])
        finally:
            self.at_once -= 1

    def _at(self, path: str) -> str | None:
        if self.capabilities.case_sensitive:
            return path if path in self.files else None
        return next((there for there in self.files if there.casefold() == path.casefold()), None)

    def _version(self, path: str) -> str:
        return hashlib.sha256(self.files[path]).hexdigest()[:12]

    def _met(self, step: str, path: str) -> None:
        if error := self.trouble(step, path):
            raise error


def insensitive(target: MemoryTarget) -> MemoryTarget:
    """The same, where `A` and `a` are one name."""
    target.capabilities = replace(target.capabilities, case_sensitive=False)
    return target


def listed(target: MemoryTarget) -> Mapping[str, Any]:
    """What is there."""
    return dict(sorted(target.files.items()))
