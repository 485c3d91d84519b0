"""Windows in MongoDB, collection `windows`; forgotten after a day. No decision is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, IndexModel

from connections.window.windows import OPENS_FOR, PROOF_LASTS, Window

if TYPE_CHECKING:
    from kit.mongo import Collection

_MEMBERS = frozenset(member.name for member in fields(Window)) - {"id"}


class MongoWindows:
    """One document a window."""

    INDEXES = (
        IndexModel([("ticket", ASCENDING)], unique=True),
        IndexModel([("connection", ASCENDING), ("made_at", ASCENDING)]),
        IndexModel([("made_at", ASCENDING)], expireAfterSeconds=86_400),
    )

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def add(self, window: Window) -> None:
        document = asdict(window)
        await self._collection.insert_one({"_id": document.pop("id"), **document, "schema": 1})
        # Nobody replaces what sorts last, and whoever inserts last sees all: exactly one stays.
        unopened = {"connection": window.connection, "browser": None, "replaced": False}
        newest = await self._collection.find_one(unopened, sort=[("made_at", -1), ("_id", -1)])
        if newest is not None:
            at, id_ = newest["made_at"], newest["_id"]
            older = {"$or": [{"made_at": {"$lt": at}}, {"made_at": at, "_id": {"$lt": id_}}]}
            await self._collection.update_many(unopened | older, {"$set": {"replaced": True}})

    async def by_ticket(self, ticket: str) -> Window | None:
        return _window(await self._collection.find_one({"ticket": ticket}))

    async def by_id(self, id_: str) -> Window | None:
        return _window(await self._collection.find_one({"_id": id_}))

    async def by_proof(self, connection: str, proof: str) -> Window | None:
        return _window(await self._collection.find_one({"connection": connection, "proof": proof}))

    async def bind(self, id_: str, browser: str, now: datetime) -> bool:
        bound = await self._collection.update_one(
            {"_id": id_, "browser": None, "replaced": False, "made_at": {"$gt": now - OPENS_FOR}},
            {"$set": {"browser": browser}},
        )
        return bound.matched_count == 1

    async def remember(self, id_: str, typed: Mapping[str, Any]) -> None:
        await self._collection.update_one({"_id": id_}, {"$set": {"typed": dict(typed)}})

    async def end(self, id_: str, now: datetime, proof: str | None) -> None:
        await self._collection.update_one({"_id": id_}, {"$set": _ended(now, proof)})

    async def proven(self, id_: str, now: datetime) -> None:
        await self._collection.update_one({"_id": id_}, {"$set": {"proven_at": now}})


def _ended(now: datetime, proof: str | None) -> dict[str, Any]:
    return {"returned_at": now} | ({"proof": proof, "proof_until": now + PROOF_LASTS} if proof else {})


def _window(document: Mapping[str, Any] | None) -> Window | None:
    if document is None:
        return None
    members = {name: value for name, value in document.items() if name in _MEMBERS}
    return Window(id=document["_id"], **members)
