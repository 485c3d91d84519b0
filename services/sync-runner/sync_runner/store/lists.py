"""What the HTTP interface shows: a connection, and its ledger, newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pymongo import DESCENDING

from kit.mongo import Collection
from schemas.reasons import RowStatus
from sync_runner.handlers.lists import Entry, Place, Wanted

Doc = dict[str, Any]
STATUSES = tuple(status.value for status in RowStatus if status is not RowStatus.OTHER)
STEP = 200
MOST_SEARCHED = 5000
"""Rows that one request looks through for words."""


class MongoLists:
    """`ledger` joined with `documents`. Keeps `handlers.lists.Lists`."""

    def __init__(self, ledger: Collection, documents: Collection) -> None:
        self.ledger = ledger
        self.documents = documents

    async def rows(self, wanted: Wanted, place: Place | None, most: int) -> tuple[list[Entry], Place | None]:
        """Up to `most` rows, and where the next page starts."""
        found: list[Entry] = []
        looked, words = 0, wanted.words.casefold()
        async for entry in self._entries(wanted, place):
            if len(found) == most or looked == MOST_SEARCHED:
                return found, place
            looked += 1
            received_at = entry.row["received_at"]
            same = place is not None and place.received_at == received_at
            place = Place(received_at, (place.skip if same and place else 0) + 1)
            if not words or _says(entry, words):
                found.append(entry)
        return found, None

    async def _entries(self, wanted: Wanted, place: Place | None) -> AsyncIterator[Entry]:
        found = self.ledger.find(list_query(wanted, place), batch_size=STEP)
        found.sort("received_at", DESCENDING).skip(place.skip if place else 0)
        while rows := await found.to_list(STEP):
            ids = [f"{wanted.account}/{row['document']}" for row in rows]
            join = {"_id": {"$in": ids}, "account": wanted.account}
            documents = {document["document"]: document async for document in self.documents.find(join)}
            for row in rows:
                imported = "thing" in row  # such a row says all that is known of its document
                yield Entry(row, row if imported else documents.get(row["document"], {}))


def list_query(wanted: Wanted, place: Place | None) -> Doc:
    statuses = list(wanted.statuses or STATUSES)
    query: Doc = {"account": wanted.account, "connection": wanted.connection, "status": {"$in": statuses}}
    return query | ({"received_at": {"$lte": place.received_at}} if place else {})


def _says(entry: Entry, words: str) -> bool:
    about = entry.document.get("metadata", {})
    texts = (
        entry.row["document"],
        entry.row.get("target"),
        entry.document.get("filename"),
        about.get("number"),
        about.get("seller_name"),
        about.get("buyer_name"),
    )
    return any(words in str(text).casefold() for text in texts if text)
