"""The rows of an import's run as events tell of them. What is in them is `store.imports`'s.

Rows are inserted untold, by whoever brought the bytes. Telling seals them first, under a name that only this
claim and part has; the write of the sync that owes the event keeps that name, so that a worker who takes over
knows which rows it told of, and seals all others anew: none is told of twice, none is left out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kit.mongo import Collection
from schemas.reasons import RowStatus
from schemas.syncs import Counts, ImportedDocument
from sync_runner.handlers.runs import Claim
from sync_runner.lifecycle.heard import Sealed
from sync_runner.lifecycle.sync import Selection
from sync_runner.store.ledger import UNTOLD
from sync_runner.store.open_rows import OpenRows, own

Doc = dict[str, Any]


class ImportRows(OpenRows):
    """`ledger`, for whoever holds the claim of an import. Ids of bytes are put behind `content_url`."""

    def __init__(self, ledger: Collection, content_url: str = "") -> None:
        super().__init__(ledger)
        self.content_url = content_url

    async def any_left(self, claim: Claim, selection: Selection, now: Any) -> bool:
        """Whether there is something to take, or to be done at the source once it is told of."""
        settling = own(claim, next_at=UNTOLD, settle=True)
        if await self.ledger.find_one(settling, {"_id": 1}) is not None:
            return True
        return await super().any_left(claim, selection, now)

    async def untold(self, claim: Claim) -> tuple[tuple[ImportedDocument, ...], Sealed | None]:
        """What came in and is not told of yet, sealed; None where there is nothing to tell."""
        seal = f"{claim.run_id}/{claim.part}/{claim.fence}"
        untold = own(claim, next_at=UNTOLD)
        # A worker that woke up late must not take off the seal of the one who took over from it.
        older = {"seal": {"$ne": seal}, "seal_fence": {"$not": {"$gt": claim.fence}}}
        await self.ledger.update_many(untold | older, {"$set": {"seal": seal, "seal_fence": claim.fence}})
        rows = await self.ledger.find(untold | {"seal": seal}).to_list(None)
        if not rows:
            return (), None
        counts = Counts(**Counter(row["status"] for row in rows))
        done = [row for row in rows if row["status"] == RowStatus.DONE.value and "content" in row]
        return tuple(self._imported(row) for row in done), Sealed(seal, counts)

    async def tell(self, claim: Claim, _: int, told_as: str | None) -> None:
        """An event tells of the rows with this seal: owe it no more."""
        if told_as is None:
            return
        await self.ledger.update_many(
            own(claim, next_at=UNTOLD, seal=told_as),
            [
                {"$set": {"next_at": {"$ifNull": ["$again_at", "$$REMOVE"]}}},
                {"$unset": ["again_at", "seal", "seal_fence"]},
            ],
        )

    def _imported(self, row: Doc) -> ImportedDocument:
        return ImportedDocument(
            external_id=row["document"],
            version=str(row["version"]),
            filename=row["filename"],
            media_type=row["media_type"],
            size=row["size"],
            sha256=row["sha256"],
            content_url=f"{self.content_url}{row['content']}",
            kept_until=row.get("kept_until"),
            duplicate_of=row.get("duplicate_of"),
            metadata=row.get("metadata", {}),
        )
