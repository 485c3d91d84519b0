"""The ledger: one row for each version of a document and each connection that it goes to.

`next_at` exists only while something is owed: the document to the target, or (at `UNTOLD`) its result to the
world. Rows go `PAPERBUS_LEDGER_DAYS` after they were done; `store.retention` sees to that.
"""

from __future__ import annotations

from collections.abc import Collection as Some, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from kit.mongo import Collection, only_duplicates
from schemas.reasons import RowStatus

Doc = dict[str, Any]
SCHEMA = 1
UNTOLD = datetime(1970, 1, 1, tzinfo=UTC)
"""`next_at` of a row whose result no event tells of yet."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
INDEXES = (
    IndexModel(
        [("account", ASCENDING), ("connection", ASCENDING), ("next_at", ASCENDING)],
        name="open",
        partialFilterExpression={"next_at": {"$exists": True}},
    ),
    IndexModel(
        [
            ("account", ASCENDING),
            ("connection", ASCENDING),
            ("status", ASCENDING),
            ("received_at", DESCENDING),
        ],
        name="list",
    ),
    IndexModel(
        [("account", ASCENDING), ("connection", ASCENDING), ("target", ASCENDING)],
        name="target",
        partialFilterExpression={"target": {"$exists": True}},
    ),
)
"""`account` leads in all: each query is for accounts it names, and goes to their shards alone."""


def new_row(  # noqa: PLR0913, PLR0917 - a row is made in one place, from these
    account: str, connection: str, document: str, version: int, received_at: datetime, now: datetime
) -> Doc:
    """A row that waits. What is said to have come later than now is taken now."""
    return {
        "_id": f"{connection}/{document}/{version}",
        "account": account,
        "connection": connection,
        "document": document,
        "version": version,
        "status": RowStatus.PENDING.value,
        "received_at": received_at,
        "next_at": min(received_at, now),
        "at": now,
        "schema": SCHEMA,
    }


async def add(ledger: Collection, rows: Sequence[Doc]) -> int:
    """Insert rows; those that are there already are left as they are. Returns how many were new."""
    if not rows:
        return 0
    try:
        return len((await ledger.insert_many(rows, ordered=False)).inserted_ids)
    except BulkWriteError as errors:
        if not only_duplicates(errors):
            raise
        return int(errors.details["nInserted"])


class MongoLedger:
    """Keeps `handlers.dues.Ledger`. One key is read for each connection, however many rows wait."""

    def __init__(self, ledger: Collection) -> None:
        self.ledger = ledger

    async def ready(self, accounts: Some[str], connections: Some[str], now: datetime) -> set[str]:
        return set(await self.ledger.distinct("connection", ready_query(accounts, connections, now)))

    async def waiting(self, accounts: Some[str], connections: Some[str]) -> set[str]:
        return set(await self.ledger.distinct("connection", ready_query(accounts, connections, NEVER)))


def ready_query(accounts: Some[str], connections: Some[str], now: datetime) -> Doc:
    """Rows that are to be moved by then."""
    return {
        "account": {"$in": list(accounts)},
        "connection": {"$in": list(connections)},
        "next_at": {"$gt": UNTOLD, "$lte": now},
    }
