"""The scheduler: says `ExportDue` or `ImportDue` for what is due in our shards, then moves it on; it runs
nothing.

Emitted first, moved on afterwards: killed in between, it says the same due again, under the same id.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Protocol

from kit.logs import logger
from kit.owed import named_id
from schemas.base import rfc3339
from schemas.syncs import DueReason, ExportDue, ImportDue
from sync_runner.lifecycle.times import following, out_of_quiet
from sync_runner.store.due import DueSync, MongoDue, Move
from sync_runner.store.shapes import SOURCE

log = logger(__name__)

BATCH = 1000
IN_FLIGHT = 3
"""Batches on their way to Kafka at once."""
LOOK = 1.0
"""Seconds between two looks."""
MILLISECOND = timedelta(milliseconds=1)


class Emitter(Protocol):
    """Says events: all of them acknowledged by Kafka when it returns."""

    async def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Each a Kafka key and a whole event."""


class Scheduler:
    """One for a replica. `shards()` are those that are ours at the moment."""

    def __init__(
        self,
        due: MongoDue,
        emitter: Emitter,
        shards: Callable[[], Collection[int]],
        now: Callable[[], datetime],
    ) -> None:
        self.due = due
        self.emitter = emitter
        self.shards = shards
        self.now = now

    async def run(self) -> None:
        """Look, for ever. Trouble of Kafka or Mongo is waited out: what is due stays due."""
        while True:
            try:
                await self.once()
            except Exception as error:  # noqa: BLE001 - whatever it was, what is due is still due
                log.warning("scheduling stopped for a moment", error=type(error).__name__)
            await asyncio.sleep(LOOK)

    async def once(self) -> int:
        """Say everything that is due now. Returns how many."""
        shards, now, said = sorted(self.shards()), self.now(), 0
        if not shards:
            return 0
        tasks: set[asyncio.Task[None]] = set()
        async with aclosing(self.due.due(shards, now, BATCH)) as batches:
            async for batch in batches:
                said += len(batch)
                tasks.add(asyncio.create_task(self._fire(shards, batch, now)))
                if len(tasks) >= IN_FLIGHT:
                    tasks = await _some_done(tasks)
        while tasks:
            tasks = await _some_done(tasks)
        return said

    async def _fire(self, shards: Collection[int], batch: Sequence[DueSync], now: datetime) -> None:
        events: list[tuple[str, bytes]] = []
        moves: dict[Move, list[str]] = {}
        for sync in batch:
            reason, move = plan(sync, now)
            if reason is not None:
                events.append((sync.id, event_of(sync, reason, now)))
            moves.setdefault(move, []).append(sync.id)
        await self.emitter.send(events)
        await self.due.move(shards, moves)


def plan(sync: DueSync, now: datetime) -> tuple[DueReason | None, Move]:
    """Why it is due (None: not before its quiet hours end), and when it is next. Pure.

    Everything missed while nobody looked is one due: a catch-up.
    """
    if (end := out_of_quiet(sync.schedule, now)) != now:
        return None, Move(sync.due_at, sync.revision, sync.due_at, end)
    reason, next_ = DueReason.SCHEDULE, following(sync.schedule, sync.anchor, sync.due_at)
    if next_ is not None and next_ <= now:
        reason, next_ = DueReason.CATCH_UP, following(sync.schedule, sync.anchor, now)
    wake_at = None
    if next_ is not None and sync.schedule.quiet:
        later = next_ + sync.delay * MILLISECOND
        wake_at = later if out_of_quiet(sync.schedule, later) == later else next_
    return reason, Move(sync.due_at, sync.revision, next_, wake_at)


def event_of(sync: DueSync, reason: DueReason, now: datetime) -> bytes:
    """The due as it travels. Its id follows from connection and due time. By hand: 7,000 a second."""
    due_at = rfc3339(sync.due_at)
    kind = ExportDue if sync.direction == "export" else ImportDue
    return (
        f'{{"specversion":"1.0","id":"{named_id(sync.id, "due", due_at)}","source":"{SOURCE}",'
        f'"type":"{kind.TYPE}","time":"{rfc3339(now)}","subject":"{sync.id}",'
        f'"datacontenttype":"application/json","accountid":{json.dumps(sync.account)},'
        f'"data":{{"connection_id":"{sync.id}","due_at":"{due_at}","reason":"{reason.value}"}}}}'
    ).encode()


async def _some_done(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for one; a failure ends the others' turn too, at the next look."""
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return left
