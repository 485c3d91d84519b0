"""The operator's clients: how the platform is registered with each provider, kept in the vault.

`clients` holds one document for each provider, for ever; a secret is sealed at its provider and revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connections.vault import Place, Sealed, Vault
from connections.vault_store import MongoRecords
from kit.mongo import Collection
from providers.login.oauth.client import Client


def client_place(provider_id: str, revision: int) -> Place:
    """Where the secret of a provider's client belongs."""
    return Place(account="", connection=f"client/{provider_id}", kind="client", revision=revision)


class MongoClients:
    """Keeps them; what is read is never cached, so that a changed secret counts at once."""

    def __init__(self, collection: Collection, vault: Vault) -> None:
        self._collection = collection
        self._vault = vault

    async def of(self, provider_id: str) -> Client | None:
        """The client for this provider; None where the operator has set none up.

        Raises:
            SealBroken: it does not open with the keys that are held.
        """
        kept = await self._collection.find_one({"_id": provider_id})
        if kept is None:
            return None
        place = client_place(provider_id, kept["revision"])
        secrets = self._vault.open_values(place, Sealed.of(kept["sealed"]))
        named = kept.get("addresses")
        addresses = None if named is None else frozenset(named)
        return Client(kept["client_id"], secrets.get("secret"), secrets.get("key"), addresses)

    async def keep(self, provider_id: str, client: Client, by: str, at: datetime) -> None:
        """Keep this client; connections made with the one before go on with this one."""
        while True:
            kept = await self._collection.find_one({"_id": provider_id}, {"revision": 1})
            revision = (kept["revision"] if kept else 0) + 1
            secrets = {"secret": client.secret, "key": client.key}
            members = {
                "client_id": client.client_id,
                "sealed": self._vault.seal_values(client_place(provider_id, revision), secrets).document(),
                "revision": revision,
                "addresses": None if client.addresses is None else sorted(client.addresses),
                "set_at": at,
                "set_by": by,
                "schema": 1,
            }
            before = {"_id": provider_id, "revision": revision - 1} if kept else {"_id": provider_id}
            if kept is None:
                done = await self._collection.update_one(before, {"$setOnInsert": members}, upsert=True)
                if done.upserted_id is not None:
                    return
            elif (await self._collection.update_one(before, {"$set": members})).matched_count:
                return

    async def approve(self, provider_id: str, addresses: Iterable[str]) -> None:
        """Let it, where there is one, be used at these addresses too."""
        limited = {"_id": provider_id, "addresses": {"$type": "array"}}
        more = {"$addToSet": {"addresses": {"$each": sorted(addresses)}}}
        await self._collection.update_one(limited, more)

    async def remove(self, provider_id: str) -> bool:
        """Forget it. Whether there was one."""
        return (await self._collection.delete_one({"_id": provider_id})).deleted_count == 1

    async def known(self) -> list[dict[str, Any]]:
        """Which providers have one, without secrets."""
        shown = {"client_id": 1, "set_at": 1, "set_by": 1}
        return [document async for document in self._collection.find({}, shown).sort("_id", 1)]

    async def ids(self) -> list[str]:
        """Which providers have one, by id alone."""
        return [document["_id"] async for document in self._collection.find({}, {"_id": 1}).sort("_id", 1)]

    async def set_up(self, provider_ids: set[str]) -> set[str]:
        """Which of these have one."""
        found = self._collection.find({"_id": {"$in": sorted(provider_ids)}}, {"_id": 1})
        return {document["_id"] async for document in found}

    def records(self) -> MongoRecords:
        """Their sealed records, for rewrapping."""
        return MongoRecords(self._collection, "sealed", kept_client_place)


def kept_client_place(document: Mapping[str, Any]) -> Place:
    """That of a stored client."""
    return client_place(document["_id"], document["revision"])
