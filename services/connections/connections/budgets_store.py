"""Budgets of failed logins and turns at providers, in MongoDB. What they are counted against is in `budgets`.

One document each, changed by one conditional write by the server's clock; forgotten a week after the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError

from connections.budgets import Became, Budget, Refusal
from kit.mongo import Collection, only_duplicates

IN_FLIGHT = 60_000
"""Milliseconds after which a try that nobody settled counts as failed: whoever made it died."""
AGAIN = timedelta(seconds=1)
"""How long to wait where the end of others' tries is not known yet."""
LONGEST_BLOCK = 24 * 3_600_000


class MongoGate:
    """Counts tries."""

    INDEXES = (IndexModel([("at", ASCENDING)], expireAfterSeconds=7 * 86_400),)

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def turn(
        self, provider_id: str, account: str, answer_id: str, per_minute: float
    ) -> datetime | None:
        """See `Gate`."""
        found = await self._changed(f"turn/{provider_id}", _queued(account, answer_id, 60_000 / per_minute))
        mine = [entry for entry in found["queue"] if entry["answer"] == answer_id]
        ahead = mine or [entry for entry in found["queue"] if entry["account"] == account]
        until: datetime = ahead[0]["at"]
        return None if mine and until <= found["at"] else max(until, found["at"] + timedelta(milliseconds=50))

    async def spend(self, budgets: Sequence[Budget], answer_id: str) -> Refusal | None:
        """See `Gate`."""
        for budget in await self._without_room(budgets, answer_id):
            found = await self._changed(budget.key, _reserved(budget, answer_id))
            if not any(entry["answer"] == answer_id for entry in found["open"]):
                await self.settle([one for one in budgets if one is not budget], answer_id, "nothing")
                until = found["until"]
                return Refusal(until or found["at"] + AGAIN, blocked=until is not None)
        return None

    async def _without_room(self, budgets: Sequence[Budget], answer_id: str) -> list[Budget]:
        """Count against all at once; those whose write found no room, which have to be looked at."""
        writes = [
            UpdateOne(_room(budget, answer_id), _reserved(budget, answer_id), upsert=True)
            for budget in budgets
        ]
        try:
            if writes:
                await self._collection.bulk_write(writes, ordered=False)
        except BulkWriteError as errors:
            if not only_duplicates(errors):
                raise
            return [budgets[error["index"]] for error in errors.details["writeErrors"]]
        return []

    async def settle(self, budgets: Sequence[Budget], answer_id: str, became: Became) -> None:
        """See `Gate`."""
        writes = [
            UpdateOne({"_id": budget.key}, _settled(budget, answer_id, became), upsert=True)
            for budget in budgets
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def _changed(self, key: str, stages: list[dict[str, Any]]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._collection.find_one_and_update(
            {"_id": key}, stages, upsert=True, return_document=ReturnDocument.AFTER
        )
        return found


def _or(member: str, otherwise: Any) -> dict[str, Any]:
    return {"$ifNull": [f"${member}", otherwise]}


def _ago(milliseconds: int) -> dict[str, Any]:
    return {"$subtract": ["$$NOW", milliseconds]}


def _kept(member: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {"$filter": {"input": _or(member, []), "as": "one", "cond": condition}}


def _longer(minutes: int) -> dict[str, Any]:
    """The end of a block that begins now."""
    doubled = {"$multiply": [minutes * 60_000, {"$pow": [2, {"$min": ["$blocks", 16]}]}]}
    return {"$add": ["$$NOW", {"$toLong": {"$min": [doubled, LONGEST_BLOCK]}}]}


def _aged(budget: Budget) -> list[dict[str, Any]]:
    """What time has done: a block that is over, tries whose makers died."""
    late = {"$lte": ["$$one.at", _ago(IN_FLIGHT)]}
    served = {"$and": [{"$ne": [_or("until", None), None]}, {"$lte": [_or("until", None), "$$NOW"]}]}
    failed = {"$add": [_or("failed", 0), {"$size": _kept("open", late)}]}
    return [
        {
            "$set": {
                "failed": {"$cond": [served, 0, failed]},
                "until": {"$cond": [served, None, _or("until", None)]},
                "open": _kept("open", {"$not": [late]}),
                "blocks": _or("blocks", 0),
                "at": "$$NOW",
                "schema": 1,
            }
        },
        *_blocked(budget),
    ]


def _blocked(budget: Budget) -> list[dict[str, Any]]:
    """A block begins where too many have failed."""
    begins = {"$and": [{"$eq": ["$until", None]}, {"$gte": ["$failed", budget.most]}]}
    return [
        {"$set": {"begins": begins}},
        {"$set": {"until": {"$cond": ["$begins", _longer(budget.block_minutes), "$until"]}}},
        {"$set": {"blocks": {"$add": ["$blocks", {"$cond": ["$begins", 1, 0]}]}}},
        {"$unset": "begins"},
    ]


_USED = {"$set": {"used": {"$add": ["$failed", {"$size": "$open"}]}}}
"""What counts against a budget. A try whose maker died counts on either side of the sum."""


def _room(budget: Budget, answer_id: str) -> dict[str, Any]:
    """No block, also none that may be over by now, and room for this try. A new budget has room."""
    free = {"until": None, "used": {"$lt": budget.most}}
    return {"_id": budget.key, **free, "open.answer": {"$ne": answer_id}}


def _reserved(budget: Budget, answer_id: str) -> list[dict[str, Any]]:
    there = {"$in": [answer_id, "$open.answer"]}
    room = {"$lt": [{"$add": ["$failed", {"$size": "$open"}]}, budget.most]}
    free = {"$and": [{"$eq": ["$until", None]}, room, {"$not": [there]}]}
    added = {"$concatArrays": ["$open", [{"answer": answer_id, "at": "$$NOW"}]]}
    return [*_aged(budget), {"$set": {"open": {"$cond": [free, added, "$open"]}}}, _USED]


def _settled(budget: Budget, answer_id: str, became: Became) -> list[dict[str, Any]]:
    others = _kept("open", {"$ne": ["$$one.answer", answer_id]})
    if became == "passed" and budget.heals:
        whole = {"failed": 0, "blocks": 0, "until": None, "open": others, "at": "$$NOW", "schema": 1}
        return [{"$set": whole}, _USED]
    more = 1 if became == "failed" else 0
    counted = {"failed": {"$add": ["$failed", more]}, "open": others}
    return [*_aged(budget), {"$set": counted}, *_blocked(budget), _USED]


def _queued(account: str, answer_id: str, interval: float) -> list[dict[str, Any]]:
    """A place at the end of the queue for an answer whose account has none there."""
    waiting = {"$gt": ["$$one.at", "$$NOW"]}
    mine = {"$and": [{"$eq": ["$$one.answer", answer_id]}, {"$gt": ["$$one.at", _ago(IN_FLIGHT)]}]}
    queue = _kept("queue", {"$or": [waiting, mine]})
    has = {"$or": [{"$in": [account, "$queue.account"]}, {"$in": [answer_id, "$queue.answer"]}]}
    slot = {"$max": ["$$NOW", _or("next", "$$NOW")]}
    added = {"$concatArrays": ["$queue", [{"account": account, "answer": answer_id, "at": "$slot"}]]}
    following = {"$add": ["$slot", int(interval)]}
    return [
        {"$set": {"queue": queue, "at": "$$NOW", "schema": 1}},
        {"$set": {"has": has, "slot": slot}},
        {
            "$set": {
                "queue": {"$cond": ["$has", "$queue", added]},
                "next": {"$cond": ["$has", _or("next", "$$NOW"), following]},
            }
        },
        {"$unset": ["has", "slot"]},
    ]
