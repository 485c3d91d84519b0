"""A line to a server that breaks as it is told to. It knows no protocol; its port stays the same."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

FAULTS = ("refused", "reset up", "reset down", "stalled", "reply lost", "slow drip")
"""What may happen to a connection:

* refused     reset as soon as it is made
* reset up    reset after so many bytes to the server, the server gets just these
* reset down  reset after so many bytes from the server
* stalled     after so many bytes to the server nothing passes any more, until the client gives up
* reply lost  all passes to the server; once `after` bytes did, the next word of the server is never passed on
* slow drip   after so many bytes to the server the rest goes in tiny pieces, with pauses
"""
PIECE = 16 * 1024
DRIP = 512
PAUSE = 0.004


@dataclass
class Line:
    """Passes everything on, but for the next `left` connections, which meet with `fault`."""

    to: int
    port: int = 0
    fault: str = ""
    after: int = 0
    left: int = 0
    fired: int = 0
    """How many connections met with it, in all."""
    open: set[asyncio.Task[None]] = field(default_factory=set)

    def breaks(self, fault: str, after: int, connections: int) -> None:
        self.fault, self.after, self.left = fault, after, connections

    def holds(self) -> None:
        """Nothing goes wrong from now on; what is stalled stays so."""
        self.left = 0

    async def is_quiet(self) -> None:
        """Returns once all that was sent over it is there, or never will be, when the client has hung up."""
        if self.open:
            await asyncio.wait(self.open, timeout=30)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = ""
        if self.left:
            self.left -= 1
            fault = self.fault
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # it ends with its line
                await self._connected(reader, writer, fault)
        finally:
            self.open.discard(task)
            writer.transport.abort()

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str
    ) -> None:
        if fault == "refused":
            self.fired += 1
            _reset(writer)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        passing = _Passing(self, fault, reader, writer, there, back)
        both = [asyncio.create_task(passing.up()), asyncio.create_task(passing.down())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            back.transport.abort()


@dataclass
class _Passing:
    """One connection."""

    line: Line
    fault: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    there: asyncio.StreamReader
    back: asyncio.StreamWriter
    seen: int = 0
    dripping: bool = False

    async def up(self) -> None:
        while data := await self.reader.read(PIECE):
            left = self.line.after - self.seen
            self.seen += len(data)
            if self.seen < self.line.after or self.fault in ("", "reset down", "reply lost"):
                self.back.write(data)
            elif self.fault == "slow drip":
                self._fired()
                await self._drip(data)
            else:
                self._fired()
                self.back.write(data[: max(0, left)])
                await self.back.drain()
                if self.fault == "stalled":
                    await self._swallow()
                    return
                _reset(self.writer)
                return
            await self.back.drain()

    async def down(self) -> None:
        told = 0
        while data := await self.there.read(PIECE):
            told += len(data)
            if self.fault == "reset down" and told >= self.line.after:
                self._fired()
                self.writer.write(data[: max(0, len(data) - (told - self.line.after))])
                await self.writer.drain()
                _reset(self.writer)
                return
            if self.fault == "reply lost" and self.seen >= self.line.after:
                self._fired()
                await asyncio.sleep(0.02)
                _reset(self.writer)
                return
            self.writer.write(data)
            await self.writer.drain()

    async def _swallow(self) -> None:
        """Take what comes until the client gives up; the server hears of neither."""
        while await self.reader.read(PIECE):
            pass

    async def _drip(self, data: bytes) -> None:
        for start in range(0, len(data), DRIP):
            self.back.write(data[start : start + DRIP])
            await self.back.drain()
            await asyncio.sleep(PAUSE)

    def _fired(self) -> None:
        if not self.dripping:
            self.dripping = True
            self.line.fired += 1


class FtpLine(Line):
    """FTP's: every data connection that the server offers goes through this line too, as one more of it."""

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str
    ) -> None:
        if fault in ("reset down", "reply lost"):  # of an upload, all replies come here
            self.after %= 500
        if fault in ("refused", "reset down", "reply lost"):
            await super()._connected(reader, writer, fault)
            return
        if fault:
            self.left += 1  # it is for the data
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        up, down = _pass(reader, back), self._replies(there, writer)
        both = [asyncio.create_task(up), asyncio.create_task(down)]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            back.transport.abort()

    async def _replies(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while reply := await source.readline():
            if port := re.match(rb"229 .*\(\|\|\|(\d+)\|\)", reply):
                reply = b"229 Through the line (|||%d|)\r\n" % await self._offered(int(port[1]))
            sink.write(reply)
            await sink.drain()

    async def _offered(self, to: int) -> int:
        data = Line(to, open=self.open)
        if self.left:
            self.left -= 1
            data.breaks(self.fault, self.after, 1)

        async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.close()
            await data(reader, writer)
            self.fired += data.fired

        server = await asyncio.start_server(passed, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(PIECE):
        sink.write(data)
        await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, as a host that has crashed sends it."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.asynccontextmanager
async def a_line(to: int, kind: type[Line] = Line) -> AsyncIterator[Line]:
    """On loopback, for as long as the block runs."""
    line = kind(to)
    server = await asyncio.start_server(line, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        for task in list(line.open):
            task.cancel()
        await asyncio.gather(*line.open, return_exceptions=True)
