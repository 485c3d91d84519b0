"""An upload that arrived, whose answer was lost, and that the HTTP stack sent again: it meets itself."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

import pytest
from answering import answering
from subjects import manifest

from providers.content import of_bytes
from providers.drivers import open_driver
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " * 100
SHA256 = hashlib.sha256(PDF).hexdigest()
KINDS = {
    "object": {"conditional": True},
    "webdav": {"atomic_put": True},
}


class Forgetful:
    """Takes a PUT and hangs up instead of answering, once; then says that something is there: `there`."""

    def __init__(self, there: bytes, *, takes_all: bool) -> None:
        self.there = there
        self.takes_all = takes_all
        self.puts = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (line for line in head.lower().split("\r\n") if "content-length" in line), ": 0"
                )
                await reader.readexactly(int(length.split(":")[1]))
                method = head.split(" ")[0]
                self.puts += method == "PUT"
                if method == "PUT" and self.puts == 1:
                    break
                writer.write(self._answer(method))
                await writer.drain()
        writer.close()

    def _answer(self, method: str) -> bytes:
        size, digest = len(self.there), hashlib.sha256(self.there).hexdigest()
        if method in ("MOVE", "DELETE") or (method == "PUT" and self.takes_all):
            return b"HTTP/1.1 204 Done\r\n\r\n"
        if method == "PUT":
            return b"HTTP/1.1 412 There\r\nContent-Length: 0\r\n\r\n"
        if method == "HEAD":
            told = f"Content-Length: {size}\r\nx-amz-meta-sha256: {digest}\r\nETag: x"
            return f"HTTP/1.1 200 Here\r\n{told}\r\n\r\n".encode()
        found = (
            '<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response><d:href>/a.pdf</d:href>'
            f"<d:propstat><d:prop><d:resourcetype/><d:getcontentlength>{size}</d:getcontentlength>"
            f"<oc:checksums><oc:checksum>SHA256:{digest}</oc:checksum></oc:checksums></d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
        ).encode()
        return f"HTTP/1.1 207 Found\r\nContent-Length: {len(found)}\r\n\r\n".encode() + found


@contextlib.asynccontextmanager
async def forgetful(there: bytes, *, takes_all: bool = False) -> AsyncIterator[tuple[Forgetful, int]]:
    it = Forgetful(there, takes_all=takes_all)
    server = await asyncio.start_server(it, "127.0.0.1", 0)
    async with server:
        yield it, server.sockets[0].getsockname()[1]


async def put(kind: str, port: int, reach: Reach) -> str:
    login = {"url": f"http://127.0.0.1:{port}", "username": "jane", "password": "x"}
    login |= {"endpoint": login["url"], "bucket": "papers", "access_key_id": "a", "secret_access_key": "b"}
    async with open_driver(manifest(kind, **KINDS[kind]), login, {}, reach) as driver:
        await driver.find("/other.pdf")  # the line is kept open, so that the upload goes over a used one
        return (await driver.put("/a.pdf", of_bytes(PDF))).path


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_sent_twice_and_is_there_once_has_arrived(kind: str, reach: Reach):
    async with forgetful(PDF) as (server, port):
        assert await put(kind, port, reach) == "/a.pdf"

    assert server.puts == 2, "it was not sent again"


@pytest.mark.parametrize("kind", KINDS)
async def test_somebody_elses_file_of_that_name_is_still_a_conflict(kind: str, reach: Reach):
    async with forgetful(b"theirs") as (_, port):
        with pytest.raises(ProviderError) as caught:
            await put(kind, port, reach)

    assert caught.value.kind == "conflict"


async def test_a_disk_that_gets_full_under_an_upload_is_trouble_that_passes(reach: Reach):
    async with answering(PUT=(405, {}, b"Method Not Allowed")) as server:  # as x/net/webdav in Go says it
        login = {"url": f"http://127.0.0.1:{server.port}", "username": "jane", "password": "x"}
        async with open_driver(manifest("webdav"), login, {}, reach) as driver:
            with pytest.raises(ProviderError) as caught:
                await driver.put("/a.pdf", of_bytes(PDF))

    assert (caught.value.reason, caught.value.later) == (Reason.PROVIDER_DOWN, True)


async def test_a_file_that_was_replaced_by_two_sendings_is_looked_at_for_its_size(reach: Reach):
    async with forgetful(b"the first, cut one", takes_all=True) as (server, port):
        login = {"url": f"http://127.0.0.1:{port}", "username": "jane", "password": "x"}
        async with open_driver(manifest("webdav"), login, {}, reach) as driver:
            await driver.find("/other.pdf")
            with pytest.raises(ProviderError) as caught:
                await driver.replace("/a.pdf", of_bytes(PDF), None)

    assert (server.puts, caught.value.later) == (2, True)
