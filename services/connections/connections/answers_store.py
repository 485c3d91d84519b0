"""Answer keys and used answer ids in MongoDB. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from connections.answer_keys import KeptKey
from connections.vault import Sealed
from connections.vault_store import MongoRecords

if TYPE_CHECKING:
    from kit.mongo import Collection

KEPT_FOR = timedelta(hours=3)
"""How long a used `answer_id` is remembered: longer than the topic keeps the event and the claims live."""


class MongoKeyStore:
    """The keys in MongoDB, collection `answer_keys`. Kept for ever, without their private part."""

    INDEXES = (IndexModel([("n", ASCENDING)], unique=True),)

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def all(self) -> Sequence[KeptKey]:
        return [_key(document) async for document in self._collection.find({}).sort("n", -1)]

    async def add(self, key: KeptKey) -> bool:
        sealed = key.sealed.document() if key.sealed else None
        document = {"_id": key.kid, "n": key.n, "public": key.public, "made_at": key.made_at, "schema": 1}
        try:
            await self._collection.insert_one(document | {"sealed": sealed})
        except DuplicateKeyError:
            return False
        return True

    async def destroy(self, kid: str, at: datetime) -> None:
        await self._collection.update_one(
            {"_id": kid}, {"$unset": {"sealed": ""}, "$set": {"retired_at": at}}
        )

    def records(self) -> MongoRecords:
        """The private keys, for rewrapping."""
        return MongoRecords(self._collection, "sealed", lambda document: _key(document).place)


def _key(document: Any) -> KeptKey:
    sealed = document.get("sealed")
    return KeptKey(
        kid=document["_id"],
        n=document["n"],
        public=document["public"],
        made_at=document["made_at"],
        sealed=Sealed.of(sealed) if sealed else None,
        retired_at=document.get("retired_at"),
    )


class MongoUsed:
    """Used answer ids in MongoDB, collection `used_answers`; forgotten after three hours."""

    INDEXES = (IndexModel([("at", ASCENDING)], expireAfterSeconds=int(KEPT_FOR.total_seconds())),)

    def __init__(self, collection: Collection, now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now

    async def spend(self, answer_id: str, event: str) -> bool:
        try:
            await self._collection.insert_one(
                {"_id": answer_id, "event": event, "at": self._now(), "schema": 1}
            )
        except DuplicateKeyError:
            return await self._collection.find_one({"_id": answer_id, "event": event}) is not None
        return True
