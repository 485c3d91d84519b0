"""Viruses: what comes in is shown to a clamd (its `INSTREAM`), before it is kept. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import struct

from providers.errors import ProviderError
from schemas.reasons import Reason
from sync_runner.opening.blobs import Blob, TooLarge

PATIENCE = 120.0
"""Seconds for one file."""
LIMIT = "INSTREAM size limit exceeded"
"""What clamd says to more than its `StreamMaxLength`."""


class Clamd:
    """A clamd at `host:port`, or at the path of its socket."""

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        self._address = address
        self._patience = patience

    async def scan(self, blob: Blob) -> str | None:
        """The name of what was found, or None.

        Raises:
            TooLarge: the scanner looks at none so large, however often it is asked.
            ProviderError: transient: it does not answer, or could not scan. Nothing comes in unscanned.
        """
        try:
            async with asyncio.timeout(self._patience):
                said = await self._asked(blob)
        except (OSError, TimeoutError, EOFError):
            raise _unscanned("The virus scanner does not answer; documents wait until it does.") from None
        if said.endswith(" FOUND"):
            return said.removeprefix("stream: ").removesuffix(" FOUND")
        if said.startswith(LIMIT):
            raise TooLarge
        if said != "stream: OK":
            raise _unscanned("The virus scanner could not look at this document.")
        return None

    async def _asked(self, blob: Blob) -> str:
        reader, writer = await self._connected()
        answer = asyncio.ensure_future(reader.readuntil(b"\0"))  # it may come before all is sent
        try:
            with contextlib.suppress(ConnectionError):  # it answers and hangs up once it has had enough
                await _sent(writer, blob)
            return (await answer).rstrip(b"\0").decode("utf-8", "replace")
        finally:
            answer.cancel()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("/"):
            return await asyncio.open_unix_connection(self._address)
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))


async def _sent(writer: asyncio.StreamWriter, blob: Blob) -> None:
    writer.write(b"zINSTREAM\0")
    for piece in blob.pieces():
        writer.write(struct.pack(">I", len(piece)) + piece)
        await writer.drain()
    writer.write(struct.pack(">I", 0))
    await writer.drain()


def _unscanned(message: str) -> ProviderError:
    return ProviderError("transient", Reason.INTERRUPTED, message)
