"""Bodies of other services' answers, whole and within a limit. It asks nothing itself."""

from __future__ import annotations

import aiohttp


async def whole(answer: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body, however many pieces it comes in; None where it is longer than `most` bytes.

    (`answer.content.read(most)` gives what has come so far, which may be its beginning only.)
    """
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > most:
            return None
    return bytes(body)
