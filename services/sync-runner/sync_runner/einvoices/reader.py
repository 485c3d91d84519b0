"""Asks the limited process what a file says of itself; ends it and starts another where it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.logs import logger

PATIENCE = 20.0
"""Seconds for one file."""
MOST_PDF = 48 * 1024 * 1024
MOST_XML = 24 * 1024 * 1024
"""Larger ones are taken in as they are, and not read."""
HEADER = struct.Struct(">I")
_PDF_SIGN = re.compile(rb"/(?:EmbeddedFile|ObjStm|Encrypt|AF)")
"""A PDF that has none of these holds no invoice and is not locked: it need not be read."""

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What a file says of itself. `locked`: it opens with a password only. `unread`: nobody could tell."""

    terms: Mapping[str, Any] = field(default_factory=dict, repr=False)
    locked: bool = False
    unread: bool = False


class Reader:
    """One limited process, started when first needed. Files are read one after another."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def pdf(self, data: bytes) -> Said:
        """What a PDF says."""
        if _PDF_SIGN.search(data) is None:
            return Said()
        return await self._read(b"p", data) if len(data) <= MOST_PDF else Said(unread=True)

    async def xml(self, data: bytes) -> Said:
        """What an XML file says."""
        return await self._read(b"x", data) if len(data) <= MOST_XML else Said(unread=True)

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _read(self, kind: bytes, data: bytes) -> Said:
        async with self._turn:
            try:
                async with asyncio.timeout(self._patience):
                    return _said(await self._asked(kind + data))
            except (TimeoutError, OSError, EOFError, ValueError) as error:
                log.warning("a file could not be read", why=type(error).__name__, size=len(data))
                await self.close()
                return Said(unread=True)
            except BaseException:
                await self.close()  # its answer would be taken for the next one's
                raise

    async def _asked(self, frame: bytes) -> dict[str, Any]:
        child = self._child
        if child is None or child.returncode is not None:
            child = self._child = await _started()
        if child.stdin is None or child.stdout is None:
            raise EOFError
        child.stdin.write(HEADER.pack(len(frame)))
        child.stdin.write(frame)
        await child.stdin.drain()
        size = HEADER.unpack(await child.stdout.readexactly(HEADER.size))[0]
        said: dict[str, Any] = json.loads(await child.stdout.readexactly(size))
        return said


async def _started() -> asyncio.subprocess.Process:
    """A process that inherits nothing but where Python finds its modules."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sync_runner.einvoices.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=kept,
    )


def _said(answer: Mapping[str, Any]) -> Said:
    return Said(answer.get("terms", {}), bool(answer.get("locked")), bool(answer.get("broken")))
