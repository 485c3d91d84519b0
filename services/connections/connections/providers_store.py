"""The providers that the catalog published, in MongoDB: every revision heard, and which is the newest.

`providers` and `manifests` are kept for ever: sessions and connections pin revisions. 500 are in memory.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection as Ids, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from connections.lifecycle.case import Provider
from kit.mongo import Collection, only_duplicates
from schemas.manifest import Manifest

MOST_IN_MEMORY = 500
FRESH_FOR = 1.0
"""Seconds for which a newest revision is not asked for again. That another replica has heard meanwhile of a
provider's end is met at a try of the login, or at its end of 7 days."""


class MongoProviders:
    """`providers` says which revision is the newest, `manifests` keeps each of them."""

    def __init__(
        self, providers: Collection, manifests: Collection, clients: Callable[[set[str]], Awaitable[set[str]]]
    ) -> None:
        """`clients(ids)` says for which of these the operator has set up a client."""
        self._clients = clients
        self._providers = providers
        self._manifests = manifests
        self._read: OrderedDict[tuple[str, int], Manifest] = OrderedDict()
        self._heads: dict[str, dict[str, Any]] = {}
        self._heads_until = 0.0

    async def newest(self, ids: Ids[str]) -> Mapping[str, Provider]:
        """The newest revision of each; unknown ids are left out."""
        if not ids:
            return {}
        heads = await self._heads_of(ids)
        found = await self._manifests_of([(head["_id"], head["revision"]) for head in heads])
        set_up = await self._set_up({id_ for (id_, _), manifest in found.items() if _needs_client(manifest)})
        return {
            head["_id"]: Provider(
                manifest,
                head["revision"],
                bool(head["retired"]),
                set_up=not _needs_client(manifest) or head["_id"] in set_up,
                paused=bool(head.get("paused")),
                approved=head.get("approved"),
            )
            for head in heads
            if (manifest := found.get((head["_id"], head["revision"])))
        }

    async def at(self, provider_id: str, revision: int) -> Provider | None:
        """One revision, as a session that pinned it needs it."""
        manifest = (await self._manifests_of([(provider_id, revision)])).get((provider_id, revision))
        return None if manifest is None else Provider(manifest, revision)

    async def _set_up(self, ids: set[str]) -> set[str]:
        return await self._clients(ids) if ids else set()

    async def publish(self, revisions: Sequence[tuple[Manifest, int]]) -> None:
        """Keep these revisions; one that is not newer than the newest known stays one that can be pinned."""
        if not revisions:
            return
        kept = [_keeps(manifest, revision) for manifest, revision in revisions]
        await self._manifests.bulk_write(kept, ordered=False)
        self._heads_until = 0.0
        before = dict(await self.newest({manifest.id for manifest, _ in revisions}))
        heads = []
        for manifest, revision in sorted(revisions, key=lambda pair: pair[1]):
            old = before.get(manifest.id)
            if old is not None and old.revision >= revision:
                continue
            heads.append(_leads(manifest.id, revision))
            before[manifest.id] = Provider(manifest, revision)
        if heads:
            await self._lead(heads)
        self._heads_until = 0.0

    async def retire(self, provider_id: str, revision: int) -> bool:
        """Offer it no more, unless a newer revision is known. Whether it is retired now."""
        older = {"_id": provider_id, "revision": {"$lte": revision}}
        members = {"$set": {"retired": True}, "$setOnInsert": {"revision": revision, "schema": 1}}
        try:
            await self._providers.update_one(older, members, upsert=True)
        except DuplicateKeyError:
            return False
        finally:
            self._heads_until = 0.0
        return True

    async def approve(self, provider_id: str) -> int | None:
        """Let secrets go where the newest revision sends them; that revision, None where there is none."""
        head = await self._providers.find_one({"_id": provider_id})
        if head is None:
            return None
        revision = int(head["revision"])
        await self._providers.update_one({"_id": provider_id}, {"$max": {"approved": revision}})
        return revision

    async def pause(self, provider_id: str, *, paused: bool) -> bool:
        """Pause or resume a provider for all accounts. Whether there is one of this id."""
        done = await self._providers.update_one({"_id": provider_id}, {"$set": {"paused": paused}})
        return done.matched_count == 1

    async def retired(self, ids: Ids[str]) -> set[str]:
        """Which of these are offered no more, also where nothing but that was ever heard of them."""
        return {head["_id"] for head in await self._heads_of(ids) if head["retired"]}

    async def _lead(self, heads: Sequence[UpdateOne]) -> None:
        """Say which are the newest. Another replica that knows newer ones makes an upsert fail: rightly."""
        try:
            await self._providers.bulk_write(list(heads))
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
            done = errors.details["writeErrors"][0]["index"] + 1
            if done < len(heads):
                await self._lead(heads[done:])

    async def _heads_of(self, ids: Ids[str]) -> list[dict[str, Any]]:
        if time.monotonic() > self._heads_until:
            self._heads, self._heads_until = {}, time.monotonic() + FRESH_FOR
        missing = [id_ for id_ in ids if id_ not in self._heads]
        if missing:
            async for head in self._providers.find({"_id": {"$in": missing}}):
                self._heads[head["_id"]] = head
        return [self._heads[id_] for id_ in ids if id_ in self._heads]

    async def _manifests_of(self, wanted: Ids[tuple[str, int]]) -> dict[tuple[str, int], Manifest]:
        found = {key: self._read[key] for key in wanted if key in self._read}
        missing = [_key(*key) for key in wanted if key not in found]
        if missing:
            async for document in self._manifests.find({"_id": {"$in": missing}}):
                key = (document["provider"], document["revision"])
                found[key] = Manifest.model_validate(document["manifest"])
        for key, manifest in found.items():
            self._read[key] = manifest
            self._read.move_to_end(key)
        while len(self._read) > MOST_IN_MEMORY:
            self._read.popitem(last=False)
        return found


def _needs_client(manifest: Manifest) -> bool:
    return manifest.oauth is not None and manifest.oauth.client == "operator"


def _keeps(manifest: Manifest, revision: int) -> UpdateOne:
    kept = {"manifest": manifest.wire(), "provider": manifest.id, "revision": revision, "schema": 1}
    return UpdateOne({"_id": _key(manifest.id, revision)}, {"$set": kept}, upsert=True)


def _leads(provider_id: str, revision: int) -> UpdateOne:
    members = {"revision": revision, "retired": False, "schema": 1}
    return UpdateOne({"_id": provider_id, "revision": {"$lt": revision}}, {"$set": members}, upsert=True)


def _key(provider_id: str, revision: int) -> str:
    return f"{provider_id}@{revision}"
