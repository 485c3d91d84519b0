"""The manifests that the catalog published, every revision heard: a connection pins one. 500 are in memory.

Kept for ever: connections keep their revision when a provider is retired.
"""

from __future__ import annotations

from collections import OrderedDict

from pymongo import DESCENDING, IndexModel

from kit.mongo import Collection
from schemas.manifest import Manifest

SCHEMA = 1
MOST_IN_MEMORY = 500
NEWEST = IndexModel([("provider", 1), ("revision", DESCENDING)], name="newest")


class MongoProviders:
    """`providers`, one document for each revision."""

    def __init__(self, providers: Collection) -> None:
        self.providers = providers
        self._read: OrderedDict[tuple[str, int], Manifest] = OrderedDict()

    async def publish(self, manifest: Manifest, revision: int) -> None:
        """Keep a revision. Keeping it again changes nothing."""
        kept = {"manifest": manifest.wire(), "provider": manifest.id, "revision": revision, "schema": SCHEMA}
        await self.providers.update_one({"_id": f"{manifest.id}@{revision}"}, {"$set": kept}, upsert=True)

    async def manifest(self, provider_id: str, revision: int) -> Manifest | None:
        """That revision; where the topic kept only newer ones, the newest. None where neither is known."""
        if (known := self._read.get((provider_id, revision))) is not None:
            self._read.move_to_end((provider_id, revision))
            return known
        pinned = await self.providers.find_one({"_id": f"{provider_id}@{revision}"})
        newest = {"sort": [("revision", DESCENDING)]}
        newer = {"provider": provider_id, "revision": {"$gt": revision}}
        found = pinned or await self.providers.find_one(newer, **newest)
        if found is None:
            return None
        manifest = Manifest.model_validate(found["manifest"])
        if pinned is not None:
            self._read[provider_id, revision] = manifest
        while len(self._read) > MOST_IN_MEMORY:
            self._read.popitem(last=False)
        return manifest
