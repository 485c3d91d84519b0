"""The runs of all connections: who works on which, and how they end. Keeps `handlers.runs.Runs`.

Claims and changes are guarded writes of the sync (`kit.aggregates`); the lease is its `ready_at`, by the
server's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection as Some, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from kit.aggregates import SHARDS, Draft, shard_of
from kit.endings import NotNow
from kit.mongo_aggregates import MongoAggregates
from schemas.reasons import Reason
from sync_runner.handlers.runs import LEASE, Claim, Failure, Lost, Order, Result, Row
from sync_runner.lifecycle import run as runs
from sync_runner.lifecycle.heard import (
    Broke,
    Claimed,
    Doubted,
    Finished,
    Listed,
    PassedOn,
    Prepared,
    Reached,
    Told,
)
from sync_runner.lifecycle.sync import Selection, Standing, State, Sync, run_of
from sync_runner.lifecycle.times import out_of_quiet
from sync_runner.store.import_rows import ImportRows
from sync_runner.store.rows import Rows

READY = IndexModel(
    [("ready_at", ASCENDING)],
    name="ready",
    partialFilterExpression={"ready_at": {"$exists": True}},
)
CANDIDATES = 8
CLOCK_SLACK = timedelta(seconds=5)
"""Candidates are looked for by our clock and this much ahead; the server's decides."""
SOONEST = timedelta(minutes=1)
"""A retry by itself comes no sooner."""
STOPPED = {
    Standing.PAUSED: (Reason.PAUSED, "The connection was paused before its run was through."),
    Standing.REMOVED: (Reason.REMOVED, "The connection was removed before its run was through."),
}


