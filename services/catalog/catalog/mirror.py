"""The search index of one replica, kept in step with the store. It writes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from catalog.lifecycle import State
from catalog.search import Index, Listed
from catalog.words import words
from kit.logs import logger
from kit.trouble import is_trouble

log = logger(__name__)

EVERY: Final = 2.0
SHARE: Final = 20
"""Following takes at most one part in so many of the time: what comes by the thousand needs fewer looks."""
OVERLAP: Final = timedelta(seconds=10)
"""Replicas' clocks may differ by this much: so far behind the last look each one begins."""


class Lists(Protocol):
    """Where providers are read from."""

    def listed(self, since: datetime | None = None) -> AsyncIterator[dict[str, Any]]:
        """What the index needs of all providers, or of those that changed since."""


class Mirror:
    """The index, and how far it has come."""

    def __init__(self, store: Lists, now: Callable[[], datetime]) -> None:
        self.index = Index()
        self._store = store
        self._now = now
        self._looked_at = datetime.fromtimestamp(0, UTC)
        self._taken: set[tuple[str, int]] = set()

    async def load(self) -> None:
        """Read everything, once."""
        await self._read(None)

    async def follow(self) -> None:
        """Take up what changed, as long as the service runs."""
        pause = EVERY
        while True:
            await asyncio.sleep(pause)
            began = time.monotonic()
            try:
                await self.refresh()
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("search is not up to date", error=type(error).__name__)
            pause = max(EVERY, (time.monotonic() - began) * SHARE)

    async def refresh(self) -> None:
        """Take up what changed since the last time."""
        await self._read(self._looked_at - OVERLAP)

    def known(self, name: str, direction: str) -> str | None:
        """The id of the provider that is called so, in any language and however it is spaced."""
        return self.index.named("".join(words(name)), direction)

    async def _read(self, since: datetime | None) -> None:
        now, taken = self._now(), set[tuple[str, int]]()
        async for document in self._store.listed(since):
            mark = (document["_id"], document["v"])
            if since is not None:
                taken.add(mark)
            if mark not in self._taken:
                self._take(document)
        self._taken, self._looked_at = taken, now

    def _take(self, document: dict[str, Any]) -> None:
        if document["state"] == State.PUBLISHED.value:
            self.index.put(_listed(document))
        else:
            self.index.drop(document["_id"])


def _listed(document: dict[str, Any]) -> Listed:
    manifest = document["manifest"]
    return Listed(
        document["_id"],
        manifest["name"],
        tuple(manifest.get("aliases", ())),
        tuple(manifest.get("categories", ())),
        tuple(manifest.get("countries", ())),
        tuple(manifest.get("directions", ())),
    )
