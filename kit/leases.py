"""Leases: who may do something now, by the server's clock (`$$NOW`), with a fencing token. It does no work.

A lease is a document `{_id: "group/name", owner, until, fence}`, a replica one `{_id: "group@owner", until}`.
Retention: none is needed, there are as many as there are names and owners.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from pymongo.errors import BulkWriteError, PyMongoError

from kit.logs import logger
from kit.metrics import LEASED
from kit.mongo import Collection, only_duplicates

log = logger(__name__)

LEASE = timedelta(seconds=30)
FREE = datetime(1970, 1, 1, tzinfo=UTC)
ALIVE = {"$expr": {"$gt": ["$until", "$$NOW"]}}
OVER = {"$expr": {"$lte": ["$until", "$$NOW"]}}


@dataclass(frozen=True, slots=True)
class Lease:
    """`name` is ours until the server's clock says otherwise. `fence` rises with every new holder."""

    name: str
    fence: int


class Leases:
    """A fair share of some names for each replica, kept while `tend` runs. For shards and single duties."""

    def __init__(
        self, collection: Collection, group: str, names: Sequence[str], owner: str, ttl: timedelta = LEASE
    ) -> None:
        """`group` tells apart what is leased (`relay.syncs`); `owner` is unique per replica.

        Where `owner` outlives a restart (`PAPERBUS_INSTANCE`), what it held is taken up again at once.
        """
        self.group = group
        self.names = tuple(names)
        self.owner = owner
        self._collection = collection
        self._ttl = ttl
        self._held: dict[str, Lease] = {}
        self._sure_until = 0.0

    def held(self) -> Mapping[str, Lease]:
        """What is ours now, by name. Empty once it may have run out, whatever the network does."""
        return self._held if time.monotonic() < self._sure_until else {}

    def stuck(self) -> str | None:
        """A sentence for `/health/ready` while nothing can be leased; None while all is well."""
        if time.monotonic() < self._sure_until:
            return None
        return f"The leases of {self.group} cannot be renewed: our own store does not answer."

    async def tend(self) -> None:
        """Renew what is ours, claim what is free up to a fair share, hand over what is too much. A loop."""
        began = False
        while True:
            try:
                if not began:
                    await self._begin()
                    began = True
                await self._renew()
            except PyMongoError as error:
                log.warning("leases not renewed", group=self.group, error=type(error).__name__)
                await asyncio.sleep(1)
                continue
            short = len(self._held) < len(self.names) // 2
            await asyncio.sleep(self._ttl.total_seconds() / (15 if short else 3))

    async def release(self) -> None:
        """Give everything back, so that another replica need not wait."""
        self._held, self._sure_until = {}, 0.0
        await self._collection.update_many(self._own(), {"$set": {"until": FREE}})
        await self._collection.delete_one({"_id": f"{self.group}@{self.owner}"})

    async def _begin(self) -> None:
        """Make the documents, and take up what an earlier process of this owner held."""
        blank = {"group": self.group, "schema": 1, "owner": None, "until": FREE, "fence": 0}
        documents = [{"_id": f"{self.group}/{name}", "name": name, **blank} for name in self.names]
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
        await self._collection.update_many(self._own(), self._taken())

    async def _renew(self) -> None:
        sent = time.monotonic()
        share = ceil(len(self.names) / await self._members())
        await self._collection.update_many(self._own() | ALIVE, [{"$set": {"until": self._until()}}])
        mine = await self._mine()
        if len(mine) < share:
            await self._claim(share - len(mine))
            mine = await self._mine()
        self._held = dict(sorted(mine.items())[:share])
        self._sure_until = sent + 0.8 * self._ttl.total_seconds()
        LEASED.labels(self.group).set(len(self._held))
        if spare := sorted(mine)[share:]:
            await asyncio.sleep(1)  # what is under way with them ends first
            ids = [f"{self.group}/{name}" for name in spare]
            await self._collection.update_many(
                {"_id": {"$in": ids}, "owner": self.owner}, {"$set": {"until": FREE}}
            )

    async def _members(self) -> int:
        """How many replicas share, ourselves included."""
        own = {"_id": f"{self.group}@{self.owner}"}
        said = {"group": self.group, "member": True, "until": self._until()}
        await self._collection.update_one(own, [{"$set": said}], upsert=True)
        return max(1, await self._collection.count_documents({"group": self.group, "member": True} | ALIVE))

    async def _claim(self, number: int) -> None:
        free = {"group": self.group, "name": {"$in": list(self.names)}} | OVER
        ids = [document["_id"] async for document in self._collection.find(free, {"_id": 1}).limit(number)]
        await self._collection.update_many({"_id": {"$in": ids}} | OVER, self._taken())

    async def _mine(self) -> dict[str, Lease]:
        found = self._collection.find(self._own() | ALIVE, {"name": 1, "fence": 1})
        return {lease["name"]: Lease(lease["name"], lease["fence"]) async for lease in found}

    def _own(self) -> dict[str, Any]:
        return {"group": self.group, "owner": self.owner, "name": {"$in": list(self.names)}}

    def _taken(self) -> list[dict[str, Any]]:
        fence = {"$add": ["$fence", 1]}
        return [{"$set": {"owner": self.owner, "until": self._until(), "fence": fence}}]

    def _until(self) -> dict[str, Any]:
        return {"$add": ["$$NOW", int(self._ttl.total_seconds() * 1000)]}
