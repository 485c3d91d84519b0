"""Sources whose cursors and references are stored: what may let others in is sealed there, and nothing else.

A source puts it under `PRIVATE` (`providers.sources`): the address of a next page, a link to a file. It is
sealed by AES-SIV (RFC 5297), which seals the same to the same: a listing that stands still is still seen.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from providers.reach import Reach
from providers.sources import PRIVATE, Afterwards, Cursor, Item, Page, Source, open_source
from schemas.manifest import Manifest

SEALED = "sealed"


class Envelope:
    """Seals what is private in a mapping, and opens it.

    Args:
        key: 64 bytes, the same in every replica.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def sealed(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """`told` as it may be stored."""
        if PRIVATE not in told:
            return told
        text = json.dumps(told[PRIVATE], sort_keys=True).encode()
        sealed = urlsafe_b64encode(self._cipher.encrypt(text, None)).decode()
        return {**{name: value for name, value in told.items() if name != PRIVATE}, SEALED: sealed}

    def opened(self, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was stored; without what is private, where that was sealed by a key we have no more."""
        if SEALED not in stored:
            return stored
        told = {name: value for name, value in stored.items() if name != SEALED}
        try:
            text = self._cipher.decrypt(urlsafe_b64decode(stored[SEALED]), None)
        except (InvalidTag, ValueError, TypeError):
            return told
        return {**told, PRIVATE: json.loads(text)}


class Discreet:
    """A source, see `providers.sources.Source`: what it gives may be stored."""

    def __init__(self, source: Source, envelope: Envelope) -> None:
        self._source = source
        self._envelope = envelope
        self.ability = source.ability

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The next things."""
        page = await self._source.page(None if cursor is None else self._envelope.opened(cursor), since)
        items = [replace(item, reference=self._envelope.sealed(item.reference)) for item in page.items]
        return replace(page, items=items, cursor=self._envelope.sealed(page.cursor))

    async def count(self, since: datetime | None) -> int | None:
        """How many there are."""
        return await self._source.count(since)

    async def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes of one."""
        async with aclosing(self._source.fetch(self._opened(item), start)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def gone(self, items: Collection[Item]) -> Collection[str]:
        """Which are gone."""
        return await self._source.gone([self._opened(item) for item in items])

    async def settle(self, item: Item, afterwards: Afterwards) -> str | None:
        """What is done afterwards."""
        return await self._source.settle(self._opened(item), afterwards)

    def _opened(self, item: Item) -> Item:
        return replace(item, reference=self._envelope.opened(item.reference))


def discreetly(key: bytes) -> Callable[..., AbstractAsyncContextManager[Source]]:
    """`providers.sources.open_source`, for sources whose cursors and references are stored."""
    envelope = Envelope(key)

    @asynccontextmanager
    async def opened(
        manifest: Manifest, credentials: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
    ) -> AsyncIterator[Source]:
        async with open_source(manifest, credentials, options, reach) as source:
            yield Discreet(source, envelope)

    return opened
