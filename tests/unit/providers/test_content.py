"""A body gives the bytes that were announced, or not its last ones."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from providers.content import Body, of_bytes
from providers.errors import ProviderError
from schemas.reasons import Reason

DATA = b"0123456789"


def body(*chunks: bytes, size: int = len(DATA), of: bytes = DATA) -> Body:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return Body(size, hashlib.sha256(of).hexdigest().upper(), "text/plain", stream)


async def got(it: Body) -> tuple[bytes, Reason | None]:
    seen = b""
    try:
        async for chunk in it.stream():
            seen += chunk
    except ProviderError as error:
        return seen, error.reason
    return seen, None


@pytest.mark.parametrize("chunks", [[DATA], [DATA[:3], b"", DATA[3:]], [bytes([each]) for each in DATA]])
async def test_the_announced_bytes_pass(chunks: list[bytes]):
    assert await got(body(*chunks)) == (DATA, None)


@pytest.mark.parametrize(
    "wrong",
    [
        body(DATA[:-1]),
        body(DATA, b"more"),
        body(DATA[:5], DATA[5:] + b"more"),
        body(b"9" * 10),
        body(DATA[:5], b"99999"),
        body(),
        body(DATA, size=0, of=b""),
    ],
)
async def test_other_bytes_never_pass_as_a_whole(wrong: Body):
    seen, reason = await got(wrong)

    assert reason is Reason.CONTENT_CHANGED
    assert len(seen) < max(wrong.size, 1)


async def test_an_empty_document_is_a_document():
    assert await got(of_bytes(b"")) == (b"", None)


async def test_a_body_can_be_read_again():
    it = of_bytes(DATA)

    assert await got(it) == await got(it) == (DATA, None)
