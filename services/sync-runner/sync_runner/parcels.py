"""One thing fetched from its source and looked at. What is written of it is `storing`'s."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from providers.content import changed
from providers.errors import ProviderError
from providers.sources import Item, Source
from schemas.manifest import Limits
from sync_runner.arriving import MAIL
from sync_runner.handlers.imports import Known, Thing
from sync_runner.inspecting import Inspected, Inspector
from sync_runner.opening.blobs import Blob, TooLarge
from sync_runner.opening.pieces import Left, clean
from sync_runner.outcomes import Streak
from sync_runner.pace import Pace

RESTS = 3
"""How often a thing is asked for again after a short rest that the source asked for."""
MOST_BYTES = 2 * 1024 * 1024 * 1024
"""Bytes of one thing."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A thing to fetch, with the rows that it has. `again`: they are open, and wait for just this."""

    thing: Thing
    rows: tuple[Known, ...] = ()
    again: bool = False


@dataclass(slots=True)
class Parcel:
    """What an errand brought: what is in it, or what went wrong."""

    errand: Errand
    blob: Blob | None = None
    inspected: Inspected | None = None
    error: ProviderError | None = None

    @property
    def size(self) -> int:
        return self.blob.size if self.blob else 0

    def close(self) -> None:
        if self.inspected is not None:
            self.inspected.close()
        if self.blob is not None:
            self.blob.close()

    @property
    def rows(self) -> int:
        """Rows that it may come to."""
        return len(self.inspected.seen) + len(self.inspected.left) if self.inspected else 1


class Fetching:
    """Fetches things as fast as their source bears, and knows whose trouble it is when it gives none."""

    def __init__(self, source: Source, inspector: Inspector, limits: Limits) -> None:
        self._source = source
        self._inspector = inspector
        self._most = min(MOST_BYTES, limits.max_bytes or MOST_BYTES)
        self._pace = Pace(limits.requests_per_second)
        self._streak = Streak()

    async def fetched(self, errand: Errand) -> Parcel:
        """What is in the thing, or what went wrong with it."""
        for left in reversed(range(RESTS + 1)):
            await self._pace.turn()
            try:
                parcel = await self._opened(errand)
            except ProviderError as error:
                if left and error.kind == "rate_limited" and self._pace.rest(error.retry_after):
                    continue
                return Parcel(errand, error=error)
            self._streak.went()
            return parcel
        raise AssertionError("the last rest has none after it")

    def blames_the_source(self, parcel: Parcel) -> bool:
        """Whether this trouble, after those before it, is the source's: nothing more is to be asked for."""
        return parcel.error is not None and self._streak.met(parcel.error)

    async def _opened(self, errand: Errand) -> Parcel:
        thing = errand.thing
        try:
            async with aclosing(self._source.fetch(item_of(thing))) as chunks:
                blob = await Blob.received(chunks, self._most)
        except TooLarge:
            why = f"It is larger than {self._most // 1_000_000} MB; send it another way."
            return Parcel(errand, inspected=Inspected([], [Left("", clean(thing.name), why)]))
        if thing.media_type != MAIL and thing.size is not None and blob.size != thing.size:
            blob.close()
            raise changed()
        try:
            inspected = await self._inspector.inspect(blob, thing.name, thing.media_type)
        except BaseException:
            blob.close()
            raise
        return Parcel(errand, blob, inspected)


def thing_of(item: Item) -> Thing:
    """An item as the ledger keeps it."""
    return Thing(
        item.id,
        item.version,
        item.name,
        item.received_at,
        item.size,
        item.media_type,
        item.lasting_id,
        item.place,
        item.metadata,
        item.reference,
    )


def item_of(thing: Thing) -> Item:
    """A thing as its source knows it."""
    return Item(
        thing.id,
        thing.tag,
        thing.name,
        thing.received_at,
        thing.size,
        None,
        thing.media_type,
        thing.lasting_id,
        thing.place,
        thing.metadata,
        thing.reference,
    )
