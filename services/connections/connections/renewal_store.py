"""Renewals in MongoDB: what is due, who may renew, when a provider bears it. It decides nothing."""

from __future__ import annotations

from collections.abc import Collection as Collection_
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument

from connections.lifecycle.things import Connection
from connections.lifecycle.tokens import TokenState
from kit.aggregates import SHARDS, shard_of
from kit.mongo import Collection

LEASE = timedelta(seconds=30)
SHARE = 0.66
BURST = 500
"""Milliseconds."""
DUE = IndexModel(
    [("shard", ASCENDING), ("renew_at", ASCENDING), ("provider_id", ASCENDING)],
    name="renewals",
    partialFilterExpression={"renew_at": {"$exists": True}},
)
"""Only connections with something to renew, or to give back, are in it."""
GRANTS = IndexModel(
    [("identity", ASCENDING)],
    name="grants",
    partialFilterExpression={"token.state": {"$exists": True}},
)
"""Who else holds tokens of an account."""
TURNS_KEPT = timedelta(days=7)
INDEXES = (
    IndexModel([("next", ASCENDING)], name="forgotten", expireAfterSeconds=int(TURNS_KEPT.total_seconds())),
)
"""Of `turns`: one document for each provider."""
_ALL_SHARDS = {"$in": list(range(SHARDS))}


class MongoRenewing:
    """By the collection of connections, and one of turns."""

    def __init__(self, connections: Collection, turns: Collection, owner: str) -> None:
        """`owner` is unique per process."""
        self._connections = connections
        self._turns = turns
        self._owner = owner

    async def claim(self, connection_id: str) -> int | None:
        """The fence for renewing; None where another worker does. By the server's clock."""
        until = {"$add": ["$$NOW", int(LEASE.total_seconds() * 1000)]}
        fence = {"$add": [{"$ifNull": ["$renewal.fence", 0]}, 1]}
        claimed = await self._connections.find_one_and_update(
            {
                "_id": connection_id,
                "shard": shard_of(connection_id),
                "token.state": {"$in": [TokenState.FRESH.value, TokenState.RENEWING.value]},
                "$expr": {
                    "$lt": [{"$ifNull": ["$renewal.until", datetime(1970, 1, 1, tzinfo=UTC)]}, "$$NOW"]
                },
            },
            [{"$set": {"renewal": {"owner": self._owner, "until": until, "fence": fence}}}],
            projection={"renewal": 1},
            return_document=ReturnDocument.AFTER,
        )
        return int(claimed["renewal"]["fence"]) if claimed else None

    async def release(self, connection_id: str, fence: int) -> None:
        """It is renewed: the next worker need not wait for the lease's end."""
        mine = {"_id": connection_id, "shard": shard_of(connection_id), "renewal.fence": fence}
        await self._connections.update_one(
            mine, {"$set": {"renewal.until": datetime(1970, 1, 1, tzinfo=UTC)}}
        )

    async def holders(self, it: Connection) -> set[tuple[str, int]]:
        """The providers, by id and revision, of other connections that hold tokens of its account there."""
        alive = [TokenState.FRESH.value, TokenState.RENEWING.value]
        query = {
            "identity": it.identity,
            "token.state": {"$exists": True, "$in": alive},
            "_id": {"$ne": it.id},
        }
        found = self._connections.find(query, {"provider_id": 1, "provider_revision": 1})
        return {(one["provider_id"], one["provider_revision"]) async for one in found}

    async def turn(self, provider_id: str, per_second: float) -> bool:
        """Whether this provider bears one more request now, by the server's clock; it is then counted.

        Turns come at two thirds of the limit, and half a second may be made up for: so that within
        any second there are never more of them than the limit, whoever asks.
        """
        step = 1000 / (SHARE * per_second)
        since = {"$subtract": ["$$NOW", BURST]}
        first = {"$max": [{"$ifNull": ["$next", since]}, since]}
        # Whole milliseconds are kept as a date, what is over them beside it.
        rest = {"$add": [{"$ifNull": ["$rest", 0.0]}, step]}
        kept = await self._turns.find_one_and_update(
            {"_id": provider_id},
            [
                {"$set": {"next": first, "schema": 1, "granted": {"$lte": [first, "$$NOW"]}}},
                {"$set": {"rest": {"$cond": ["$granted", rest, {"$ifNull": ["$rest", 0.0]}]}}},
                {"$set": {"next": {"$add": ["$next", {"$floor": "$rest"}]}}},
                {"$set": {"rest": {"$subtract": ["$rest", {"$floor": "$rest"}]}}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bool(kept["granted"])

    async def due(self, at: datetime, most: int, but: Collection_[str] = ()) -> list[str]:
        """The ids of connections whose tokens are to be looked at by `at`, the longest due first.

        Those of the providers in `but` are left out: they bear no more for a moment.
        """
        query: dict[str, Any] = {"shard": _ALL_SHARDS, "renew_at": {"$lte": at}}
        if but:
            query["provider_id"] = {"$nin": sorted(but)}
        found = self._connections.find(query, {"_id": 1}).sort("renew_at", ASCENDING).limit(most)
        return [document["_id"] async for document in found]
