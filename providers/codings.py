"""Content codings (RFC 9110 §8.4) of servers that compress though we ask for none, or say so and do not. Only
what such an answer holds is told here; how much of it is read, its reader limits.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping

from providers.errors import ProviderError
from providers.words import words
from schemas.reasons import Reason

PIECE = 256 * 1024
"""Bytes that are unpacked at once, so that a bomb is given up before it is there."""
_GZIP = b"\x1f\x8b"
_NONE = ("", "identity")
_ZLIB = ("gzip", "x-gzip", "deflate")


async def decoded(headers: Mapping[str, str], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks as they were before the server compressed them, in pieces of at most `PIECE` bytes.

    What is called gzip and does not begin like it is given as it is (Tryton).

    Raises:
        ProviderError: `provider_changed` for a coding that nobody asked for and we do not know,
            `provider_down` where what came is damaged or ends too early.
    """
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding in _NONE:
        async for chunk in chunks:
            yield chunk
        return
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= len(_GZIP):
            break
    if not head:  # nothing was asked for but the head
        return
    if coding not in _ZLIB:
        raise ProviderError("transient", Reason.PROVIDER_CHANGED, words("not_understood"))
    if coding != "deflate" and not head.startswith(_GZIP):
        yield head
        async for chunk in chunks:
            yield chunk
        return
    async for piece in _unpacked(head, chunks):
        yield piece


async def _unpacked(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # the heads of gzip and of zlib
    try:
        for piece in _pieces(unpacking, head):
            yield piece
        async for chunk in chunks:
            for piece in _pieces(unpacking, chunk):
                yield piece
    except zlib.error:
        raise _damaged() from None
    if not unpacking.eof:
        raise _damaged()


def _pieces(unpacking: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while packed:
        if unpacking.eof:
            raise zlib.error("something follows the end")
        yield unpacking.decompress(packed, PIECE)
        packed = unpacking.unconsumed_tail or unpacking.unused_data


def _damaged() -> ProviderError:
    return ProviderError("transient", Reason.PROVIDER_DOWN, words("not_understood"))
