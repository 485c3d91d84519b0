"""Aggregates in MongoDB: reading by id, and one guarded `bulk_write` for a batch. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection as Ids, Sequence
from datetime import datetime
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from kit.aggregates import Aggregates, Change, Kept, Kind, shard_of
from kit.mongo import Collection, declare, only_duplicates

T = TypeVar("T")

OWING = IndexModel(
    [("shard", ASCENDING), ("owes.0.at", ASCENDING)],
    name="owing",
    partialFilterExpression={"owes.0": {"$exists": True}},
)
"""Only documents that owe something are in it, so that looking for them never grows with the others."""
VALUELESS = {"owes.value": 0}
"""What is owed is counted, not read."""
BODIES_KEPT = 40 * 24 * 3600
"""Seconds after which a body that nobody cleared goes by itself: longer than Kafka may be away."""


class MongoAggregates(Aggregates[T]):
    """`collection` keeps the things, `bodies` the large events they owe."""

    def __init__(
        self,
        kind: Kind[T],
        collection: Collection,
        bodies: Collection,
        now: Callable[[], datetime],
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(kind, now, ring)
        self.collection = collection
        self.bodies = bodies

    async def declare(self, *indexes: IndexModel) -> None:
        """Make the relay's index, that of bodies, and those given."""
        await declare(self.collection, (OWING, *indexes))
        await declare(self.bodies, (IndexModel("at", name="kept", expireAfterSeconds=BODIES_KEPT),))

    async def read(self, ids: Ids[str]) -> dict[str, Kept[T]]:
        if len(ids) == 1:  # half the time of a cursor; one thing's debt is sooner read than left out
            (id_,) = ids
            document = await self.collection.find_one({"_id": id_, "shard": shard_of(id_)})
            return {id_: self._kept(document)} if document else {}
        found = self.collection.find(_these(ids), VALUELESS, batch_size=len(ids) + 1)
        return {document["_id"]: self._kept(document) for document in await found.to_list(None)}

    async def write(self, changes: Sequence[Change]) -> set[str]:
        await self._keep_bodies(changes)
        if len(changes) == 1:  # a bulk of one costs a third more
            return await self._write_one(changes[0])
        token = ObjectId()  # counted, not drawn: asking for random bytes lets go of the interpreter
        writes = [UpdateOne(guard(change), self._update(change, token), change.v == 0) for change in changes]
        try:
            result = await self.collection.bulk_write(writes, ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
        else:
            if result.matched_count + result.upserted_count == len(changes):
                return set()
        ids = [change.id for change in changes]
        won = self.collection.find(_these(ids) | {"by": token}, {"_id": 1})
        return set(ids) - {document["_id"] async for document in won}

    async def _keep_bodies(self, changes: Sequence[Change]) -> None:
        """Large events first: an owed reference without its body could never be published."""
        large = [owed for change in changes for owed in change.owes if owed.large]
        if large:
            writes = [
                UpdateOne({"_id": owed.id}, {"$set": {"value": owed.value, "at": owed.at}}, upsert=True)
                for owed in large
            ]
            await self.bodies.bulk_write(writes, ordered=False)

    async def _write_one(self, change: Change) -> set[str]:
        update = self._update(change)
        try:
            result = await self.collection.update_one(guard(change), update, change.v == 0)
        except DuplicateKeyError:
            return {change.id}
        return set() if result.matched_count or result.upserted_id is not None else {change.id}

    def _update(self, change: Change, token: ObjectId | None = None) -> dict[str, Any]:
        """`token` tells the writes of one batch apart; who writes one alone is told how it went."""
        members = {**change.set, "v": change.v + change.steps, "schema": self.kind.schema}
        if token is not None:
            members["by"] = token
        pushed: dict[str, Any] = {"owes": {"$each": [owed.document() for owed in change.owes]}}
        if change.remembered is None:
            pushed["seen"] = {"$each": change.seen}
        else:
            members["seen"] = [*change.remembered, *change.seen]
        update: dict[str, Any] = {"$set": members, "$push": pushed}
        if change.unset:
            update["$unset"] = dict.fromkeys(change.unset, "")
        return update

    def _kept(self, document: dict[str, Any]) -> Kept[T]:
        owed, seen = len(document.get("owes", ())), tuple(document.get("seen", ()))
        return Kept(document["_id"], document["account"], document["v"], owed, self.kind.load(document), seen)


def _these(ids: Ids[str]) -> dict[str, Any]:
    return {"_id": {"$in": list(ids)}, "shard": {"$in": sorted(set(map(shard_of, ids)))}}


def guard(change: Change) -> dict[str, Any]:
    """What must be so for the write to count. Version 0 matches nothing, and so makes the document."""
    known = {"_id": change.id, "shard": shard_of(change.id), "v": change.v}
    return known if change.v else known | {"account": change.account}
