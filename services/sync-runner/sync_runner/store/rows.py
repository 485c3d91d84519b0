"""The rows of a run: taking, intending, recording, telling. Every write is guarded by the claim's fence."""

from __future__ import annotations

from collections.abc import Collection as Some, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, DeleteOne, UpdateOne

from kit.mongo import Collection
from schemas.documents import Metadata
from schemas.reasons import Reason, RowStatus
from schemas.syncs import ExportedDocument
from sync_runner.handlers.runs import SLICE_ROWS, Claim, Result, Row
from sync_runner.lifecycle.matching import Document, matches
from sync_runner.lifecycle.row import DOUBTFUL, MESSAGES, Dropped, Intended, from_states, wait
from sync_runner.lifecycle.sync import Selection, Sync
from sync_runner.store.ledger import UNTOLD
from sync_runner.store.open_rows import OpenRows, own, takeable

Doc = dict[str, Any]


class Rows(OpenRows):
    """`ledger` and `documents`, for whoever holds the claim of an export."""

    def __init__(self, ledger: Collection, documents: Collection) -> None:
        super().__init__(ledger)
        self.documents = documents

    async def take(self, claim: Claim, sync: Sync, most: int) -> list[Row]:
        """The oldest rows to move, joined with their documents; what need not go any more is put away."""
        selection = sync.run.selection if sync.run else Selection()
        put_away = 0
        while put_away < SLICE_ROWS:
            now = datetime.now(UTC)
            query = takeable(claim, selection, now)
            stored = await self.ledger.find(query).sort("next_at", ASCENDING).limit(most).to_list(most)
            documents = await self._documents(claim, stored)
            kept, away = [], []
            for row in stored:
                document = documents.get(row["document"])
                gone = _put_away(claim, sync, row, document, now)
                if gone is None and document is not None:
                    kept.append(_row(row, document))
                elif gone is not None:
                    away.append(gone)
            if away:
                await self.ledger.bulk_write(away, ordered=False)
            if kept or not stored:
                return kept
            put_away += len(away)
        return []

    async def intend(self, claim: Claim, rows: Sequence[Row]) -> list[Row]:
        """Make them `sending`."""
        if not rows:
            return []
        states = [state.value for state in from_states(Intended)]
        in_hand = [{"$eq": [f"${name}", value]} for name, value in _in_hand(claim).items()]
        # A row that gets another name, while it is in our hands, is still the same try.
        tried = {"$cond": [{"$and": in_hand}, 0, 1]}
        members = {
            "status": RowStatus.SENDING.value,
            "fence": claim.fence,
            "run": claim.run_id,
            "part": claim.part,
            "at": datetime.now(UTC),
            "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, tried]},
        }
        older = {"$or": [{"fence": {"$exists": False}}, {"fence": {"$lte": claim.fence}}]}
        result = await self.ledger.bulk_write(
            [
                UpdateOne(
                    own(claim, _id=row.id, status={"$in": states}) | older,
                    [{"$set": members | _intended(row)}],
                )
                for row in rows
            ],
            ordered=False,
        )
        if result.matched_count == len(rows):
            return list(rows)
        mine = own(claim, _id={"$in": [row.id for row in rows]}, **_in_hand(claim))
        got = {row["_id"] async for row in self.ledger.find(mine, {"_id": 1})}
        return [row for row in rows if row.id in got]

    async def record(self, claim: Claim, results: Sequence[Result]) -> set[str]:
        """Write down results; returns the ids of rows that are somebody else's now."""
        if not results:
            return set()
        now = datetime.now(UTC)
        attempts = await self._attempts(claim, [r.row_id for r in results if wait(r.status, 1, None)])
        writes = [
            UpdateOne(
                own(claim, _id=result.row_id, **_in_hand(claim)),
                _recorded(result, now, attempts.get(result.row_id, 1)),
            )
            for result in results
        ]
        written = await self.ledger.bulk_write(writes, ordered=False)
        if written.matched_count == len(results):
            return set()
        newer = own(claim, _id={"$in": [result.row_id for result in results]}, fence={"$gt": claim.fence})
        return {row["_id"] async for row in self.ledger.find(newer, {"_id": 1})}

    async def untold(self, claim: Claim) -> tuple[tuple[ExportedDocument, ...], None]:
        """What became of the documents of the claim's part, as an event tells it."""
        query = own(claim, next_at=UNTOLD, run=claim.run_id, part=claim.part)
        return tuple([_exported(row) async for row in self.ledger.find(query)]), None

    async def tell(self, claim: Claim, through: int, _: str | None = None) -> None:
        """Events tell of all parts of this run up to `through`, and of all runs before it: owe it no more."""
        await self.ledger.update_many(
            own(claim, next_at=UNTOLD) | {"$nor": [{"run": claim.run_id, "part": {"$gt": through}}]},
            [{"$set": {"next_at": {"$ifNull": ["$again_at", "$$REMOVE"]}}}, {"$unset": "again_at"}],
        )

    async def owners(self, claim: Claim, targets: Some[str]) -> dict[str, str]:
        """Whose newest row has each target, and is there or may be."""
        arrived = {"status": {"$in": [RowStatus.DONE.value, RowStatus.UNKNOWN.value, RowStatus.FAILED.value]}}
        in_doubt = {"status": RowStatus.SENDING.value, "fence": {"$lt": claim.fence}}
        query = own(claim, target={"$in": list(targets)}) | {"$or": [arrived, in_doubt]}
        found = self.ledger.find(query, {"target": 1, "document": 1}).sort("at", ASCENDING).hint("target")
        return {row["target"]: row["document"] async for row in found}

    async def moved(self, claim: Claim) -> list[Row]:
        """What became `done` in this part."""
        query = own(claim, next_at=UNTOLD, run=claim.run_id, part=claim.part, status=RowStatus.DONE.value)
        stored = await self.ledger.find(query).sort("received_at", ASCENDING).to_list(None)
        documents = await self._documents(claim, stored)
        return [_row(row, documents[row["document"]]) for row in stored if row["document"] in documents]

    async def doubt(self, claim: Claim, target: str) -> None:
        """The newest row at `target` is to be looked up."""
        now = datetime.now(UTC)
        await self.ledger.find_one_and_update(
            own(claim, target=target, status=RowStatus.DONE.value),
            {"$set": {"status": RowStatus.UNKNOWN.value, "next_at": now, "at": now}},
            sort=[("at", DESCENDING)],
            hint="target",
        )

    async def _documents(self, claim: Claim, rows: Iterable[Doc]) -> dict[str, Doc]:
        ids = [f"{claim.account}/{row['document']}" for row in rows]
        found = self.documents.find({"_id": {"$in": ids}, "account": claim.account}) if ids else None
        return {} if found is None else {document["document"]: document async for document in found}

    async def _attempts(self, claim: Claim, ids: Sequence[str]) -> Mapping[str, int]:
        if not ids:
            return {}
        found = self.ledger.find(own(claim, _id={"$in": ids}), {"attempts": 1})
        return {row["_id"]: row.get("attempts", 1) async for row in found}


