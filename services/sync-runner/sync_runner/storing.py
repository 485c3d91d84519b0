"""What was fetched, kept and written down: bytes first, rows afterwards. `arriving` decides on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from providers.sources import Source
from schemas.reasons import RowStatus
from sync_runner.arriving import (
    MAIL,
    Ledger,
    Outcome,
    external_id,
    failed,
    mark_of,
    other_id,
    outcome,
)
from sync_runner.handlers.imports import Arrival, Kept, Known, Thing
from sync_runner.handlers.runs import Claim
from sync_runner.inspecting import Inspected
from sync_runner.judging import Wishes
from sync_runner.parcels import Errand, Parcel, item_of

if TYPE_CHECKING:
    from sync_runner.importing import Warehouse


class Storing:
    """See `importing.Importing` for the arguments."""

    def __init__(
        self,
        warehouse: Warehouse,
        claim: Callable[[], Claim],
        source: Source,
        now: Callable[[], datetime],
    ) -> None:
        self._contents = warehouse.contents
        self._imports = warehouse.imports
        self._kept_for = warehouse.kept_for
        self._claim = claim
        self._source = source
        self._now = now
        self._wishes = Wishes.of(claim().options)

    async def write(self, parcels: Sequence[Parcel]) -> int:
        """Returns how many rows that came to."""
        claim, until = self._claim(), self._now() + self._kept_for
        moved, parcels = await self._moved(parcels)
        ledger = await self._ledger(parcels)
        arrivals: list[Arrival] = []
        instead: list[str] = []
        bodies: list[Kept] = []
        again: list[tuple[Sequence[Known], Thing]] = [_seen_again(parcel) for parcel in moved]
        for parcel in parcels:
            came = self._came(parcel, ledger)
            arrivals += came.arrivals
            again.append(_seen_again(parcel, came))
            instead += [row.id for row in parcel.errand.rows if parcel.errand.again and parcel.error is None]
            bodies += _bodies(came, claim, until)
            ledger = _and(ledger, came, claim)
        await self._contents.keep(bodies)
        await self._imports.save(claim, arrivals, instead)
        for rows, thing in again:
            await self._imports.seen(claim, rows, thing)
        return len(arrivals)

    def _came(self, parcel: Parcel, ledger: Ledger) -> Outcome:
        thing, rows, now = parcel.errand.thing, parcel.errand.rows, self._now()
        if parcel.error is not None:
            return Outcome(failed(thing, rows, parcel.error, ledger, now))
        inspected = parcel.inspected or Inspected([], [])
        return outcome(
            self._claim().connection_id,
            thing,
            inspected.seen,
            inspected.left,
            wishes=self._wishes,
            ledger=ledger,
            now=now,
            kept_for=self._kept_for,
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
        ids |= {other_id(external_id(t.id, each.piece.path), mark_of(t, each.sha256)) for t, each in seen}
        ids |= {other_id(external_id(t.id, one.path), mark_of(t, None)) for t, one in left}
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


def _seen_again(parcel: Parcel, came: Outcome | None = None) -> tuple[Sequence[Known], Thing]:
    """Which rows are to know what their thing is like now. Mails never change: of those that bear one
    Message-ID, rows with other bytes belong to another.
    """
    errand = parcel.errand
    if parcel.error is not None:
        return (), errand.thing
    is_mail = came is not None and errand.thing.media_type == MAIL
    return (came.unchanged if came is not None and is_mail else errand.rows), errand.thing


def _bodies(came: Outcome, claim: Claim, until: datetime) -> Iterator[Kept]:
    for content, piece, media_type in came.bodies:
        blob = piece.blob
        about = (content, claim.account, claim.connection_id, piece.filename, media_type)
        yield Kept(*about, blob.size, blob.sha256, until, blob.pieces)


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
