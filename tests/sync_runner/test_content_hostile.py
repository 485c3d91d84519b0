"""An address of the platform that leads elsewhere, or never ends: told in words, and not followed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from joserfc.jwk import KeySet
from run_rig import NoFiles

from kit.tokens import ServiceTokens, new_signing_key
from providers.content import Body
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason
from sync_runner.content import Content, Contents
from tests.sentences import says_what_to_do

SIZE = 1000


@asynccontextmanager
async def answering(
    answer: Callable[[asyncio.StreamWriter], None], *, goes_on: bool = False
) -> AsyncIterator[tuple[str, list[str]]]:
    """A server's origin, and whoever has connected to it."""
    met: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append("somebody")
        serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            answer(writer)
            await writer.drain()
            while goes_on and not writer.is_closing():
                writer.write(bytes(1000))
                await writer.drain()
                await asyncio.sleep(0.005)
        writer.close()

    serving: list[asyncio.Task[None] | None] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", met
    finally:
        server.close()
        for task in filter(None, serving):
            task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


async def told(url: str) -> ProviderError:
    key = new_signing_key("sync-runner")
    digest = hashlib.sha256(bytes(SIZE)).hexdigest()
    content = Content("acme", "d-1", url, SIZE, digest, "application/pdf")
    async with Reach(Guard(["127.0.0.1/32"])) as reach:
        tokens = ServiceTokens(key, KeySet([key]), reach.clock().timestamp)
        body = Contents(reach, tokens, NoFiles()).body(content)
        with pytest.raises(ProviderError) as caught:
            await asyncio.wait_for(_read(body), 10)
    return caught.value


async def _read(body: Body) -> list[bytes]:
    return [chunk async for chunk in body.stream()]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_an_address_that_sends_us_to_a_private_one_is_not_followed(status: int) -> None:
    async with answering(lambda _: None) as (victim, met):

        def elsewhere(writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {victim}/latest\r\nContent-Length: 0\r\n\r\n"
            writer.write(head.encode())

        async with answering(elsewhere) as (origin, asked):
            error = await told(f"{origin}/d-1")

    assert (error.reason, error.later) == (Reason.CONTENT_UNAVAILABLE, True)
    assert f"status {status}" in error.message
    assert says_what_to_do(error.message)
    assert (asked, met) == (["somebody"], [])


async def test_a_body_without_an_end_is_left_as_soon_as_it_is_too_long() -> None:
    def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Here\r\n\r\n")

    async with answering(endless, goes_on=True) as (origin, _):
        error = await told(f"{origin}/d-1")

    assert (error.reason, error.later) == (Reason.CONTENT_CHANGED, False)
