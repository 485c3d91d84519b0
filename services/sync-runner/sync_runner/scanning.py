"""Viruses: what comes in is shown to a clamd (its `INSTREAM`), before it is kept. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from providers.errors import ProviderError
from schemas.reasons import Reason
from sync_runner.opening.blobs import Blob, TooLarge

PATIENCE = 120.0
"""Seconds that it may be silent."""
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
            said = await asyncio.to_thread(self._asked, blob)
        except (OSError, EOFError):
            raise _unscanned("The virus scanner does not answer; documents wait until it does.") from None
        if said.endswith(" FOUND"):
            return said.removeprefix("stream: ").removesuffix(" FOUND")
        if said.startswith(LIMIT):
            raise TooLarge
        if said != "stream: OK":
            raise _unscanned("The virus scanner could not look at this document.")
        return None

    def _asked(self, blob: Blob) -> str:
        """In a thread: of asyncio's streams a failed write takes the answer away that came before it."""
        with self._connected() as line:
            with contextlib.suppress(ConnectionError):  # it answers and hangs up once it has had enough
                _send(line, blob)
            said = b""
            while not said.endswith(b"\0"):
                if not (more := line.recv(4096)):
                    raise EOFError
                said += more
        return said.rstrip(b"\0").decode("utf-8", "replace")

    def _connected(self) -> socket.socket:
        if self._address.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(self._patience)
            line.connect(self._address)
            return line
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._patience)


def _send(line: socket.socket, blob: Blob) -> None:
    line.sendall(b"zINSTREAM\0")
    for piece in blob.pieces():
        line.sendall(struct.pack(">I", len(piece)) + piece)
    line.sendall(struct.pack(">I", 0))


def _unscanned(message: str) -> ProviderError:
    return ProviderError("transient", Reason.INTERRUPTED, message)
