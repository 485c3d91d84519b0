"""Owes the present state of connections again, for `paperbus admin republish`; running relays publish it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from connections import store
from connections.lifecycle.restating import restated
from kit.aggregates import SHARDS
from kit.endings import NotNow
from kit.mongo import Database
from kit.mongo_aggregates import MongoAggregates

PATIENCE = 1.0
"""Seconds to wait where a connection owes too much already."""


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


async def republish(db: Database, account: str | None, connection: str | None) -> int:
    """Say the state of every saved connection (of that account, or that one) again; how many that are."""
    connections = MongoAggregates(store.KIND, db.connections, db.bodies, now)
    count = 0
    async for id_ in _saved(db, account, connection):
        while True:
            try:
                await connections.alter(id_, lambda it: restated(it, now()))
            except NotNow:
                await asyncio.sleep(PATIENCE)
            else:
                break
        count += 1
    return count


async def _saved(db: Database, account: str | None, connection: str | None) -> AsyncIterator[str]:
    query: dict[str, object] = {"shard": {"$in": list(range(SHARDS))}, "saved_at": {"$ne": None}}
    if account is not None:
        query["account"] = account
    if connection is not None:
        query["_id"] = connection
    async for document in db.connections.find(query, {"_id": 1}):
        yield document["_id"]
