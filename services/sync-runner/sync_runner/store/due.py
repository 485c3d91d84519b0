"""What is due: finding it by shard, and moving it on to its next time. It emits nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection as Some, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateMany

from kit.mongo import Collection
from schemas.reasons import Direction
from schemas.schedules import Schedule
from sync_runner.store.shapes import schedule_of

WAKE = IndexModel(
    [("shard", ASCENDING), ("wake_at", ASCENDING)],
    name="wake",
    partialFilterExpression={"wake_at": {"$exists": True}},
)
"""Only what will be due by itself is in it."""
SHOWN = {
    "account": 1,
    "direction": 1,
    "schedule": 1,
    "anchor": 1,
    "due_at": 1,
    "revision": 1,
    "delay": 1,
    "shard": 1,
}


@dataclass(frozen=True, slots=True)
class DueSync:
    """A connection that is due."""

    id: str
    account: str
    schedule: Schedule
    anchor: datetime
    due_at: datetime
    revision: int
    delay: int
    """Milliseconds from due to waking."""
    direction: Direction = "export"


@dataclass(frozen=True, slots=True)
class Move:
    """From one due time to the next (None: none by itself). `wake_at` where it is not due and delay."""

    was: datetime
    revision: int
    next: datetime | None
    wake_at: datetime | None = None


class MongoDue:
    """`syncs`, as the scheduler sees them."""

    def __init__(self, syncs: Collection) -> None:
        self.syncs = syncs

    async def due(self, shards: Some[int], now: datetime, most: int) -> AsyncGenerator[list[DueSync], None]:
        """Everything that is to be woken by `now`, soonest first, in batches."""
        found = self.syncs.find(due_query(shards, now), SHOWN).sort("wake_at", ASCENDING).batch_size(most)
        batch: list[DueSync] = []
        async for sync in found:
            batch.append(_due(sync))
            if len(batch) == most:
                yield batch
                batch = []
        if batch:
            yield batch

    async def move(self, shards: Some[int], moves: Mapping[Move, Sequence[str]]) -> None:
        """Move on all that is still due when it was: a schedule changed meanwhile is left alone."""
        writes = [_write(shards, move, ids) for move, ids in moves.items()]
        if writes:
            await self.syncs.bulk_write(writes, ordered=False)


def due_query(shards: Some[int], now: datetime) -> dict[str, Any]:
    return {"shard": {"$in": list(shards)}, "wake_at": {"$lte": now}}


def _write(shards: Some[int], move: Move, ids: Sequence[str]) -> UpdateMany:
    still = {
        "_id": {"$in": list(ids)},
        "shard": {"$in": list(shards)},
        "due_at": move.was,
        "revision": move.revision,
        "wake_at": {"$exists": True},
    }
    if move.next is None:
        return UpdateMany(still, {"$unset": {"due_at": "", "wake_at": ""}}, hint="_id_")
    wake_at = move.wake_at or {"$add": [move.next, "$delay"]}
    return UpdateMany(still, [{"$set": {"due_at": move.next, "wake_at": wake_at}}], hint="_id_")


def _due(sync: Mapping[str, Any]) -> DueSync:
    return DueSync(
        sync["_id"],
        sync["account"],
        schedule_of(sync["schedule"]),
        sync["anchor"],
        sync["due_at"],
        sync["revision"],
        sync["delay"],
        sync["direction"],
    )
