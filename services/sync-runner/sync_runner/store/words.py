"""The platform's word, written to a row; bytes let go: those it took, and those nobody wanted in time.

Keeps `handlers.words.Rows`. The row is marked before its bytes go: killed in between, they go with the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kit.mongo import Collection
from schemas.reasons import RowStatus
from sync_runner.handlers.words import Word
from sync_runner.store.contents import MongoContents

LOT = 200


class MongoWords:
    """`ledger` and GridFS."""

    def __init__(self, ledger: Collection, contents: MongoContents, now: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.contents = contents
        self.now = now

    async def hear(self, word: Word) -> None:
        """See `handlers.words.Rows`."""
        newer = {"$or": [{"word_at": {"$exists": False}}, {"word_at": {"$lte": word.at}}]}
        row = {"_id": word.row_id, "account": word.account, "thing": {"$exists": True}} | newer
        before = await self.ledger.find_one_and_update(row, _said(word, self.now()))
        if before is None or word.reason is not None or "content" not in before:
            return
        if not await self._another_waits(before):
            await self.contents.remove([before["content"]])

    async def _another_waits(self, row: dict[str, Any]) -> bool:
        """Whether a later version with the very same bytes, kept once, is not taken yet."""
        others = {
            "account": row["account"],
            "sha256": row["sha256"],
            "thing": {"$exists": True},
            "content": row["content"],
            "_id": {"$ne": row["_id"]},
            "status": RowStatus.DONE.value,
            "accepted": {"$exists": False},
        }
        return await self.ledger.find_one(others, {"_id": 1}) is not None

    async def expire(self) -> int:
        """Let go of what was kept long enough. Returns how many."""
        gone = 0
        while ids := await self.contents.expired(self.now(), LOT):
            await self.contents.remove(ids)
            gone += len(ids)
        return gone


def _said(word: Word, now: datetime) -> dict[str, Any]:
    """The update. Taken: it is done, whatever was said before. Not taken: rejected, until asked for again."""
    common: dict[str, Any] = {"word_at": word.at, "at": now}
    if word.reason is None:
        done = common | {"status": RowStatus.DONE.value, "accepted": True}
        return {"$set": done, "$unset": {"reason": "", "message": "", "kept_until": ""}}
    refused = {"status": RowStatus.REJECTED.value, "reason": word.reason.value, "message": word.message}
    return {"$set": common | refused, "$unset": {"accepted": ""}}
