"""Browsers that are at a provider, in MongoDB, collection `departures`; forgotten after an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymongo import ASCENDING, IndexModel

from connections.handlers.leaving import Left
from connections.vault_store import MongoRecords
from kit.mongo import Collection


class MongoDepartures:
    """One document a departure, by the digest of its `state`; what it must remember is sealed."""

    INDEXES = (IndexModel([("at", ASCENDING)], expireAfterSeconds=3600),)

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def add(self, left: Left) -> None:
        document = asdict(left)
        await self._collection.insert_one({"_id": document.pop("id"), **document, "schema": 1})

    async def take(self, id_: str) -> Left | None:
        document = await self._collection.find_one_and_delete({"_id": id_})
        return None if document is None else _left(document)

    def records(self) -> MongoRecords:
        """What departures must remember, for rewrapping."""
        return MongoRecords(self._collection, "sealed", lambda document: _left(document).place)


def _left(document: Mapping[str, Any]) -> Left:
    members = {name: value for name, value in document.items() if name not in ("_id", "schema")}
    return Left(id=document["_id"], **members)
