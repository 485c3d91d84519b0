"""Walking over documents for one connection: the fill after a save, the audit of the last days, retention."""

from __future__ import annotations

from collections.abc import Collection as Some, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateMany

from kit.aggregates import shard_of
from kit.mongo import Collection
from schemas.documents import Metadata
from schemas.reasons import Reason, RowStatus
from sync_runner.lifecycle.matching import Document, matches
from sync_runner.lifecycle.row import DOUBTFUL, FINAL, Dropped, from_states
from sync_runner.lifecycle.sync import Fill, Sync
from sync_runner.store.ledger import add, new_row

Doc = dict[str, Any]
STEP = 1000
FILLING = IndexModel(
    [("shard", ASCENDING), ("fill.revision", ASCENDING)],
    name="filling",
    partialFilterExpression={"fill.revision": {"$exists": True}},
)
COVERED = IndexModel(
    [("shard", ASCENDING), ("covered_to", ASCENDING)],
    name="covered",
    partialFilterExpression={"covered_to": {"$exists": True}},
)


class MongoFills:
    """`documents` walked in order of (received_at, _id), rows added to `ledger` where they match."""

    def __init__(self, documents: Collection, syncs: Collection, ledger: Collection) -> None:
        self.documents = documents
        self.syncs = syncs
        self.ledger = ledger

    async def filling(self, shards: Some[int], most: int) -> list[str]:
        """Connections whose documents are to be walked."""
        found = self.syncs.find(filling_query(shards), {"_id": 1}).limit(most)
        return [sync["_id"] async for sync in found]

    async def uncovered(self, shards: Some[int], before: datetime, most: int) -> list[str]:
        """Connections that were last covered before then, longest ago first."""
        found = self.syncs.find(covered_query(shards, before), {"_id": 1}).sort("covered_to", ASCENDING)
        return [sync["_id"] async for sync in found.limit(most)]

    async def step(self, sync: Sync, fill: Fill, oldest: datetime, now: datetime) -> tuple[Fill, int, bool]:
        """Walk 1,000 documents on. Returns how far it came, how many rows are new, if it is through."""
        since = max(oldest, fill.since) if fill.since else oldest
        query = walk_query(sync.account, since, fill.at)
        order = [("received_at", ASCENDING), ("_id", ASCENDING)]
        documents = await self.documents.find(query).sort(order).limit(STEP).to_list(STEP)
        rows = [_row(sync, document, now) for document in documents if _wanted(sync, document)]
        new = await add(self.ledger, rows)
        if documents:
            last = documents[-1]
            fill = replace(fill, at=(last["received_at"], last["_id"]))
        return fill, new, len(documents) < STEP

    async def missing(self, sync: Sync, since: datetime, upto: datetime) -> bool:
        """Whether a document of that time has no row that it should have."""
        query = walk_query(sync.account, max(since, sync.since or since), None)
        query["received_at"]["$lte"] = upto
        wanted: list[str] = []
        async for document in self.documents.find(query):
            if _wanted(sync, document):
                wanted.append(f"{sync.id}/{document['document']}/{document['version']}")
            if len(wanted) == STEP:
                if await self._lacks(sync, wanted):
                    return True
                wanted = []
        return await self._lacks(sync, wanted)

    async def _lacks(self, sync: Sync, rows: list[str]) -> bool:
        query = {"_id": {"$in": rows}, "account": sync.account}
        return bool(rows) and await self.ledger.count_documents(query) < len(rows)

    async def save(self, sync: Sync, fill: Fill) -> None:
        """Remember how far a walk came, unless another one took its place."""
        if fill.at is None:
            return
        at = {"received_at": fill.at[0], "id": fill.at[1]}
        await self.syncs.update_one(
            {
                "_id": sync.id,
                "account": sync.account,
                "shard": shard_of(sync.id),
                "fill.revision": fill.revision,
            },
            {"$set": {"fill.at": at}},
        )

    async def covered(self, sync: Sync, now: datetime) -> None:
        """It was looked through."""
        own = {"_id": sync.id, "account": sync.account, "shard": shard_of(sync.id)}
        await self.syncs.update_one(own, {"$set": {"covered_to": now}})

    async def close(self, sync: Sync, now: datetime) -> None:
        """Nothing is owed for it any more: what was not sent never is; what may have arrived is unknown."""
        own = {"account": sync.account, "connection": sync.id, "next_at": {"$exists": True}}
        unsent = [status.value for status in from_states(Dropped) if status not in DOUBTFUL]
        why = {"reason": Reason.REMOVED.value, "at": now}
        skipped = {"status": RowStatus.SKIPPED.value} | why
        unknown = {"status": RowStatus.UNKNOWN.value} | why
        closing = [
            UpdateMany(own | {"status": {"$in": unsent}}, {"$set": skipped, "$unset": {"message": ""}}),
            UpdateMany(own | {"status": RowStatus.SENDING.value}, {"$set": unknown}),
            UpdateMany(own, {"$unset": {"next_at": "", "again_at": ""}}),
        ]
        await self.ledger.bulk_write(closing)

    async def forget(self, sync: Sync, before: datetime) -> int:
        """Drop what was received before then and is final, or was closed."""
        old = {
            "account": sync.account,
            "connection": sync.id,
            "status": {"$in": [status.value for status in (*FINAL, RowStatus.UNKNOWN)]},
            "received_at": {"$lt": before},
            "next_at": {"$exists": False},
        }
        if sync.direction == "import":  # what may be listed again must stay known
            old["gone_at"] = {"$lt": before}
        return (await self.ledger.delete_many(old)).deleted_count


def walk_query(account: str, since: datetime, at: tuple[datetime, str] | None) -> Doc:
    """An account's documents from `since` on, or after `at`."""
    if at is None:
        return {"account": account, "received_at": {"$gte": since}}
    received_at, id_ = at
    return {
        "account": account,
        "received_at": {"$gte": received_at},
        "$or": [{"received_at": {"$gt": received_at}}, {"_id": {"$gt": id_}}],
    }


def filling_query(shards: Some[int]) -> Doc:
    return {"shard": {"$in": list(shards)}, "fill.revision": {"$exists": True}}


def covered_query(shards: Some[int], before: datetime) -> Doc:
    return {"shard": {"$in": list(shards)}, "covered_to": {"$lte": before}}


def _wanted(sync: Sync, document: Mapping[str, Any]) -> bool:
    if document.get("withdrawn"):
        return False
    metadata = Metadata.model_validate(document["metadata"])
    return matches(sync.filters, sync.since, Document(document["received_at"], metadata))


def _row(sync: Sync, document: Mapping[str, Any], now: datetime) -> Doc:
    received_at = document["received_at"]
    return new_row(sync.account, sync.id, document["document"], document["version"], received_at, now)
