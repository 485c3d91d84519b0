"""A source that locks an account after a few logins: who is refused stops, and tries not again by himself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from run_rig import Rig

from providers.manifests import CATALOGUE, load

LOCKS_AFTER = 3


class Strict:
    """A server whose answer to every login is no; it counts them."""

    def __init__(self) -> None:
        self.logins = 0

    async def imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.partition(b" ")
            if command.upper().startswith(b"CAPABILITY"):
                writer.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            elif command.upper().startswith(b"LOGIN"):
                self.logins += 1
                writer.write(tag + b" NO [AUTHENTICATIONFAILED] wrong\r\n")
            else:
                writer.write(tag + b" OK done\r\n")
        writer.close()

    async def ftp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            command = line.upper()[:4].strip()
            self.logins += command == b"PASS"
            said = {b"USER": b"331 password?", b"PASS": b"530 wrong", b"QUIT": b"221 bye"}
            writer.write(said.get(command, b"502 no") + b"\r\n")
        writer.close()

    async def webdav(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        self.logins += b"authorization:" in head
        _, _, length = head.partition(b"content-length:")
        await reader.readexactly(int(length.partition(b"\r\n")[0] or 0))
        no = b'HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm="a"\r\n'
        writer.write(no + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def a_strict_one(kind: str) -> AsyncIterator[tuple[Strict, int]]:
    strict = Strict()
    server = await asyncio.start_server(getattr(strict, kind), "127.0.0.1", 0)
    try:
        yield strict, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["imap", "ftp", "webdav"])
async def test_a_refused_login_is_not_tried_until_the_account_is_locked(
    kind: str, import_from: Callable[..., Rig]
) -> None:
    async with a_strict_one(kind) as (strict, port):
        where = {"host": "127.0.0.1", "port": port, "security": "none"}
        login = {"url": f"http://127.0.0.1:{port}/"} if kind == "webdav" else where
        manifest = load(CATALOGUE / kind)
        rig = import_from(manifest, {**login, "username": "jane", "password": "of yesterday"})
        await rig.set_up()
        await rig.work()
        first, events = strict.logins, await rig.events()
        await rig.lease_ends()
        await rig.work()

    assert "SyncFailed" in events
    assert 1 <= first < LOCKS_AFTER
    assert strict.logins == first, "nobody tries a wrong password again by himself"
