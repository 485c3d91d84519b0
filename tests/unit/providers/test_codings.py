"""What a server compressed unasked is read as what it was, and never grows past what is looked at."""

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from providers.codings import PIECE, decoded
from providers.errors import ProviderError
from schemas.reasons import Reason

DATA = b'{"items": [1, 2, 3]}' * 5000


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(coding: str, data: bytes, size: int = 1000) -> bytes:
    return b"".join([chunk async for chunk in decoded({"Content-Encoding": coding}, chunks(data, size))])


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("", DATA),
        ("identity", DATA),
        ("gzip", gzip.compress(DATA)),
        (" GZip ", gzip.compress(DATA)),
        ("x-gzip", gzip.compress(DATA)),
        ("deflate", zlib.compress(DATA)),
        ("gzip", DATA),  # it says so, and does not
    ],
)
async def test_an_answer_is_read_as_what_it_was_before_it_was_compressed(
    coding: str, sent: bytes, size: int
) -> None:
    assert await read(coding, sent, size) == DATA


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_the_answer_to_a_head_has_no_body_whatever_its_coding(coding: str) -> None:
    assert await read(coding, b"") == b""


@pytest.mark.parametrize(
    ("coding", "sent", "reason"),
    [
        ("gzip", gzip.compress(DATA)[:-9], Reason.PROVIDER_DOWN),
        ("gzip", b"\x1f\x8b" + b"?" * 100, Reason.PROVIDER_DOWN),
        ("gzip", gzip.compress(DATA) + gzip.compress(DATA), Reason.PROVIDER_DOWN),
        ("deflate", b"no such thing", Reason.PROVIDER_DOWN),
        ("br", b"\x0b\x02\x80", Reason.PROVIDER_CHANGED),
        ("gzip, br", b"\x0b\x02\x80", Reason.PROVIDER_CHANGED),
    ],
)
async def test_what_is_damaged_or_unknown_is_told_and_never_passed_on(
    coding: str, sent: bytes, reason: Reason
) -> None:
    with pytest.raises(ProviderError) as caught:
        await read(coding, sent)

    assert (caught.value.kind, caught.value.reason) == ("transient", reason)


async def test_a_bomb_comes_in_pieces_that_its_reader_can_stop_at() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    seen = 0
    tracemalloc.start()
    try:
        async for piece in decoded({"Content-Encoding": "gzip"}, chunks(bomb, len(bomb))):
            assert len(piece) <= PIECE
            seen += len(piece)
            if seen > 10 * PIECE:
                break
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 8 * PIECE
