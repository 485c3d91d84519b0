"""What came in: the ledger's rows of imports, each with its thing at the source. Keeps `handlers.imports`.

A row's `thing` is the source's id of what it lies in, `document` our external id, which stays when the thing
is renamed. Rows stay as long as the thing may be listed again.
"""

from __future__ import annotations

from collections.abc import Collection as Some, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pymongo import ASCENDING, DeleteOne, IndexModel, UpdateOne
from pymongo.read_concern import ReadConcern

from kit.mongo import Collection
from schemas.reasons import RowStatus
from sync_runner.handlers.imports import Arrival, Known, Thing
from sync_runner.handlers.runs import Claim
from sync_runner.lifecycle.row import wait
from sync_runner.lifecycle.sync import Selection
from sync_runner.store.documents import exports_query
from sync_runner.store.ledger import SCHEMA, UNTOLD
from sync_runner.store.open_rows import own, takeable

Doc = dict[str, Any]
IS_IMPORT = {"thing": {"$exists": True}}
INDEXES = (
    IndexModel(
        [("account", ASCENDING), ("connection", ASCENDING), ("thing", ASCENDING)],
        name="thing",
        partialFilterExpression=IS_IMPORT,
    ),
    IndexModel(
        [("account", ASCENDING), ("sha256", ASCENDING)], name="bytes", partialFilterExpression=IS_IMPORT
    ),
    IndexModel(
        [("account", ASCENDING), ("connection", ASCENDING), ("lasting", ASCENDING)],
        name="lasting",
        partialFilterExpression={"lasting": {"$exists": True}},
    ),
)
UNFINISHED = [RowStatus.PENDING.value, RowStatus.FAILED.value]
MOST_ALIKE = 20
"""Rows with the same bytes that are looked at."""


class MongoImports:
    """`ledger`, and `syncs` for the account's exports."""

    def __init__(self, ledger: Collection, syncs: Collection) -> None:
        self.ledger = ledger
        self.syncs = syncs

    async def known(self, claim: Claim, things: Some[str]) -> dict[str, list[Known]]:
        return _grouped("thing", await self._rows(own(claim, thing={"$in": list(things)})))

    async def lasting(self, claim: Claim, ids: Some[str]) -> dict[str, list[Known]]:
        return _grouped("lasting", await self._rows(own(claim, lasting={"$in": list(ids)})))

    async def versions(self, claim: Claim, external_ids: Some[str]) -> dict[str, list[Known]]:
        firsts = [_row_id(claim, id_, 1) for id_ in external_ids]
        there = [row["document"] for row in await self._rows(own(claim, _id={"$in": firsts}))]
        found: dict[str, list[Known]] = {}
        for id_ in there:
            stem = f"{claim.connection_id}/{id_}/"
            rows = await self._rows(own(claim, _id={"$gt": stem, "$lt": stem + ":"}))
            rows = [row for row in rows if row["document"] == id_]
            found[id_] = [_known(row) for row in sorted(rows, key=lambda row: int(row["version"]))]
        return found

    async def alike(self, claim: Claim, hashes: Some[str]) -> dict[str, list[Known]]:
        query = {"account": claim.account, "sha256": {"$in": list(hashes)}} | IS_IMPORT
        found = self.ledger.find(query).sort("at", ASCENDING).limit(MOST_ALIKE * max(1, len(hashes)))
        return _grouped("sha256", await found.to_list(None))

    async def exported(self, claim: Claim, places: Some[str], hashes: Some[str]) -> set[str]:
        if not places:
            return set()
        exports = [sync["_id"] async for sync in self.syncs.find(exports_query(claim.account), {"_id": 1})]
        query = {"account": claim.account, "connection": {"$in": exports}, "target": {"$in": list(places)}}
        found = self.ledger.find(query, {"sha256": 1}).hint("target")
        return {row["sha256"] async for row in found if row.get("sha256") in hashes}

    async def save(self, claim: Claim, arrivals: Sequence[Arrival], instead: Some[str] = ()) -> None:
        """In one transaction: a thing that has some of its rows counts as known, so it has all or none."""
        new = {_row_id(claim, each.external_id, each.version): each for each in arrivals}
        if not new and not instead:
            return
        async with await self.ledger.database.client.start_session() as session:
            await session.with_transaction(
                partial(self._save, claim, new, set(instead) - set(new)), read_concern=ReadConcern("snapshot")
            )

    async def _save(self, claim: Claim, new: dict[str, Arrival], instead: set[str], session: Any) -> None:
        now = datetime.now(UTC)
        final = own(claim, _id={"$in": list(new)}, status={"$nin": UNFINISHED})
        saved = {row["_id"] async for row in self.ledger.find(final, {"_id": 1}, session=session)}
        writes: list[Any] = [
            UpdateOne(own(claim, _id=id_), _written(claim, each, now), upsert=True)
            for id_, each in new.items()
            if id_ not in saved  # by a worker before us
        ]
        writes += [DeleteOne(own(claim, _id=id_, status={"$in": UNFINISHED})) for id_ in instead]
        if writes:
            await self.ledger.bulk_write(writes, ordered=False, session=session)

    async def seen(self, claim: Claim, rows: Sequence[Known], thing: Thing) -> None:
        if not rows:
            return
        await self.ledger.update_many(
            own(claim, _id={"$in": [row.id for row in rows]}),
            {"$set": _thing(thing), "$unset": {"gone_at": ""}},
        )

    async def take(self, claim: Claim, selection: Selection, most: int) -> list[Known]:
        query = takeable(claim, selection, datetime.now(UTC))
        found = self.ledger.find(query).sort("next_at", ASCENDING).limit(most)
        return [_known(row) for row in await found.to_list(most)]

    async def offer_again(self, claim: Claim, rows: Sequence[Known]) -> None:
        again = {
            "status": RowStatus.DONE.value,
            "next_at": UNTOLD,
            "run": claim.run_id,
            "fence": claim.fence,
            "at": datetime.now(UTC),
        }
        await self.ledger.update_many(
            own(claim, _id={"$in": [row.id for row in rows]}, status={"$in": UNFINISHED}),
            {"$set": again, "$unset": {"reason": "", "message": "", "seal": ""}},
        )

    async def settled(self, claim: Claim, rows: Sequence[Known], now_called: str | None) -> None:
        done: Doc = {"settled": True} | ({"thing": now_called, "place": now_called} if now_called else {})
        await self.ledger.update_many(
            own(claim, _id={"$in": [row.id for row in rows]}),
            {"$set": done, "$unset": {"settle": "", "next_at": ""}},
        )

    async def unsettled(self, claim: Claim, rows: Sequence[Known], message: str) -> None:
        """What was to be done at the source did not work: it is tried again by itself, later."""
        now = datetime.now(UTC)
        for row in rows:
            waits = wait(RowStatus.FAILED, row.attempts + 1, None)
            await self.ledger.update_one(
                own(claim, _id=row.id, settle=True),
                {"$set": {"next_at": waits and now + waits, "message": message}, "$inc": {"attempts": 1}},
            )

    async def gone(self, claim: Claim, rows: Sequence[Known], at: datetime) -> None:
        ids = [row.id for row in rows]
        noted = {"$set": {"gone_at": at}}
        await self.ledger.update_many(own(claim, _id={"$in": ids}, gone_at={"$exists": False}), noted)

    async def present(self, claim: Claim, after: str, most: int) -> list[Known]:
        query = own(claim, thing={"$gt": after}, gone_at={"$exists": False}, settled={"$exists": False})
        found = self.ledger.find(query).sort("thing", ASCENDING).hint("thing").limit(most)
        return [_known(row) for row in await found.to_list(most)]

    async def _rows(self, query: Doc) -> list[Doc]:
        found: list[Doc] = await self.ledger.find(query).to_list(None)
        return found


