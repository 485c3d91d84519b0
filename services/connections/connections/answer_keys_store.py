"""The keys that answers are sealed to, in MongoDB. It opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from connections.answer_keys import KeptKey
from connections.vault import Sealed
from connections.vault_store import MongoRecords

if TYPE_CHECKING:
    from kit.mongo import Collection


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
