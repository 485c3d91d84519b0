"""The store that a worker asks, in memory, for one connection. Held to the real one by `test_fakes`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from schemas.documents import Metadata
from schemas.reasons import Reason, RowStatus as S
from sync_runner.handlers.runs import Claim, Failure, Lost, Order, Result, Row

NOW = datetime(2026, 5, 9, 10, tzinfo=UTC)
CONNECTION = "11111111-1111-4111-8111-111111111111"


def a_row(document_id: str, data: bytes = b"bytes", filename: str = "", version: int = 1, **more: Any) -> Row:
    """A row as the store gives it."""
    row = Row(
        id=f"{CONNECTION}/{document_id}/{version}",
        document_id=document_id,
        version=version,
        filename=filename or f"{document_id}.pdf",
        media_type="application/pdf",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content_url="gridfs:" + document_id,
        received_at=NOW,
        metadata=Metadata(),
        attempts=0,
        doubtful=False,
        target=None,
    )
    return replace(row, **more)


@dataclass
class Line:
    """One row of the ledger: the row, its status, the fence it was intended under."""

    row: Row
    status: S = S.PENDING
    fence: int = 0
    result: Result | None = None
    retried: bool = False


@dataclass
class MemoryRuns:
    """One connection's run. `lines` is the ledger; `ended` how the run ended."""

    options: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    destination: str | None = None
    fence: int = 0
    ready: bool = True
    over: bool = False
    order: Order = Order.GO_ON
    ended: list[Failure | None] = field(default_factory=list)
    released: int = 0
    doubted: list[str] = field(default_factory=list)
    parts: int = 1
    others_wait: bool = False
    unfinished: int = 0
    """So often `finish` finds more to do."""
    hangs: bool = False
    """The store does not answer when a lease is renewed."""
    intents: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, *rows: Row) -> MemoryRuns:
        for row in rows:
            self.lines[row.id] = Line(row)
        return self

    def statuses(self) -> dict[str, str]:
        return {line.row.document_id: line.status.value for line in self.lines.values()}

    def targets(self) -> dict[str, str | None]:
        return {line.row.document_id: line.row.target for line in self.lines.values()}

    async def claim(self, owner: str, crowded: Collection[str] = ()) -> Claim | None:
        if not self.ready:
            return None
        self.ready = self.over = False
        self.fence += 1
        return self._claim(owner)

    def _claim(self, owner: str) -> Claim:
        return Claim(
            connection_id=CONNECTION,
            account="acme",
            run_id="22222222-2222-4222-8222-222222222222",
            fence=self.fence,
            owner=owner,
            due_at=NOW,
            started_at=NOW,
            provider_id="memory",
            provider_revision=1,
            options=self.options,
            revision=1,
            part=self.parts,
            destination=self.destination,
        )

    async def renew(self, claim: Claim) -> Order:
        self._own(claim)
        if self.hangs:
            await asyncio.Event().wait()
        return self.order

    async def take_rows(self, claim: Claim, most: int) -> Sequence[Row]:
        self._own(claim)
        open_ = [line for line in self.lines.values() if self._is_open(line, claim)]
        return [replace(line.row, doubtful=line.status in (S.SENDING, S.UNKNOWN)) for line in open_[:most]]

    def _is_open(self, line: Line, claim: Claim) -> bool:
        """Open, and not in the claim's own hands already."""
        if line.status is S.SENDING:
            return line.fence != claim.fence
        return line.status is S.PENDING or (line.status in (S.FAILED, S.UNKNOWN) and not line.retried)

    async def intend(self, claim: Claim, rows: Sequence[Row]) -> Sequence[Row]:
        got = []
        for row in rows:
            line = self.lines[row.id]
            if line.fence > claim.fence or line.status in (S.DONE, S.REJECTED, S.SKIPPED):
                continue
            tried = line.row.attempts + ((line.status, line.fence) != (S.SENDING, claim.fence))
            line.status, line.fence = S.SENDING, claim.fence
            line.row = replace(line.row, target=row.target, attempts=tried)
            self.intents.append((row.document_id, row.target))
            got.append(row)
        return got

    async def record(self, claim: Claim, results: Sequence[Result]) -> Collection[str]:
        lost = []
        for result in results:
            line = self.lines[result.row_id]
            if line.fence != claim.fence:
                lost.append(result.row_id)
                continue
            tried = line.row.attempts - (result.status is S.PENDING)
            line.status, line.result = result.status, result
            line.retried = result.status in (S.FAILED, S.UNKNOWN)
            line.row = replace(line.row, target=result.target or line.row.target, attempts=tried)
        return lost

    async def owners(self, claim: Claim, targets: Collection[str]) -> Mapping[str, str]:
        return {
            line.row.target: line.row.document_id
            for line in self.lines.values()
            if line.status is S.DONE and line.row.target in targets and line.row.target
        }

    async def moved(self, claim: Claim) -> Sequence[Row]:
        return [line.row for line in self.lines.values() if line.status is S.DONE]

    async def reached(self, claim: Claim, folder: str) -> None:
        self.destination = folder

    async def pass_on(self, claim: Claim) -> Claim | None:
        self._own(claim)
        self.parts += 1
        if self.others_wait:
            self.ready = True
            return None
        return self._claim(claim.owner)

    async def finish(self, claim: Claim, failure: Failure | None = None) -> bool:
        self._own(claim)
        if self.unfinished and failure is None:
            self.unfinished -= 1
            return False
        self.ended.append(failure)
        self.over = True
        return True

    async def release(self, claim: Claim) -> None:
        self.released += 1
        self.ready = True

    async def doubt(self, claim: Claim, target: str) -> None:
        self.doubted.append(target)

    def again(self) -> None:
        """Time passes: what failed is due again, and the run is ready."""
        for line in self.lines.values():
            line.retried = False
        self.ready = True

    def stolen(self) -> None:
        """Another worker takes the run: whatever still holds it has lost it."""
        self.fence += 1
        for line in self.lines.values():
            if line.status is S.SENDING:
                line.fence = self.fence

    def _own(self, claim: Claim) -> None:
        if claim.fence != self.fence or self.over:
            raise Lost


__all__ = ["CONNECTION", "NOW", "MemoryRuns", "Reason", "a_row"]