class MongoRuns:
    """Runs and their rows in Mongo."""

    def __init__(self, syncs: MongoAggregates[Sync], rows: Rows, imports: ImportRows | None = None) -> None:
        self.syncs = syncs
        self.rows = rows
        self.imports = imports or ImportRows(rows.ledger)

    def _rows(self, claim: Claim) -> Rows | ImportRows:
        """The ledger as runs of its direction see it."""
        return self.imports if claim.direction == "import" else self.rows

    async def claim(self, owner: str, crowded: Some[str] = ()) -> Claim | None:
        first = await self._claim(owner, {"account": {"$nin": list(crowded)}} if crowded else {})
        return first or (await self._claim(owner, {}) if crowded else None)

    async def _claim(self, owner: str, which: Mapping[str, Any]) -> Claim | None:
        for id_, now in await self._ready(which):
            if (claim := await self._claim_one(id_, owner, now)) is not None:
                # What a worker before us told of, and died before it could say so here.
                await self._rows(claim).tell(claim, claim.part - 1, claim.told_as)
                return claim
        return None

    async def _ready(self, which: Mapping[str, Any]) -> list[tuple[str, datetime]]:
        """The runs that have been ready for longest, with the server's time."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {**ready_query(datetime.now(UTC)), **which}},
            {"$sort": {"ready_at": ASCENDING}},
            {"$limit": CANDIDATES},
            {"$project": {"ready_at": 1, "now": "$$NOW"}},
        ]
        found = self.syncs.collection.aggregate(pipeline)
        return [(sync["_id"], sync["now"]) async for sync in found if sync["ready_at"] <= sync["now"]]

    async def _claim_one(self, id_: str, owner: str, now: datetime) -> Claim | None:
        def take(sync: Sync | None) -> Any:
            if sync is None or sync.ready_at is None or sync.ready_at > now:
                return None
            return runs.follow(sync, Claimed(owner, now, now + LEASE))

        try:
            sync = await self.syncs.alter(id_, take)
        except NotNow:  # it owes too many events: Kafka is away
            return None
        mine = sync is not None and sync.ready_at == now + LEASE and run_of(sync).owner == owner
        return claim_of(sync) if sync is not None and mine else None

    async def renew(self, claim: Claim) -> Order:
        until = {"$add": ["$$NOW", LEASE // timedelta(milliseconds=1)]}
        held = await self.syncs.collection.find_one_and_update(
            {
                "_id": claim.connection_id,
                "account": claim.account,
                "shard": shard_of(claim.connection_id),
                "state": State.RUNNING.value,
                "fence": claim.fence,
                "run.owner": claim.owner,
            },
            [{"$set": {"ready_at": until}}],
            projection={"standing": 1},
        )
        if held is None:
            raise Lost(claim.run_id)
        return Order.STOP if Standing(held["standing"]) in STOPPED else Order.GO_ON

    async def take_rows(self, claim: Claim, most: int) -> Sequence[Row]:
        return await self.rows.take(claim, await self._prepared(claim), most)

    async def prepared(self, claim: Claim) -> Selection:
        return run_of(await self._prepared(claim)).selection

    async def _prepared(self, claim: Claim) -> Sync:
        sync = await self._ours(claim)
        selection = run_of(sync).selection
        if not selection.redo:
            return sync
        await self._rows(claim).reopen(claim, selection)
        return await self._follow(claim, Prepared()) or sync

    async def listed(self, claim: Claim, cursor: Mapping[str, Any], *, through: bool) -> Claim:
        await self._follow(claim, Listed(cursor, through, claim.revision))
        return replace(claim, cursor=cursor, lists=claim.lists and not through)

    async def intend(self, claim: Claim, rows: Sequence[Row]) -> Sequence[Row]:
        return await self.rows.intend(claim, rows)

    async def record(self, claim: Claim, results: Sequence[Result]) -> Some[str]:
        return await self.rows.record(claim, results)

    async def owners(self, claim: Claim, targets: Some[str]) -> Mapping[str, str]:
        return await self.rows.owners(claim, targets)

    async def moved(self, claim: Claim) -> Sequence[Row]:
        return await self.rows.moved(claim)

    async def reached(self, claim: Claim, folder: str) -> None:
        await self._follow(claim, Reached(folder))

    async def doubt(self, claim: Claim, target: str) -> None:
        await self.rows.doubt(claim, target)
        doubted = Doubted(now())
        with suppress(NotNow):  # it owes too many events; its next due takes the row
            await self.syncs.alter(
                claim.connection_id, lambda sync: runs.follow(sync, doubted) if sync else None
            )

    async def pass_on(self, claim: Claim) -> Claim | None:
        rows = self._rows(claim)
        documents, sealed = await rows.untold(claim)
        if documents or sealed:
            sync = await self._follow(claim, Told(documents, now(), sealed))
            claim = replace(claim, part=run_of(sync).part) if sync else claim
            await rows.tell(claim, claim.part - 1, sealed.seal if sealed else None)
        if not await self._ready({"_id": {"$ne": claim.connection_id}}):
            return claim
        await self._follow(claim, PassedOn(now()))
        return None

    async def finish(self, claim: Claim, failure: Failure | None = None) -> bool:
        seals: list[str] = []

        async def end(sync: Sync) -> Finished | Broke | None:
            ended = await self._end(claim, sync, failure)
            if ended is not None and ended.sealed is not None:
                seals.append(ended.sealed.seal)
            return ended

        if await self._change(claim, end) is None:
            return False
        await self._rows(claim).tell(claim, claim.part, seals[-1] if seals else None)
        return True

    async def release(self, claim: Claim) -> None:
        try:
            await self._follow(claim, PassedOn(now()))
        except Lost:
            return

    async def _end(self, claim: Claim, sync: Sync, failure: Failure | None) -> Finished | Broke | None:
        """How the run ends, as things are now; None where it has to go on."""
        at, rows, selection = now(), self._rows(claim), run_of(sync).selection
        left = claim.lists or await rows.any_left(claim, selection, at)
        if left and failure is None and sync.may_run:
            return None
        documents, sealed = await rows.untold(claim)
        if failure is not None and sync.may_run:
            delay = runs.retry_delay(failure.reason, sync.failures, failure.retry_after)
            again = None if delay is None else out_of_quiet(sync.schedule, at + delay)
            why, login = failure.reason, failure.credentials_revision
            return Broke(documents, at, why, failure.message, login, again, sealed)
        if left and not sync.may_run:
            reason, message = STOPPED[sync.standing]
            resumed = at if reason is Reason.PAUSED else None
            return Broke(documents, at, reason, message, None, resumed, sealed)
        again = await rows.again_at(claim)
        again = again and out_of_quiet(sync.schedule, max(again, at + SOONEST))
        return Finished(documents, at, again, sealed)

    async def _ours(self, claim: Claim) -> Sync:
        kept = (await self.syncs.read([claim.connection_id])).get(claim.connection_id)
        return _checked(claim, kept.thing if kept else None)

    async def _follow(self, claim: Claim, message: object) -> Sync | None:
        async def same(_: Sync) -> object:
            return message

        return await self._change(claim, same)

    async def _change(
        self, claim: Claim, message_of: Callable[[Sync], Awaitable[object | None]]
    ) -> Sync | None:
        """Change the claim's sync by a message that is made for what was read; again if somebody was faster.

        While Kafka takes no events, and the sync owes too many, it waits; the lease is renewed beside it.
        """
        while True:
            kept = (await self.syncs.read([claim.connection_id])).get(claim.connection_id)
            sync = _checked(claim, kept.thing if kept else None)
            message = await message_of(sync)
            if message is None:
                return None
            draft = Draft(self.syncs.kind, claim.connection_id, kept, self.syncs.now())
            try:
                draft.make_room()
            except NotNow:
                await asyncio.sleep(1)
                continue
            draft.take(runs.follow(sync, message), claim.account, run_of(sync).cause)
            change = draft.change()
            if change is None or not await self.syncs.write([change]):
                self.syncs.ring()
                return draft.thing


def now() -> datetime:
    """To the millisecond, as Mongo keeps it."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def ready_query(at: datetime) -> dict[str, Any]:
    """Runs that are ready. All shards: whoever has a free slot takes the oldest of all."""
    return {"ready_at": {"$lte": at + CLOCK_SLACK}, "shard": {"$in": list(range(SHARDS))}}


def claim_of(sync: Sync) -> Claim:
    """What a worker is given."""
    run = run_of(sync)
    return Claim(
        connection_id=sync.id,
        account=sync.account,
        run_id=run.id,
        fence=sync.fence,
        owner=run.owner or "",
        due_at=run.due_at,
        started_at=run.started_at or run.due_at,
        provider_id=sync.provider_id,
        provider_revision=sync.provider_revision,
        options=sync.options,
        revision=sync.revision,
        part=run.part,
        destination=sync.destination,
        direction=sync.direction,
        since=sync.since,
        cursor=sync.cursor,
        lists=sync.direction == "import" and run.selection.everything and not run.listed,
        told_as=sync.told_as,
    )


def _checked(claim: Claim, sync: Sync | None) -> Sync:
    """The sync, if the claim still holds it."""
    if sync is None or sync.state is not State.RUNNING or sync.fence != claim.fence:
        raise Lost(claim.run_id)
    if run_of(sync).owner != claim.owner:
        raise Lost(claim.run_id)
    return sync
