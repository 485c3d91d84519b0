"""Everything that reaches back: the fill after a save, the nightly audit, and what may be forgotten.

A fill is resumed where it was: how far it came is in the sync. Rows that are there already stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from prometheus_client import Counter

from kit.aggregates import Aggregates
from kit.endings import NotNow
from kit.logs import logger
from sync_runner.lifecycle import schedule
from sync_runner.lifecycle.heard import Filled
from sync_runner.lifecycle.sync import Fill, Standing, Sync
from sync_runner.store.fills import MongoFills

log = logger(__name__)

AT_ONCE = 8
LOOK = 1.0
"""Seconds between two looks for a fill; a save rings."""
AUDIT_EVERY = timedelta(days=1)
AUDIT_BACK = timedelta(hours=48)
AUDIT_LOOK = 60.0
SETTLE = 10.0
"""Seconds after which a document that is just being taken in has its row."""

FOUND = Counter("paperbus_audit_found", "Rows that the audit had to add. Anything but 0 is an alarm.")


class Fills:
    """One for a replica. `shards()` are those that are ours at the moment."""

    def __init__(
        self,
        syncs: Aggregates[Sync],
        store: MongoFills,
        shards: Callable[[], Collection[int]],
        now: Callable[[], datetime],
        ledger_days: int,
    ) -> None:
        self.syncs = syncs
        self.store = store
        self.shards = shards
        self.now = now
        self.kept = timedelta(days=ledger_days)
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There may be something to fill."""
        self._rung.set()

    async def run(self) -> None:
        """Fill what is to be filled, for ever."""
        while True:
            await self._guarded(self.once)
            try:
                await asyncio.wait_for(self._rung.wait(), LOOK)
            except TimeoutError:
                continue
            finally:
                self._rung.clear()

    async def run_audit(self) -> None:
        """Look through what was not looked through for a day, for ever."""
        while True:
            await self._guarded(self.audit)
            await asyncio.sleep(AUDIT_LOOK)

    async def once(self) -> int:
        """Fill all that is to be filled now. Returns how many connections."""
        done = 0
        while (shards := self.shards()) and (ids := await self.store.filling(shards, AT_ONCE)):
            through = await asyncio.gather(*map(self.fill, ids))
            done += sum(through)
            if not any(through):
                break
        return done

    async def fill(self, id_: str) -> bool:
        """Walk one connection's documents to the end. False where it must be tried again later."""
        sync = await self._read(id_)
        if sync is None or sync.fill is None:
            return True
        fill, through = sync.fill, False
        while not through:
            now = self.now()
            fill, _, through = await self.store.step(sync, fill, now - self.kept, now)
            if not through:
                await self.store.save(sync, fill)
        filled = Filled(fill.revision, self.now())
        try:
            await self.syncs.alter(id_, lambda sync: schedule.follow(sync, filled) if sync else None)
        except NotNow:
            return False
        return True

    async def audit(self) -> int:
        """Add what the last two days should have brought and did not: an alarm. Returns how many."""
        found = 0
        while (shards := self.shards()) and (ids := await self._uncovered(shards)):
            for id_ in ids:
                found += await self._audit(id_)
        return found

    async def _audit(self, id_: str) -> int:
        now, sync = self.now(), await self._read(id_)
        if sync is None:
            return 0
        found = 0
        if sync.standing is not Standing.REMOVED and sync.direction == "export" and sync.fill is None:
            found = await self._search(sync, now)
        if sync.standing is Standing.REMOVED and sync.run is None:
            await self.store.close(sync, now)
        await self.store.forget(sync, now - self.kept)
        await self.store.covered(sync, now)
        return found

    async def _search(self, sync: Sync, now: datetime) -> int:
        since = now - AUDIT_BACK
        if not await self.store.missing(sync, since, now):
            return 0
        await asyncio.sleep(SETTLE)
        found, fill, through = 0, Fill(max(since, sync.since or since), sync.revision), False
        while not through:
            fill, new, through = await self.store.step(sync, fill, since, self.now())
            found += new
        if found:
            FOUND.inc(found)
            log.error("the audit found documents that were owed to nobody", connection=sync.id, found=found)
        return found

    async def _uncovered(self, shards: Collection[int]) -> list[str]:
        return await self.store.uncovered(shards, self.now() - AUDIT_EVERY, most=100)

    async def _read(self, id_: str) -> Sync | None:
        kept = (await self.syncs.read([id_])).get(id_)
        return kept.thing if kept else None

    async def _guarded(self, work: Callable[[], Awaitable[int]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it was, what is to be filled still is
            log.warning("filling stopped for a moment", error=type(error).__name__)