def _row_id(claim: Claim, external_id: str, version: int) -> str:
    return f"{claim.connection_id}/{external_id}/{version}"


def _grouped(member: str, rows: Iterable[Doc]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for row in rows:
        found.setdefault(row[member], []).append(_known(row))
    return found


def _thing(thing: Thing) -> Doc:
    members = {
        "thing": thing.id,
        "tag": thing.tag,
        "name": thing.name,
        "thing_at": thing.received_at,
        "thing_size": thing.size,
        "thing_type": thing.media_type,
        "lasting": thing.lasting_id,
        "place": thing.place,
        "told": dict(thing.metadata) or None,
        "reference": dict(thing.reference) or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _known(row: Doc) -> Known:
    thing = Thing(
        row["thing"],
        row["tag"],
        row["name"],
        row.get("thing_at"),
        row.get("thing_size"),
        row.get("thing_type"),
        row.get("lasting"),
        row.get("place"),
        row.get("told", {}),
        row.get("reference", {}),
    )
    return Known(
        row["_id"],
        row["connection"],
        row["document"],
        row["version"],
        RowStatus(row["status"]),
        thing,
        row.get("sha256"),
        row.get("content"),
        row.get("attempts", 0),
        row.get("settle", False),
        "gone_at" in row,
    )


def _written(claim: Claim, arrival: Arrival, now: datetime) -> Doc:
    """The update that makes a row what arrived. Untold until an event tells of it."""
    waits = wait(arrival.status, arrival.attempts, arrival.retry_after)
    members = _thing(arrival.thing) | {
        "document": arrival.external_id,
        "version": arrival.version,
        "status": arrival.status.value,
        "received_at": arrival.received_at,
        "next_at": UNTOLD,
        "at": now,
        "again_at": now if arrival.settle else waits and now + waits,
        "run": claim.run_id,
        "fence": claim.fence,
        "attempts": arrival.attempts or None,
        "filename": arrival.filename,
        "media_type": arrival.media_type,
        "size": arrival.size,
        "sha256": arrival.sha256,
        "content": arrival.content_id,
        "kept_until": arrival.kept_until,
        "duplicate_of": arrival.duplicate_of,
        "metadata": dict(arrival.metadata),
        "reason": arrival.reason and arrival.reason.value,
        "message": arrival.message,
        "settle": arrival.settle or None,
        "schema": SCHEMA,
    }
    known = {name: value for name, value in members.items() if value is not None}
    unset = {name: "" for name in members if name not in known}
    return {"$set": known} | ({"$unset": unset} if unset else {})
