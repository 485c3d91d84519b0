"""A server that says what it is told to, for answers that no good server gives; and a line that is cut."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Answering:
    """Answers by method, each with status, headers and body; remembers what was asked."""

    answers: Mapping[str, tuple[int, Mapping[str, str], bytes]]
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append((method, path, headers))
        status, extra, body = self.answers.get(method, (404, {}, b""))
        lines = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


@contextlib.asynccontextmanager
async def answering(
    tls: ssl.SSLContext | None = None, **answers: tuple[int, Mapping[str, str], bytes]
) -> AsyncIterator[Answering]:
    """On loopback, for as long as the block runs."""
    it = Answering(answers)
    server = await asyncio.start_server(it, "127.0.0.1", 0, ssl=tls)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()


@contextlib.asynccontextmanager
async def dripping(announced: int) -> AsyncIterator[str]:
    """An address that announces so many bytes and gives one each time that one begins to hope."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 X\r\nContent-Length: {announced}\r\n\r\n".encode())
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.transport.abort()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await ended.wait()
    finally:
        server.close()


@dataclass
class Line:
    """A line to a server that breaks after so many bytes from the client; 0 breaks on the answer instead."""

    to: int
    after: int
    port: int = 0
    cut: bool = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.to)
        there = asyncio.create_task(self._pass(reader, up_writer, self.after))
        back = asyncio.create_task(self._pass(up_reader, writer, None))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for each in (there, back):
            each.cancel()
        for each in (writer, up_writer):
            each.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(16 * 1024):
                if most is not None:
                    most -= len(data)
                    if most <= 0:
                        self.cut = True
                        return
                sink.write(data)
                await sink.drain()


@dataclass
class FtpLine(Line):
    """FTP's: the control connection passes whole, and it is the data connections that break."""

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
        with contextlib.suppress(ConnectionError):
            while reply := await source.readline():
                if port := re.match(rb"229 .*\(\|\|\|(\d+)\|\)", reply):
                    data = Line(int(port[1]), self.after)
                    server = await asyncio.start_server(data, "127.0.0.1", 0)
                    self.lines.append((data, server))
                    reply = b"229 Through the line (|||%d|)\r\n" % server.sockets[0].getsockname()[1]
                sink.write(reply)
                await sink.drain()
        self.cut = any(data.cut for data, _ in self.lines)
        for _, server in self.lines:
            server.close()

    lines: list[tuple[Line, asyncio.Server]] = field(default_factory=list)


@contextlib.asynccontextmanager
async def cut_line(to: int, after: int, kind: type[Line] = Line) -> AsyncIterator[Line]:
    """On loopback, for as long as the block runs."""
    line = kind(to, after)
    server = await asyncio.start_server(line, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
