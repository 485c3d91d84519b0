"""Counts of rows, and an account's newest documents. Keeps `handlers.overview.Overview`; reads only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from pymongo import DESCENDING

from kit.mongo import Collection
from schemas.reasons import RowStatus
from sync_runner.handlers.overview import MOST_COUNTED

Doc = dict[str, Any]
COUNTED = [status for status in RowStatus if status not in (RowStatus.SKIPPED, RowStatus.OTHER)]
STEP = 500


class MongoOverview:
    """`ledger` and `documents`."""

    def __init__(self, ledger: Collection, documents: Collection) -> None:
        self.ledger = ledger
        self.documents = documents

    async def standing(self, account: str, connection: str) -> dict[str, int]:
        counted = await asyncio.gather(
            *(
                self.ledger.count_documents(standing_query(account, connection, status), limit=MOST_COUNTED)
                for status in COUNTED
            )
        )
        return {status.value: number for status, number in zip(COUNTED, counted, strict=True)}

    async def newest(self, account: str, since: datetime | None) -> AsyncIterator[Mapping[str, Any]]:
        found = self.documents.find(newest_query(account, since), batch_size=STEP)
        async for document in found.sort([("received_at", DESCENDING), ("_id", DESCENDING)]):
            yield document


def standing_query(account: str, connection: str, status: RowStatus) -> Doc:
    return {"account": account, "connection": connection, "status": status.value}


def newest_query(account: str, since: datetime | None) -> Doc:
    return {"account": account} | ({"received_at": {"$gte": since}} if since else {})
