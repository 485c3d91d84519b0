"""The audit trail of lending in MongoDB, collection `audit`; kept for 400 days."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from pymongo import ASCENDING, DESCENDING, IndexModel

from connections.lending import Lent

if TYPE_CHECKING:
    from kit.mongo import Collection

KEPT_FOR = timedelta(days=400)


class MongoAudit:
    """Lines are added and never changed."""

    INDEXES = (
        IndexModel([("connection", ASCENDING), ("at", DESCENDING)]),
        IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT_FOR.total_seconds())),
    )

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def write(self, lent: Lent) -> None:
        await self._collection.insert_one({**asdict(lent), "schema": 1})
