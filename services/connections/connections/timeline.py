"""What happened to a connection, in order: every event that was said about it. Nobody decides by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from kit.endings import DONE, Ended
from kit.heard import Heard
from kit.mongo import Collection
from schemas.envelope import Event

KEPT_FOR = timedelta(days=400)
INDEXES = (
    IndexModel([("connection", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="of_connection"),
    IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(KEPT_FOR.total_seconds())),
)
_LEFT_OUT = frozenset({"connection_id", "fields", "image", "options"})
"""Long, and in the connection itself."""


class Timeline:
    """The collection `timeline`, filled from our own events, so that no entry is lost or written twice."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def handle(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """`connections.events`, in batches."""
        writes = [
            UpdateOne({"_id": heard.event.id}, {"$setOnInsert": _entry(heard.event)}, upsert=True)
            for heard in batch
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)
        return [DONE] * len(batch)

    async def of(
        self, connection_id: str, account: str, most: int, after: tuple[datetime, str] | None = None
    ) -> list[dict[str, Any]]:
        """The newest entries of a connection, those after a place (time, id) in that order."""
        query: dict[str, Any] = {"connection": connection_id, "account": account}
        if after is not None:
            at, id_ = after
            query["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": id_}}]
        found = self._collection.find(query).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(most)
        return [document async for document in found]


def _entry(event: Event[Any]) -> dict[str, Any]:
    said = {name: value for name, value in event.data.wire().items() if name not in _LEFT_OUT}
    return {
        "connection": event.subject,
        "account": event.accountid,
        "at": event.time,
        "sequence": event.sequence,
        "what": event.type.split(".")[1],
        "actor": event.actor,
        "data": said,
        "schema": 1,
    }
