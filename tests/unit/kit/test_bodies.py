"""Bodies of answers that come in pieces."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kit.bodies import whole

PIECES = [b"a" * 1000, b"b" * 1000, b"c" * 1000]


async def in_pieces(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in PIECES:
        await response.write(piece)
        await asyncio.sleep(0.05)  # so that they do not travel as one
    return response


@pytest.mark.parametrize(("most", "body"), [(3000, b"".join(PIECES)), (2999, None)])
async def test_a_body_is_read_to_its_end_or_not_at_all(most: int, body: bytes | None) -> None:
    app = web.Application()
    app.router.add_get("/", in_pieces)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/")) as answer,
    ):
        assert await whole(answer, most) == body