def _intended(row: Row) -> Doc:
    """What is to be put where, so that it can be looked up."""
    target = {"target": {"$literal": row.target}} if row.target else {}
    return {"sha256": row.sha256, "size": row.size} | target


def _in_hand(claim: Claim) -> Doc:
    return {"fence": claim.fence, "status": RowStatus.SENDING.value}


def _put_away(
    claim: Claim, sync: Sync, row: Doc, document: Doc | None, now: datetime
) -> UpdateOne | DeleteOne | None:
    """What happens to a row that need not go any more; None for one that must go, or be looked up."""
    if RowStatus(row["status"]) in DOUBTFUL and document is not None:
        return None
    reason = Reason.WITHDRAWN if document is None else _gone(row, document)
    if reason is None:
        unwanted = document is not None and not row.get("attempts") and not _wanted(sync, document)
        pending = own(claim, _id=row["_id"], status=RowStatus.PENDING.value)
        return DeleteOne(pending) if unwanted else None
    members = {
        "status": RowStatus.SKIPPED.value,
        "reason": reason.value,
        "next_at": UNTOLD,
        "run": claim.run_id,
        "part": claim.part,
        "fence": claim.fence,
        "at": now,
    }
    states = [state.value for state in from_states(Dropped)]
    return UpdateOne(own(claim, _id=row["_id"], status={"$in": states}), {"$set": members})


def _gone(row: Doc, document: Doc) -> Reason | None:
    """Why it need not go, whoever wants it."""
    if document.get("withdrawn"):
        return Reason.WITHDRAWN
    return None if document["version"] == row["version"] else Reason.SUPERSEDED


def _wanted(sync: Sync, document: Doc) -> bool:
    metadata = Metadata.model_validate(document["metadata"])
    return matches(sync.filters, sync.since, Document(document["received_at"], metadata))


def _row(row: Doc, document: Doc) -> Row:
    gone = _gone(row, document)
    bytes_of = document if gone is None else row
    return Row(
        id=row["_id"],
        document_id=row["document"],
        version=row["version"],
        filename=document.get("filename", ""),
        media_type=document.get("media_type", ""),
        size=bytes_of.get("size", 0),
        sha256=bytes_of.get("sha256", ""),
        content_url=document.get("content_url", ""),
        received_at=document["received_at"],
        metadata=Metadata.model_validate(document["metadata"]),
        attempts=row.get("attempts", 0),
        doubtful=RowStatus(row["status"]) in DOUBTFUL,
        target=row.get("target"),
        asked=bool(row.get("asked")),
        gone=gone,
    )


def _recorded(result: Result, now: datetime, attempts: int) -> Doc:
    """The update that writes one result down."""
    if result.status is RowStatus.PENDING:
        return {"$set": {"status": RowStatus.PENDING.value, "at": now}, "$inc": {"attempts": -1}}
    if result.status not in MESSAGES:
        raise ValueError(f"{result.status.value} is not what became of a row; say what did.")
    waits = wait(result.status, attempts, result.retry_after)
    members = {
        "status": result.status.value,
        "next_at": UNTOLD,
        "at": now,
        "again_at": None if waits is None else now + waits,
        "target": result.target,
        "sha256": result.sha256,
        "receipt": result.receipt,
        "reason": result.reason and result.reason.value,
        "message": result.message,
        "asked": None,
    }
    known = {name: value for name, value in members.items() if value is not None}
    # What was intended stays known where nobody says better.
    unset = {name: "" for name in members if name not in known and name not in ("target", "sha256")}
    return {"$set": known} | ({"$unset": unset} if unset else {})


def _exported(row: Doc) -> ExportedDocument:
    return ExportedDocument(
        document_id=row["document"],
        version=row["version"],
        status=RowStatus(row["status"]),
        target=row.get("target"),
        sha256=row.get("sha256"),
        reason=Reason(row["reason"]) if "reason" in row else None,
        message=row.get("message"),
    )
