"""Sessions, spent tokens and lists in MongoDB, collections `sessions`, `spent` and `lists`."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from console.sessions import LASTS, Session
from kit import mongo

if TYPE_CHECKING:
    from kit.mongo import Database

LIST_LASTS = 30 * 86_400
"""Seconds."""


class MongoSessions:
    """Sessions are forgotten after 12 hours, spent tokens after one: by then they have long expired."""

    def __init__(self, db: Database) -> None:
        self._sessions = db.sessions
        self._spent = db.spent

    async def prepare(self) -> None:
        """Declare the indexes."""
        lasts = int(LASTS.total_seconds())
        await mongo.declare(self._sessions, [IndexModel([("at", ASCENDING)], expireAfterSeconds=lasts)])
        await mongo.declare(self._spent, [IndexModel([("at", ASCENDING)], expireAfterSeconds=3600)])

    async def spend(self, jti: str, now: datetime) -> bool:
        try:
            await self._spent.insert_one({"_id": jti, "at": now, "schema": 1})
        except DuplicateKeyError:
            return False
        return True

    async def add(self, session: Session) -> None:
        members = asdict(session)
        await self._sessions.insert_one({"_id": members.pop("id"), **members, "schema": 1})

    async def find(self, id_: str) -> Session | None:
        found = await self._sessions.find_one({"_id": id_})
        if found is None:
            return None
        return Session(id_, *(found[name] for name in ("account", "sub", "role", "at", "seen_at")))

    async def seen(self, id_: str, now: datetime) -> None:
        await self._sessions.update_one({"_id": id_}, {"$set": {"seen_at": now}})

    async def end(self, id_: str) -> None:
        await self._sessions.delete_one({"_id": id_})


class MongoLists:
    """The list of each account as it was shown last. What nobody looked at for 30 days is forgotten."""

    def __init__(self, db: Database) -> None:
        self._lists = db.lists

    async def prepare(self) -> None:
        """Declare the index."""
        await mongo.declare(self._lists, [IndexModel([("at", ASCENDING)], expireAfterSeconds=LIST_LASTS)])

    async def keep(self, account: str, lines: list[dict[str, Any]], now: datetime) -> None:
        told = json.dumps(
            [lines, str(now.date())], sort_keys=True
        )  # once a day anew, so that it is not forgotten
        digest = hashlib.sha256(told.encode()).hexdigest()
        changed = {"_id": account, "digest": {"$ne": digest}}
        kept = {"lines": lines, "digest": digest, "at": now, "schema": 1}
        with contextlib.suppress(DuplicateKeyError):  # as it was: nothing is written
            await self._lists.update_one(changed, {"$set": kept}, upsert=True)

    async def kept(self, account: str) -> list[dict[str, Any]] | None:
        found = await self._lists.find_one({"_id": account})
        return None if found is None else list(found["lines"])
