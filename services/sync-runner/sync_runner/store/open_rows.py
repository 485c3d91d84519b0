"""The rows of a run that are open, whichever way its documents go: finding them, and opening them again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING

from kit.mongo import Collection
from schemas.reasons import RowStatus
from sync_runner.handlers.runs import Claim
from sync_runner.lifecycle.row import DOUBTFUL, Redone, from_states
from sync_runner.lifecycle.sync import Selection
from sync_runner.store.ledger import UNTOLD

Doc = dict[str, Any]


def own(claim: Claim, **more: Any) -> Doc:
    """A query for rows of the claim's connection."""
    return {"account": claim.account, "connection": claim.connection_id, **more}


def takeable(claim: Claim, selection: Selection, now: datetime) -> Doc:
    """The rows that this claim may take now: open, selected, and not in its own hands already."""
    in_hand = {"status": RowStatus.SENDING.value, "fence": claim.fence}
    query = own(claim, next_at={"$gt": UNTOLD, "$lte": now}) | {"$nor": [in_hand]}
    if not selection.everything:
        query["$or"] = [{"document": {"$in": list(selection.only)}}]
        query["$or"] += [{"attempts": {"$gt": 0}}] if selection.tried else []
    return query


class OpenRows:
    """`ledger`, for whoever holds a claim."""

    def __init__(self, ledger: Collection) -> None:
        self.ledger = ledger

    async def any_left(self, claim: Claim, selection: Selection, now: datetime) -> bool:
        """Whether there is something to take."""
        return await self.ledger.find_one(takeable(claim, selection, now), {"_id": 1}) is not None

    async def again_at(self, claim: Claim) -> datetime | None:
        """When the first document that was tried, and did not arrive, is tried again by itself."""
        tried = own(claim, next_at={"$gt": UNTOLD}, attempts={"$gt": 0})
        waiting = await self.ledger.find_one(tried, {"next_at": 1}, sort=[("next_at", ASCENDING)])
        untold = own(claim, next_at=UNTOLD, again_at={"$exists": True})
        new = await self.ledger.find_one(untold, {"again_at": 1}, sort=[("again_at", ASCENDING)])
        times = [waiting["next_at"]] if waiting else []
        times += [new["again_at"]] if new else []
        return min(times, default=None)

    async def reopen(self, claim: Claim, selection: Selection) -> None:
        """Open again what the selection asks to go again, apart from what this run moved already."""
        now = datetime.now(UTC)
        for redo in selection.redo:
            states = set(redo.statuses) & set(from_states(Redone))
            only = {} if redo.only is None else {"document": {"$in": list(redo.only)}}
            sure = [state.value for state in states if state not in DOUBTFUL]
            query = own(claim, run={"$ne": claim.run_id}, **only)
            again = {"status": RowStatus.PENDING.value, "next_at": now, "at": now}
            await self.ledger.update_many(query | {"status": {"$in": sure}}, {"$set": again})
            if RowStatus.UNKNOWN in states:
                unsure = query | {"status": RowStatus.UNKNOWN.value}
                asked = {"next_at": now} if redo.only is None else {"next_at": now, "asked": True}
                await self.ledger.update_many(unsure, {"$set": asked})
