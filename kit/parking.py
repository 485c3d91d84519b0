"""Parked events: what must wait, kept in Mongo in offset order for each key. It releases none by itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection as Keys, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import Binary
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from kit.mongo import Collection, declare, only_duplicates

CLAIMED = timedelta(seconds=60)
"""Whoever releases a key has it for so long; a dead one's is free again afterwards."""
AT_ONCE = 200
CLEAR_FOR = 1.0
"""Seconds for which a group with nothing parked is taken to have nothing: asking before each batch was a
third of what a small one waits for. What we park we know; others' is there only after partitions `moved`."""
INDEXES = (
    IndexModel([("group", ASCENDING), ("next_at", ASCENDING)], name="due"),
    IndexModel([("group", ASCENDING), ("key", ASCENDING), ("offset", ASCENDING)], name="order"),
)
"""Retention: until released, by hand if need be; nothing that was promised is dropped."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An event as Kafka has it, untouched."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    parked_at: datetime | None = None
    tries: int = 0

    @property
    def lane(self) -> bytes:
        """What keeps its order: the key; without one, its partition."""
        return self.key if self.key is not None else b"partition %d" % self.partition


@dataclass(frozen=True, slots=True)
class Wait:
    """That `raw` must wait, until when and why."""

    raw: Raw
    reason: str
    next_at: datetime


class Parking:
    """The parked events of one service, in its collection `parked`."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._clear_until: dict[str, float] = {}

    async def declare(self) -> None:
        await declare(self.collection, INDEXES)

    async def waiting(self, group: str, lanes: Keys[bytes]) -> set[bytes]:
        """Those of `lanes` in which something is parked already."""
        asked_at = time.monotonic()
        if asked_at < self._clear_until.get(group, 0.0):
            return set()
        if await self.collection.find_one({"group": group}, {"_id": 1}) is None:
            self._clear_until[group] = asked_at + CLEAR_FOR
            return set()
        found = self.collection.find(
            {"group": group, "key": {"$in": [Binary(lane) for lane in lanes]}}, {"key": 1}
        )
        return {bytes(document["key"]) async for document in found}

    def moved(self, group: str) -> None:
        """Partitions came to us: who had them before may have parked some of theirs."""
        self._clear_until.pop(group, None)

    async def park(self, group: str, waits: Iterable[Wait], now: datetime) -> None:
        """Keep them. What is parked already stays as it is."""
        documents = [_document(group, wait, now) for wait in waits]
        try:
            if documents:
                self._clear_until.pop(group, None)
                await self.collection.insert_many(documents, ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise

    async def claim(self, group: str, now: datetime) -> list[Raw]:
        """What may be tried now: whole lanes, each in offset order, ours for 60 s."""
        while parked := await self._due(group, now):
            heads: dict[bytes, dict[str, Any]] = {}
            for document in parked:
                heads.setdefault(bytes(document["key"]), document)
            mine = await self._claim_heads(head["_id"] for head in heads.values())
            waiting = [head for head in heads.values() if head["next_at"] > now and "claim" not in head]
            if mine or not waiting:
                return [_raw(document) for document in parked if heads[bytes(document["key"])]["_id"] in mine]
            for head in waiting:  # those behind it came later, and are in the way of other lanes
                await self._put_off(group, head["key"], head["next_at"])
        return []

    async def _due(self, group: str, now: datetime) -> list[dict[str, Any]]:
        """Lanes in which something is due, from their first."""
        due = self.collection.find({"group": group, "next_at": {"$lte": now}}, {"key": 1}).limit(AT_ONCE)
        lanes = {bytes(document["key"]) async for document in due}
        if not lanes:
            return []
        order = [("partition", ASCENDING), ("offset", ASCENDING)]
        query = {"group": group, "key": {"$in": [Binary(lane) for lane in lanes]}}
        return await self.collection.find(query).sort(order).limit(AT_ONCE).to_list(None)

    async def _claim_heads(self, heads: Iterable[str]) -> set[str]:
        """One writer wins each head, by the server's clock."""
        ids, token = list(heads), uuid.uuid4().hex
        free = {"_id": {"$in": ids}, "$expr": {"$lte": ["$next_at", "$$NOW"]}}
        until = {"$add": ["$$NOW", int(CLAIMED.total_seconds() * 1000)]}
        await self.collection.update_many(free, [{"$set": {"next_at": until, "claim": token}}])
        return {
            document["_id"]
            async for document in self.collection.find({"_id": {"$in": ids}, "claim": token}, {"_id": 1})
        }

    async def remove(self, group: str, raws: Sequence[Raw]) -> None:
        """These have ended."""
        await self.collection.delete_many({"_id": {"$in": [id_of(group, raw) for raw in raws]}})

    async def again(self, group: str, wait: Wait) -> None:
        """The first of its lane must wait longer, and so do those behind it."""
        await self._put_off(group, wait.raw.lane, wait.next_at)
        tried = {"$inc": {"tries": 1}, "$set": {"reason": wait.reason}, "$unset": {"claim": ""}}
        await self.collection.update_one({"_id": id_of(group, wait.raw)}, tried)

    async def _put_off(self, group: str, lane: bytes, until: datetime) -> None:
        """The whole lane waits as its first does."""
        parked = {"group": group, "key": Binary(lane)}
        await self.collection.update_many(parked, {"$set": {"next_at": until}})

    async def count(self) -> int:
        """How many are parked, about."""
        return await self.collection.estimated_document_count()

    async def listed(self, limit: int = 100) -> list[dict[str, Any]]:
        """What is parked, oldest first, without the events themselves. For operators."""
        found = self.collection.find({}, {"value": 0, "headers": 0}).sort("parked_at", ASCENDING).limit(limit)
        return await found.to_list(None)

    async def retry(self, group: str | None = None) -> int:
        """Let everything (of one group) be tried at once. Returns how many that are."""
        query = {} if group is None else {"group": group}
        result = await self.collection.update_many(query, [{"$set": {"next_at": "$$NOW"}}])
        return result.matched_count


def id_of(group: str, raw: Raw) -> str:
    return f"{group}/{raw.partition}/{raw.offset}"


def _document(group: str, wait: Wait, now: datetime) -> dict[str, Any]:
    raw = wait.raw
    return {
        "_id": id_of(group, raw),
        "schema": 1,
        "group": group,
        "topic": raw.topic,
        "partition": raw.partition,
        "offset": raw.offset,
        "key": Binary(raw.lane),
        "keyed": raw.key is not None,
        "value": raw.value,
        "headers": [[name, value] for name, value in raw.headers],
        "reason": wait.reason,
        "tries": 1,
        "parked_at": now,
        "next_at": wait.next_at,
    }


def _raw(document: dict[str, Any]) -> Raw:
    return Raw(
        document["topic"],
        document["partition"],
        document["offset"],
        bytes(document["key"]) if document["keyed"] else None,
        document["value"],
        tuple((name, value) for name, value in document["headers"]),
        document["parked_at"],
        document["tries"],
    )
