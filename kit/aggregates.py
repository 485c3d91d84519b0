"""Aggregates: one thing, one document, one guarded write. It decides nothing and knows no Mongo.

A document is `{_id, account, v, shard, by, schema, owes, seen, …the thing's own members}`. `fold` and `alter`
read, let the caller decide, write guarded by `v`, and let the losers decide again. Two stores keep the
promise: `kit.mongo_aggregates.MongoAggregates` and, for tests, `kit.memory.MemoryAggregates`.
"""

from __future__ import annotations

import asyncio
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from kit.draft import MOST_SEEN, Change, Decide, Draft, Kept, Kind, subject_of
from kit.endings import DONE, Ended, Refused
from kit.heard import Heard
from kit.owed import NOBODY, Cause
from kit.transitions import Decision
from schemas.envelope import Event

__all__ = ["MOST_SEEN", "SHARDS", "Aggregates", "Change", "Decide", "Draft", "Kept", "Kind", "shard_of"]

T = TypeVar("T")

SHARDS = 64
LANES = 3
"""Parts of a batch that are decided side by side: while the store is at one, the next is made ready."""
LEAST_IN_LANE = 50
"""Things in a lane at least: a smaller batch stays whole."""


def shard_of(key: str) -> int:
    """Which of the 64 shards a Kafka key belongs to: `crc32(key) % 64`."""
    return zlib.crc32(key.encode()) % SHARDS


class Aggregates(ABC, Generic[T]):
    """The things of one kind. Callers need `fold` for batches of events, `alter` for everything else."""

    def __init__(
        self, kind: Kind[T], now: Callable[[], datetime], ring: Callable[[], None] = lambda: None
    ) -> None:
        """`ring` is called after a write that owes events, so that the relay need not wait for its poll."""
        self.kind = kind
        self.now = now
        self.ring = ring

    @abstractmethod
    async def read(self, ids: Collection[str]) -> dict[str, Kept[T]]:
        """The things with these ids, by id; ids that are not there are left out. From the primary."""

    @abstractmethod
    async def write(self, changes: Sequence[Change]) -> set[str]:
        """Write all of them in one go, at most one for each id. Returns the ids whose guard did not hold.

        A lost one changed nothing: it is to be read and decided again.
        """

    async def fold(
        self, batch: Sequence[Heard], decide: Decide[T], id_of: Callable[[Event[Any]], str] | None = None
    ) -> list[Ended]:
        """Handle a batch: several events of one thing become one write, each with a version of its own.

        What was heard before changes nothing and is done. Another account's thing is refused as unknown. A
        refusal of a request to a thing that exists is owed by that thing, in order with its other events, and
        is done. With 64 events owed, for a request also with 1,000 remembered, the ending is not now; after
        one, later events of that thing wait too. `id_of` is the subject that the event's data demands, unless
        given.
        """
        of = id_of or subject_of
        groups: dict[str, list[int]] = {}
        for index, heard in enumerate(batch):
            groups.setdefault(of(heard.event), []).append(index)
        endings: list[Ended] = [DONE] * len(batch)
        lanes = min(LANES, len(groups) // LEAST_IN_LANE)
        if lanes < 2:
            await self._fold(groups, batch, decide, endings)
            return endings
        ids = list(groups)
        parts = [{id_: groups[id_] for id_ in ids[lane::lanes]} for lane in range(lanes)]
        folding = (self._fold(part, batch, decide, endings) for part in parts)
        ended = await asyncio.gather(*folding, return_exceptions=True)  # none goes on when this returns
        if error := next((one for one in ended if one is not None), None):
            raise error
        return endings

    async def _fold(
        self, groups: dict[str, list[int]], batch: Sequence[Heard], decide: Decide[T], endings: list[Ended]
    ) -> None:
        """The events of some things, by their places in the batch."""
        while groups:
            kept, now = await self.read(groups), self.now()
            drafts = [Draft(self.kind, id_, kept.get(id_), now) for id_ in groups]
            for draft in drafts:
                for index in groups[draft.id]:
                    endings[index] = draft.hear(batch[index], decide)
            lost = await self._write([change for draft in drafts if (change := draft.change())])
            groups = {id_: indexes for id_, indexes in groups.items() if id_ in lost}

    async def alter(
        self,
        id_: str,
        decide: Callable[[T | None], Decision[T] | None],
        *,
        account: str | None = None,
        cause: Cause = NOBODY,
    ) -> T | None:
        """Read, decide, write; again while somebody else was faster. Returns the thing as it is afterwards.

        `decide` gets None where there is no such thing; `account` is needed only to create one. A decision of
        None writes nothing. What `decide` raises passes through.

        Raises:
            NotNow: 64 events are owed already.
        """
        while True:
            draft = Draft(self.kind, id_, (await self.read((id_,))).get(id_), self.now())
            if await self._altered(draft, decide, account, cause):
                return draft.thing

    async def go_on(
        self, known: Kept[T], decide: Callable[[T | None], Decision[T] | None], *, cause: Cause = NOBODY
    ) -> Kept[T]:
        """As `alter`, of a thing as it was read or written last: read again only where that does not do.

        Returns it as it is kept afterwards, so that who does several things to it need not read in between.
        """
        draft = Draft(self.kind, known.id, known, self.now())
        if await self._altered(draft, decide, known.account, cause) and draft.steps:
            return draft.written()
        while True:  # somebody else was faster, or nothing is to be done to what it may have been before
            kept = (await self.read((known.id,)))[known.id]
            draft = Draft(self.kind, known.id, kept, self.now())
            if await self._altered(draft, decide, known.account, cause):
                return draft.written()

    async def _altered(
        self,
        draft: Draft[T],
        decide: Callable[[T | None], Decision[T] | None],
        account: str | None,
        cause: Cause,
    ) -> bool:
        """Decide and write once. False where somebody else was faster."""
        decision = decide(draft.thing)
        if decision is None:
            return True
        draft.make_room()
        draft.take(decision, draft.account or account, cause)
        change = draft.change()
        return change is None or not await self._write([change])

    async def refuse(self, refusals: Iterable[tuple[Heard, Refused]]) -> list[Ended]:
        """Owe refusals in the things they were meant for; those of no such thing come back as they are."""
        pairs = list(refusals)
        reasons = {id(heard.event): refused for heard, refused in pairs}

        def refusing(_: T | None, event: Event[Any]) -> Decision[T] | None:
            raise reasons[id(event)]

        return await self.fold([heard for heard, _ in pairs], refusing)

    async def _write(self, changes: Sequence[Change]) -> set[str]:
        lost = await self.write(changes) if changes else set()
        if any(change.owes for change in changes):
            self.ring()
        return lost
