"""Sealed records in MongoDB: rewrapping under load, and the proof that the keys are the right ones.

What is sealed lives in the documents of its owners, so that one write moves both; this file only changes how
records are wrapped. It opens nothing but the canary.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from connections.vault import SETTING, Place, SealBroken, Sealed, Vault, VaultKeysRefused
from kit.logs import logger

if TYPE_CHECKING:
    from kit.mongo import Collection

log = logger(__name__)

CANARY = Place(account="", connection="", kind="canary", revision=1)
"""A record of no account, sealed at the first start: wrong keys are noticed before anything is touched."""


@dataclass(frozen=True, slots=True)
class Found:
    """One sealed record, with where it is stored and the place it is bound to."""

    ref: Any
    place: Place
    sealed: Sealed


class Records(Protocol):
    """Where sealed records of one kind are stored."""

    def stale(self, newest: str) -> AsyncIterator[Found]:
        """Those that are wrapped by another key than `newest`."""

    async def count(self, newest: str) -> int:
        """How many there are of those."""

    async def swap(self, found: Found, rewrapped: Sealed) -> bool:
        """Replace the wrapping, unless somebody wrote the record meanwhile. False if so: nothing changed."""


class MongoRecords:
    """Records that are a member (`path`) of the documents of a collection."""

    def __init__(
        self,
        collection: Collection,
        path: str,
        place_of: Callable[[Mapping[str, Any]], Place],
        within: Mapping[str, Any] | None = None,
        *,
        versioned: bool = False,
    ) -> None:
        """`place_of(document)` says where the record in a document belongs; it gets the document whole.

        `within` narrows the scan where the record is never longer than what an index of the owner covers.
        `versioned`: its writers guard it by `v`, so that none writes back what was rewrapped meanwhile.
        """
        self._within = within or {}
        self._more = {"$inc": {"v": 1}} if versioned else {}
        self._collection = collection
        self._path = path
        self._place_of = place_of

    async def stale(self, newest: str) -> AsyncIterator[Found]:
        async for document in self._collection.find(self._older(newest)):
            member: Any = document
            for name in self._path.split("."):
                member = member[int(name) if name.isdigit() else name]
            try:
                found = Found(document["_id"], self._place_of(document), Sealed.of(member))
            except (SealBroken, LookupError, TypeError):
                log.critical(
                    "a sealed record belongs nowhere", document=str(document["_id"]), path=self._path
                )
            else:
                yield found

    async def count(self, newest: str) -> int:
        return int(await self._collection.count_documents(self._older(newest)))

    def _older(self, newest: str) -> dict[str, Any]:
        return {**self._within, f"{self._path}.kid": {"$exists": True, "$ne": newest}}

    async def swap(self, found: Found, rewrapped: Sealed) -> bool:
        path = self._path
        done = await self._collection.update_one(
            {"_id": found.ref, f"{path}.wk": found.sealed.wk},
            {
                "$set": {
                    f"{path}.kid": rewrapped.kid,
                    f"{path}.wn": rewrapped.wn,
                    f"{path}.wk": rewrapped.wk,
                },
                **self._more,
            },
        )
        return done.matched_count == 1


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a round of rewrapping did. Repeat until nothing is `lost`; `broken` needs a person."""

    rewrapped: int = 0
    lost: int = 0
    broken: int = 0


async def rewrap_all(
    vault: Vault, stores: Sequence[Records], told: Callable[[Rotated], None] = lambda _: None
) -> Rotated:
    """Wrap every record with the newest key. Safe beside writers, to stop at any point, and to repeat.

    A record that was written meanwhile counts as lost: it may still be wrapped by an older key, so that an
    older key is retired only after a round that lost nothing. `told` hears of the progress after each record.
    """
    rewrapped = lost = broken = 0
    for store in stores:
        async for found in store.stale(vault.newest):
            try:
                fresh = vault.rewrap(found.place, found.sealed)
            except SealBroken:
                broken += 1
            else:
                swapped = await store.swap(found, fresh)
                rewrapped, lost = rewrapped + swapped, lost + (not swapped)
            told(Rotated(rewrapped, lost, broken))
    return Rotated(rewrapped, lost, broken)


async def tend(vault: Vault, stores: Sequence[Records], canary: Records) -> None:
    """One round of bringing everything under the newest key; to be called now and then.

    The canary comes last, after a round that found nothing any more; the log then says that older keys may be
    dropped. Replicas that run with the older keys still seal with them, so that later rounds look again.
    """
    done = await rewrap_all(vault, stores)
    if done != Rotated():
        log.info("rewrapped", **asdict(done))
    elif [found async for found in canary.stale(vault.newest)]:
        await rewrap_all(vault, [canary])
        log.info(
            "everything is sealed under the newest vault key; older ones may be dropped", kid=vault.newest
        )


async def prove(vault: Vault, collection: Collection) -> None:
    """Check that this vault's keys are those of this database; the first start leaves the canary.

    Raises:
        VaultKeysRefused: they are not; nothing was changed.
    """
    fresh = {"_id": "canary", "sealed": vault.seal(CANARY, b"canary").document(), "schema": 1}
    kept = await collection.find_one_and_update(
        {"_id": "canary"}, {"$setOnInsert": fresh}, upsert=True, return_document=True
    )
    try:
        vault.open(CANARY, Sealed.of(kept["sealed"]))
    except SealBroken:
        raise VaultKeysRefused(
            f"{SETTING} does not hold the key that this database was sealed with; give the old key set back "
            "(newest first, the old keys behind it) and start again."
        ) from None


def canary_records(collection: Collection) -> MongoRecords:
    """The canary, so that rotation rewraps it too."""
    return MongoRecords(collection, "sealed", lambda _: CANARY)
