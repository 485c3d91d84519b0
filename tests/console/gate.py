"""One address in front of several consoles, as a proxy gives it. It knows no HTTP: connections stay put."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

PIECE = 64 * 1024


@dataclass
class Gate:
    """`to` is where new connections go."""

    port: int
    to: str

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(self.to, self.port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass(reader, back), _pass(there, writer))


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(PIECE):
            sink.write(data)
            await sink.drain()
    sink.close()


@contextlib.asynccontextmanager
async def a_gate(address: str, port: int, to: str) -> AsyncIterator[Gate]:
    """One that listens at `address`."""
    gate = Gate(port, to)
    server = await asyncio.start_server(gate, address, port)
    try:
        yield gate
    finally:
        server.close()
