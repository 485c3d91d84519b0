"""MongoDB of the catalogue. It decides nothing.

* `providers`    the aggregates; kept for ever, also when retired. Their version is the revision.
* `logos`        logos, and what was read last of their folders, so that unchanged ones are not parsed again
* `topic`        where `catalog.events` ended when everything was published: one document
* `suggestions`  what customers miss; each asker's word goes after a year
* `bodies`, `parked`, `leases`  kit's
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bson import Binary
from pydantic_core import to_json
from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.errors import DuplicateKeyError

from catalog.handlers import Asker, Suggestion
from catalog.lifecycle import Glance, Provider, State
from catalog.reading import File, Logo
from catalog.wire import SHOWN, Wire
from kit.aggregates import SHARDS, Change, Kind, shard_of
from kit.mongo import Database, declare
from kit.mongo_aggregates import MongoAggregates
from kit.owed import Voice
from schemas.topics import CATALOG_EVENTS

SOURCE: Final = "/paperbus/catalog"
SUGGESTIONS_KEPT: Final = timedelta(days=366)
MOST_ASKERS: Final = 100
_SOME: Final = 500
CHANGED: Final = IndexModel([("at", ASCENDING)], name="changed")
EXTENDED: Final = IndexModel([("parents", ASCENDING)], name="extended")
_INDEXED: Final = ("name", "aliases", "categories", "countries", "directions")
_LISTED: Final = {"state": 1, "v": 1, "at": 1, **{f"manifest.{name}": 1 for name in _INDEXED}}
_SHOWN: Final = {"state": 1, **{f"manifest.{name}": 1 for name in SHOWN}}


def kind() -> Kind[Provider]:
    """How providers are kept. The aggregate's version is the provider's revision."""
    return Kind("provider", 1, _load, _dump, Voice(SOURCE, CATALOG_EVENTS))


def _load(document: Mapping[str, Any]) -> Provider:
    return Provider(document["_id"], State(document["state"]), document["v"], _wire(document), document["at"])


def _wire(document: Mapping[str, Any]) -> Wire | None:
    head = document.get("manifest")
    if head is None:
        return None
    # Release 0.1.0 kept members only. Such JSON is nobody else's byte for byte, so that a change writes it.
    return Wire(document.get("json") or to_json(head) + b"\n", head)


def _dump(provider: Provider) -> dict[str, Any]:
    json, head = provider.manifest or (None, None)
    return {"state": provider.state.value, "at": provider.at, "manifest": head, "json": json}


class CatalogStore:
    """Everything that the catalogue keeps."""

    def __init__(self, database: Database, now: Callable[[], datetime], ring: Callable[[], None]) -> None:
        self.providers = MongoAggregates(kind(), database["providers"], database["bodies"], now, ring)
        self._providers = database["providers"]
        self._logos = database["logos"]
        self._suggestions = database["suggestions"]
        self._topic = database["topic"]

    async def declare(self) -> None:
        """Make the indexes."""
        await self.providers.declare(CHANGED)
        await declare(self._logos, (EXTENDED,))
        kept = int(SUGGESTIONS_KEPT.total_seconds())
        await declare(self._suggestions, (IndexModel("last_at", name="kept", expireAfterSeconds=kept),))

    async def listed(self, since: datetime | None = None) -> AsyncIterator[dict[str, Any]]:
        """What the search index needs of every provider, or of those that changed since."""
        wanted = {} if since is None else {"at": {"$gte": since}}
        found = self._providers.find({**_everywhere(), **wanted}, _LISTED, batch_size=_SOME)
        while some := await found.to_list(_SOME):  # to wait for each takes longer than to read it
            for document in some:
                yield document

    async def versions(self) -> AsyncIterator[tuple[str, int, bool]]:
        """Every provider's id, revision, and whether it still owes something."""
        found = self._providers.find(_everywhere(), {"v": 1, "owes.id": 1}, batch_size=5000)
        async for document in found:
            yield document["_id"], document["v"], bool(document.get("owes"))

    async def nothing_owed(self) -> bool:
        """Whether everything that was decided has been published."""
        return (
            await self._providers.find_one({**_everywhere(), "owes.0": {"$exists": True}}, {"_id": 1}) is None
        )

    async def read(self, ids: Sequence[str]) -> dict[str, Provider]:
        """Providers by id, retired ones too; those that are not there are left out."""
        found = self._providers.find(_these(ids), {"owes": 0, "seen": 0})
        return {document["_id"]: _load(document) async for document in found}

    async def shown(self, ids: Sequence[str]) -> dict[str, Glance]:
        """What lists show of these providers; those that are not there are left out."""
        found = self._providers.find(_these(ids), _SHOWN, batch_size=len(ids) + 1)
        return {
            document["_id"]: Glance(document["_id"], State(document["state"]), document["manifest"])
            for document in await found.to_list(None)
        }

    async def adopt(self, said: Mapping[str, tuple[int, Wire | None]]) -> None:
        """Take over what the topic knows and this store does not: revisions with their manifests.

        A store that was restored would otherwise say older revisions again, which every reader drops.
        """
        kept = await self.providers.read(list(said))
        changes = []
        for provider_id, (revision, manifest) in said.items():
            before = kept[provider_id].v if provider_id in kept else 0
            if revision <= before:
                continue
            state = State.RETIRED if manifest is None else State.PUBLISHED
            adopted = Provider(provider_id, state, revision, manifest, self.providers.now())
            changes.append(Change(provider_id, None, before, _dump(adopted), steps=revision - before))
        if changes:
            await self.providers.write(changes)

    async def files(self, ids: Sequence[str]) -> dict[str, File]:
        """What was read last of these folders."""
        read = {"_id": {"$in": list(ids)}, "digest": {"$exists": True}}
        found = self._logos.find(read, {"digest": 1, "file": 1, "parents": 1}, batch_size=len(ids) + 1)
        return {
            document["_id"]: File(document["digest"], document["file"], tuple(document["parents"]))
            for document in await found.to_list(None)
        }

    async def extending(self, names: Iterable[str]) -> set[str]:
        """The providers that extend one of these."""
        found = self._logos.find({"parents": {"$in": list(names)}}, {"_id": 1})
        return {document["_id"] async for document in found}

    async def keep_files(self, files: Mapping[str, File], logos: Mapping[str, Logo]) -> None:
        """Remember what was read, each file with its logo."""
        if files:
            await self._logos.bulk_write(
                [
                    ReplaceOne({"_id": id_}, _read_document(file, logos[id_]), upsert=True)
                    for id_, file in files.items()
                ],
                ordered=False,
            )

    async def forget_files(self, ids: Sequence[str]) -> None:
        """These folders are gone; their logos stay, for connections that go on."""
        if ids:
            forgotten = {"$unset": {"digest": "", "file": "", "parents": ""}}
            await self._logos.update_many({"_id": {"$in": list(ids)}}, forgotten)

    async def logo(self, provider_id: str) -> Logo | None:
        """The logo of a provider."""
        document = await self._logos.find_one({"_id": provider_id})
        if document is None:
            return None
        return Logo(document["media_type"], document["sha256"], bytes(document["data"]))

    async def ends(self) -> dict[str, int]:
        """Where the topic ended, by partition, when everything was last published."""
        document = await self._topic.find_one({"_id": "ends"})
        return {} if document is None else dict(document["ends"])

    async def keep_ends(self, ends: Mapping[str, int]) -> None:
        """Remember where the topic ends, now that everything is published."""
        await self._topic.replace_one({"_id": "ends"}, {"schema": 1, "ends": dict(ends)}, upsert=True)

    async def keep(self, suggestion: Suggestion, asker: Asker, now: datetime) -> bool:
        """See `catalog.handlers.Suggestions`."""
        asked = suggestion.asked
        word = {
            "id": asker.id,
            "account": asker.account,
            "note": asked.note,
            "contact": asked.contact,
            "at": now,
        }
        first = {
            "schema": 1,
            "name": asked.name,
            "url": asked.url,
            "host": suggestion.host,
            "direction": str(asked.direction),
            "first_at": now,
        }
        try:
            result = await self._suggestions.update_one(
                {"_id": suggestion.key, "askers.id": {"$ne": asker.id}},
                {
                    "$setOnInsert": first,
                    "$set": {"last_at": now},
                    "$inc": {"count": 1},
                    "$push": {"askers": {"$each": [word], "$slice": -MOST_ASKERS}},
                },
                upsert=True,
            )
        except DuplicateKeyError:
            return False  # this asker's word is there already, so the upsert found none to change
        return result.upserted_id is not None


def _everywhere() -> dict[str, Any]:
    """Every shard: a cluster's router then knows where to ask, and no query goes without."""
    return {"shard": {"$gte": 0, "$lt": SHARDS}}


def _these(ids: Sequence[str]) -> dict[str, Any]:
    return {"_id": {"$in": list(ids)}, "shard": {"$in": sorted(set(map(shard_of, ids)))}}


def _read_document(file: File, logo: Logo) -> dict[str, Any]:
    return {
        "schema": 2,
        "digest": file.digest,
        "file": file.logo,
        "parents": list(file.parents),
        "media_type": logo.media_type,
        "sha256": logo.sha256,
        "data": Binary(logo.data),
    }
