"""Things fetched from a source, several at once: their bytes kept, their rows written. In that order.

Which things are new, and when a listing is through, is `importing`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kit.logs import logger
from providers.content import changed
from providers.errors import ProviderError
from providers.sources import Item, Source
from schemas.manifest import Limits
from schemas.reasons import Reason, RowStatus
from sync_runner.arriving import Ledger, Outcome, Wishes, external_id, outcome
from sync_runner.handlers.imports import Arrival, Kept, Known, Thing
from sync_runner.handlers.runs import Claim
from sync_runner.inspecting import Inspected
from sync_runner.opening.blobs import Blob, TooLarge
from sync_runner.opening.pieces import Left, clean
from sync_runner.outcomes import Streak
from sync_runner.pace import Pace

if TYPE_CHECKING:
    from sync_runner.importing import Warehouse

LOT_BYTES = 8 * 1024 * 1024
LOT_THINGS = 200
"""What is fetched is written down after so much of it."""
RESTS = 3
"""How often a thing is asked for again after a short rest that the source asked for."""
MOST_BYTES = 2 * 1024 * 1024 * 1024
"""Bytes of one thing."""
MAIL = "message/rfc822"

log = logger(__name__)


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


class Bringing:
    """See `importing.Importing` for the arguments. `brought` counts things."""

    def __init__(  # noqa: PLR0913 - what meets here
        self,
        warehouse: Warehouse,
        claim: Callable[[], Claim],
        source: Source,
        *,
        limits: Limits,
        stop: asyncio.Event,
        now: Callable[[], datetime],
    ) -> None:
        self._warehouse = warehouse
        self._imports = warehouse.imports
        self._claim = claim
        self._source = source
        self._most = min(MOST_BYTES, limits.max_bytes or MOST_BYTES)
        self._lanes = max(1, min(limits.concurrency, source.ability.concurrency))
        self._stop = stop
        self._now = now
        self._wishes = Wishes.of(claim().options)
        self._pace = Pace(limits.requests_per_second)
        self._streak = Streak()
        self._failure: ProviderError | None = None
        self._ready: list[Parcel] = []
        self._writing = asyncio.Lock()
        self.brought = 0

    async def has(self, row: Known) -> bool:
        """Whether the bytes of a row are still here."""
        return row.content_id is not None and await self._warehouse.contents.has(row.content_id)

    async def bring(self, errands: Sequence[Errand]) -> None:
        """Fetch all and write down what came. Once told to stop, some may be left.

        Raises:
            ProviderError: the source gives nothing more now. What came is written down nevertheless.
        """
        queue = iter(errands)
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(min(self._lanes, len(errands))):
                    lanes.create_task(self._lane(queue))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            ready, self._ready = self._ready, []
            for parcel in ready:
                parcel.close()
        if self._failure is not None:
            raise self._failure

    async def _lane(self, queue: Iterator[Errand]) -> None:
        for errand in queue:
            if self._stop.is_set() or self._failure is not None:
                break
            parcel = await self._fetched(errand)
            if parcel.error is not None and self._streak.met(parcel.error) and self._failure is None:
                self._failure = parcel.error
            self._ready.append(parcel)
            if len(self._ready) >= LOT_THINGS or sum(each.size for each in self._ready) >= LOT_BYTES:
                await self._write()
        await self._write()

    async def _fetched(self, errand: Errand) -> Parcel:
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
            inspected = await self._warehouse.inspector.inspect(blob, thing.name, thing.media_type)
        except BaseException:
            blob.close()
            raise
        return Parcel(errand, blob, inspected)

    async def _write(self) -> None:
        async with self._writing:
            parcels, self._ready = self._ready, []
            if not parcels:
                return
            try:
                await self._written(parcels)
            finally:
                for parcel in parcels:
                    parcel.close()
        self.brought += len(parcels)

    async def _written(self, parcels: Sequence[Parcel]) -> None:
        """Bytes first, rows afterwards."""
        claim = self._claim()
        moved, parcels = await self._moved(parcels)
        ledger = await self._ledger(parcels)
        arrivals: list[Arrival] = []
        instead: list[str] = []
        bodies: list[Kept] = []
        for parcel in parcels:
            came = self._came(parcel, ledger)
            arrivals += came.arrivals
            instead += [row.id for row in parcel.errand.rows if parcel.errand.again and parcel.error is None]
            until = self._now() + self._warehouse.kept_for
            bodies += [
                Kept(
                    content,
                    claim.account,
                    claim.connection_id,
                    piece.filename,
                    media_type,
                    piece.blob.size,
                    piece.blob.sha256,
                    until,
                    piece.blob.pieces,
                )
                for content, piece, media_type in came.bodies
            ]
            ledger = _and(ledger, came, claim)
        await self._warehouse.contents.keep(bodies)
        await self._imports.save(claim, arrivals, instead)
        for parcel in (*parcels, *moved):
            if parcel.error is None and parcel.errand.rows:
                await self._imports.seen(claim, parcel.errand.rows, parcel.errand.thing)

    def _came(self, parcel: Parcel, ledger: Ledger) -> Outcome:
        thing, now = parcel.errand.thing, self._now()
        if parcel.error is not None:
            return Outcome(_failed(parcel, parcel.error, ledger, now))
        inspected = parcel.inspected or Inspected([], [])
        return outcome(
            self._claim().connection_id,
            thing,
            inspected.seen,
            inspected.left,
            wishes=self._wishes,
            ledger=ledger,
            now=now,
            kept_for=self._warehouse.kept_for,
        )

    async def _moved(self, parcels: Sequence[Parcel]) -> tuple[list[Parcel], list[Parcel]]:
        """Files that lie elsewhere now, told apart from new ones: same bytes, and the old place is empty."""
        whole = {
            parcel.inspected.seen[0].sha256: parcel
            for parcel in parcels
            if parcel.inspected and not parcel.errand.rows and _is_file(parcel.inspected)
        }
        own = await self._imports.alike(self._claim(), list(whole)) if whole else {}
        moved: list[Parcel] = []
        for sha256, parcel in whole.items():
            mine = self._claim().connection_id
            rows = [
                row for row in own.get(sha256, ()) if row.connection_id == mine and "#" not in row.external_id
            ]
            elsewhere = [row for row in rows if row.thing.id != parcel.errand.thing.id]
            if not elsewhere:
                continue
            gone = set(await self._source.gone([item_of(row.thing) for row in elsewhere]))
            before = [row for row in elsewhere if row.thing.id in gone]
            if before:
                parcel.errand = Errand(parcel.errand.thing, tuple(before))
                moved.append(parcel)
        return moved, [parcel for parcel in parcels if parcel not in moved]

    async def _ledger(self, parcels: Sequence[Parcel]) -> Ledger:
        """What the ledger says of all that came, in few queries."""
        claim, imports = self._claim(), self._imports
        seen = [
            (parcel.errand.thing, each)
            for parcel in parcels
            if parcel.inspected
            for each in parcel.inspected.seen
        ]
        left = [
            (parcel.errand.thing, one)
            for parcel in parcels
            if parcel.inspected
            for one in parcel.inspected.left
        ]
        ids = {external_id(thing.id, each.piece.path) for thing, each in seen}
        ids |= {external_id(thing.id, one.path) for thing, one in left}
        ids |= {external_id(parcel.errand.thing.id, "") for parcel in parcels if parcel.error}
        hashes = {each.sha256 for _, each in seen}
        versions = await imports.versions(claim, ids)
        alike = await imports.alike(claim, hashes)
        places = {place for thing, _ in seen for place in _places(thing)}
        exported = await imports.exported(claim, places, hashes)
        firsts = {
            sha256: next((row.id for row in rows if row.status is RowStatus.DONE), None)
            for sha256, rows in alike.items()
        }
        return Ledger(versions, {s: row for s, row in firsts.items() if row}, frozenset(exported))


def _and(ledger: Ledger, came: Outcome, claim: Claim) -> Ledger:
    """With what comes in this very lot: of two like documents the second is told to be like the first, and of
    two things of one name the second is another version.
    """
    new = [_row(each, claim) for each in came.arrivals]
    if not new:
        return ledger
    versions = dict(ledger.versions)
    for row in new:
        before = [each for each in versions.get(row.external_id, ()) if each.id != row.id]
        versions[row.external_id] = [*before, row]
    alike = {row.sha256: row.id for row in new if row.status is RowStatus.DONE and row.sha256 is not None}
    return Ledger(versions, {**alike, **ledger.alike}, ledger.exported)


def _row(arrival: Arrival, claim: Claim) -> Known:
    row_id = f"{claim.connection_id}/{arrival.external_id}/{arrival.version}"
    return Known(
        row_id,
        claim.connection_id,
        arrival.external_id,
        arrival.version,
        arrival.status,
        arrival.thing,
        arrival.sha256,
    )


def _is_file(inspected: Inspected) -> bool:
    return len(inspected.seen) == 1 and not inspected.left and not inspected.seen[0].piece.path


def _places(thing: Thing) -> Iterator[str]:
    """How an export may have called this file: its path, from any folder on."""
    if thing.place is None or not thing.place.startswith("/"):
        return
    names = thing.place.strip("/").split("/")
    for start in range(len(names)):
        yield "/" + "/".join(names[start:])


def _failed(parcel: Parcel, error: ProviderError, ledger: Ledger, now: datetime) -> list[Arrival]:
    """Rows that say what went wrong with a thing. One that went away before it was fetched is worth none."""
    thing, rows = parcel.errand.thing, parcel.errand.rows
    gone = error.reason is Reason.CONTENT_UNAVAILABLE and error.kind == "item_permanent"
    passes = error.later or error.reason in (Reason.CONTENT_CHANGED, Reason.PERMISSION_MISSING)
    if (gone and not rows) or (error.kind in ("auth", "config", "rate_limited") and not _own_fault(error)):
        return []
    external = external_id(thing.id, "")
    versions = ledger.versions.get(external, ())
    open_ = [row for row in versions if row.status in (RowStatus.PENDING, RowStatus.FAILED)]
    version = open_[-1].version if open_ else (versions[-1].version + 1 if versions else 1)
    status = RowStatus.SKIPPED if gone else RowStatus.FAILED if passes else RowStatus.REJECTED
    attempts = max((row.attempts for row in rows), default=0) + 1
    return [
        Arrival(
            external,
            version,
            thing,
            status,
            min(thing.received_at or now, now),
            clean(thing.name),
            reason=error.reason,
            message=error.message,
            attempts=attempts,
        )
    ]


def _own_fault(error: ProviderError) -> bool:
    """Whether it may be about this one thing alone."""
    return error.reason is Reason.PERMISSION_MISSING


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
