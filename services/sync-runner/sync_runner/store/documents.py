"""Documents of the platform: one for each id, its newest version, a tombstone when withdrawn.

Kept as long as the ledger refers to them and connections may still want them: they go with the account.
"""

from __future__ import annotations

from collections.abc import Collection as Some, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from kit.mongo import Collection, only_duplicates
from sync_runner.handlers.documents import Told, Wanting
from sync_runner.lifecycle.document import TOMBSTONE, Word
from sync_runner.store.ledger import add, new_row
from sync_runner.store.shapes import filters_of

Doc = dict[str, Any]
SCHEMA = 1
INDEXES = (
    IndexModel([("account", ASCENDING), ("received_at", ASCENDING), ("_id", ASCENDING)], name="received"),
)
EXPORTS = IndexModel(
    [("account", ASCENDING), ("live", ASCENDING)],
    name="exports",
    partialFilterExpression={"live": {"$exists": True}},
)
"""`live` is false for exports that were removed; imports have none."""


class MongoDocuments:
    """Keeps `handlers.documents.Documents`."""

    def __init__(self, documents: Collection, syncs: Collection, ledger: Collection) -> None:
        self.documents = documents
        self.syncs = syncs
        self.ledger = ledger

    async def keep(self, told: Sequence[Told]) -> dict[str, Word]:
        there = await self._add([one for one in told if _is_first(one)])
        return await self._replace([*(one for one in told if not _is_first(one)), *there])

    async def _add(self, told: Sequence[Told]) -> list[Told]:
        """Insert documents that are new; returns those that are not.

        A first version nearly always is, and to insert it costs the server a third of a guarded upsert.
        """
        try:
            if told:
                await self.documents.insert_many([_new(one) for one in told], ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
            return [told[error["index"]] for error in errors.details["writeErrors"]]
        return []

    async def _replace(self, told: Sequence[Told]) -> dict[str, Word]:
        if not told:
            return {}
        writes = [_update(one) for one in told]
        try:
            await self.documents.bulk_write(writes, ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
            return await self._known([told[error["index"]] for error in errors.details["writeErrors"]])
        return {}

    async def _known(self, told: Sequence[Told]) -> dict[str, Word]:
        query = {"_id": {"$in": [one.id for one in told]}, "account": {"$in": [one.account for one in told]}}
        shown = {"at": 1, "version": 1, "sha256": 1, "withdrawn": 1}
        return {document["_id"]: _word(document) async for document in self.documents.find(query, shown)}

    async def wanting(self, accounts: Some[str]) -> dict[str, list[Wanting]]:
        found: dict[str, list[Wanting]] = {}
        shown = {"account": 1, "filters": 1, "since": 1}
        async for sync in self.syncs.find(live_query(accounts), shown):
            who = Wanting(sync["_id"], filters_of(sync["filters"]), sync.get("since"))
            found.setdefault(sync["account"], []).append(who)
        return found

    async def owe(self, pairs: Sequence[tuple[Wanting, Told]], now: datetime) -> int:
        rows = [
            new_row(told.account, who.connection, told.document, told.word.version, _received(told), now)
            for who, told in pairs
        ]
        return await add(self.ledger, rows)


def live_query(accounts: Some[str]) -> Doc:
    return {"account": {"$in": list(accounts)}, "live": True}


def exports_query(account: str) -> Doc:
    """All exports that an account ever had: what a removed one put somewhere is ours still."""
    return {"account": account, "live": {"$exists": True}}


def _received(told: Told) -> datetime:
    return told.data.received_at if told.data else told.word.at


def _word(document: Mapping[str, Any]) -> Word:
    return Word(document["at"], document["version"], document.get("sha256"), document.get("withdrawn", False))


def _is_first(told: Told) -> bool:
    return told.data is not None and told.word.version == 1


def _own(told: Told) -> Doc:
    return {"_id": told.id, "account": told.account}


def _members(told: Told) -> Doc:
    """What is kept of a document besides its id; of a withdrawal, what is kept whatever was before."""
    word, data = told.word, told.data
    always = {"document": told.document, "at": word.at, "schema": SCHEMA}
    if data is None:
        return always
    return always | {
        "version": word.version,
        "sha256": word.sha256,
        "size": data.size,
        "media_type": data.media_type,
        "filename": data.filename,
        "content_url": data.content_url,
        "received_at": data.received_at,
        "metadata": data.metadata.wire(),
    }


def _new(told: Told) -> Doc:
    return _own(told) | _members(told)


def _update(told: Told) -> UpdateOne:
    """The write, guarded by the rule of `lifecycle.document.judge`; an upsert it stops is a duplicate."""
    word, own = told.word, _own(told)
    if told.data is None:
        return UpdateOne(
            own | {"at": {"$lte": word.at}},
            {
                "$set": _members(told) | {"withdrawn": True},
                "$setOnInsert": {"version": TOMBSTONE, "received_at": word.at, "metadata": {}},
            },
            upsert=True,
        )
    not_newer = {"at": {"$lte": word.at}}
    guard = [
        {"version": {"$lt": word.version}, "withdrawn": {"$exists": False}},
        {"version": {"$lt": word.version}} | not_newer,
        {"version": word.version, "sha256": word.sha256, "withdrawn": {"$exists": False}} | not_newer,
        {"version": word.version, "sha256": word.sha256, "at": {"$lt": word.at}},
    ]
    return UpdateOne(own | {"$or": guard}, {"$set": _members(told), "$unset": {"withdrawn": ""}}, upsert=True)
