"""Where aiohttp lets us in: its resolver, its sockets and its bodies. Nothing is sent from here."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import aclosing
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter, ResolveResult

from providers.content import Body
from providers.egress import Address, Guard, plain, refused


class GuardedNames(AbstractResolver):
    """aiohttp's resolver, which gives only addresses that the guard allows."""

    def __init__(self, guard: Guard, allow: Callable[[Address], bool]) -> None:
        self._guard = guard
        self._allow = allow

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's signature
    ) -> list[ResolveResult]:
        """Every address of `host`, checked."""
        found = await self._guard.resolve(host, port)
        if not all(self._allow(address) for address in found):
            raise plain(host)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def checked_socket(allow: Callable[[Address], bool]) -> Callable[[Any], socket.socket]:
    """Every address passes here on its way to `connect`, the literal ones too, which no resolver sees."""

    def made(info: Any) -> socket.socket:
        family, kind, proto, _, where = info
        if not allow(ip_address(where[0])):
            raise refused(str(where[0]))
        return socket.socket(family, kind, proto)

    return made


class Streamed(aiohttp.Payload):
    """A `Body` as aiohttp sends it: with its size, opened anew whenever it is sent."""

    def __init__(self, body: Body) -> None:
        super().__init__(body, content_type=body.media_type)
        self._body = body
        self.failure: Exception | None = None
        self.sent = 0
        """How often: aiohttp sends again by itself where a line that was kept open ends before the answer."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self._body.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - aiohttp's
        """Never used: a stream is not text."""
        raise TypeError("a streamed document cannot be shown as text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send every chunk, and remember why that failed: aiohttp tells only that it did."""
        self.sent += 1
        try:
            async with aclosing(self._body.stream()) as chunks:
                async for chunk in chunks:
                    await writer.write(chunk)
        except (aiohttp.ClientError, ConnectionError):
            raise
        except Exception as error:
            self.failure = error
            raise

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - aiohttp's signature
    ) -> None:
        """As `write`: the length is the body's own."""
        await self.write(writer)
