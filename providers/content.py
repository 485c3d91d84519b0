"""The bytes of a document on their way out: streamed, and never more or other than was said."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from providers.errors import ProviderError
from providers.words import words
from schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Body:
    """A document's bytes, openable any number of times.

    Attributes:
        size: bytes.
        sha256: hex, lower case.
        media_type: such as `application/pdf`.
        open: starts the stream anew; an error of its own passes through `stream` unaltered.
    """

    size: int
    sha256: str
    media_type: str
    open: Callable[[], AsyncIterator[bytes]]

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The bytes, the last of them only once all are proven to be the ones that were promised.

        A target that was told the size thus never receives a whole file of wrong bytes.

        Raises:
            ProviderError: `content_changed` where they are fewer, more or others.
        """
        seen, digest, held = 0, hashlib.sha256(), b""
        async with _ended(self.open()) as source:
            async for chunk in source:
                if not chunk:
                    continue
                seen += len(chunk)
                digest.update(chunk)
                if seen > self.size:
                    raise changed()
                if held:
                    yield held
                held = bytes(chunk)
        if seen != self.size or digest.hexdigest() != self.sha256.lower():
            raise changed()
        if held:
            yield held


@asynccontextmanager
async def _ended(source: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Closes the source at once when reading is given up: it may hold a connection."""
    try:
        yield source
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def begins_with(body: Body, size: int) -> str:
    """The SHA-256 (hex) of the first `size` bytes of a body.

    Raises:
        ProviderError: as the body's own stream.
    """
    digest, left = hashlib.sha256(), size
    async with _ended(body.open()) as source:
        async for chunk in source:
            digest.update(chunk[:left])
            left -= min(left, len(chunk))
            if not left:
                break
    return digest.hexdigest()


def of_bytes(data: bytes, media_type: str = "application/octet-stream") -> Body:
    """A body that is in memory already: a sidecar, a test."""

    async def whole() -> AsyncIterator[bytes]:
        yield data

    return Body(len(data), hashlib.sha256(data).hexdigest(), media_type, whole)


def changed() -> ProviderError:
    """The document's bytes are not the ones that were announced."""
    return ProviderError(
        "item_permanent",
        Reason.CONTENT_CHANGED,
        words("content_changed"),
    )
