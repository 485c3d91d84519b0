"""What a worker asks of the store while it carries out runs. The protocol only; `store.runs` keeps it.

A run is worked like this:

    claim = await runs.claim(owner, crowded)          # None: nothing is ready
    while rows := await runs.take_rows(claim, 100):   # what is still to be moved
        rows = await runs.intend(claim, rows)         # `sending`, under this claim's fence, before any put
        await runs.record(claim, results)             # what became of them
        if slice is full:
            claim = await runs.pass_on(claim)         # None: others wait, the run went to the back
    await runs.finish(claim)                          # False: there is more, pass_on and take rows again

and `renew` beside it every 10 s. Whatever raises `Lost` is to be dropped at once: another worker has the run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from schemas.documents import Metadata
from schemas.reasons import Direction, Reason, RowStatus
from sync_runner.lifecycle.sync import Selection

LEASE = timedelta(seconds=30)
"""How long a claim holds without `renew`."""
SLICE_ROWS = 500
"""After so many documents, or `SLICE_TIME`, a worker calls `pass_on`."""
SLICE_TIME = timedelta(seconds=60)


class Lost(Exception):
    """The claim is no longer ours: its lease ended and another worker took the run. Write nothing more."""


class Order(Enum):
    """What `renew` tells a worker."""

    GO_ON = "go on"
    STOP = "stop"
    """The connection was paused or removed: put nothing more, then `finish`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One run, ours until the lease ends. `fence` is higher than that of every claim before it."""

    connection_id: str
    account: str
    run_id: str
    fence: int
    owner: str
    due_at: datetime
    started_at: datetime
    provider_id: str
    provider_revision: int
    options: Mapping[str, Any] = field(repr=False)
    revision: int
    """The connection's revision that `options` are of."""
    part: int
    """Which event of the run is being filled, from 1."""
    destination: str | None = None
    """The folder that its files were put below before: where that is gone, it is not made again."""
    direction: Direction = "export"
    since: datetime | None = None
    """An import takes what its source received from then on; None is everything."""
    cursor: Mapping[str, Any] | None = field(default=None, repr=False)
    """How far an import's listing came."""
    lists: bool = False
    """An import that has not gone through its source's listing yet."""
    told_as: str | None = None
    """As `Sync.told_as`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One document version to move, with what is known of the document now."""

    id: str
    """`connection/document/version`."""
    document_id: str
    version: int
    filename: str
    media_type: str
    size: int
    sha256: str
    content_url: str
    received_at: datetime
    metadata: Metadata = field(repr=False)
    attempts: int
    """How often it was tried before."""
    doubtful: bool
    """It may have arrived already (sent under an older fence, or `unknown`): look it up before any put."""
    target: str | None
    """Where it was put, or was to be put, before; None where nobody knows."""
    asked: bool = False
    """Somebody asked for this very document to go again, knowing that it may have arrived."""
    gone: Reason | None = None
    """`withdrawn` or `superseded` after it may have been sent: it is looked up, and never put."""

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier try may have brought it there."""
        return self.doubtful or self.attempts > 0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row. `sha256` is that of the bytes that were put.

    `failed` is tried again by itself, after `retry_after` or the usual wait; `unknown` is looked up again;
    `done`, `rejected` and `skipped` are final; `pending` takes an intent back: nothing was sent.
    """

    row_id: str
    status: RowStatus
    target: str | None = None
    sha256: str | None = None
    receipt: str | None = None
    reason: Reason | None = None
    message: str | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run could not go on. `reason` and the failures so far decide whether and when it is tried again.

    `retry_after` is the provider's own word, where it gave one; it is never shortened.
    """

    reason: Reason
    message: str
    credentials_revision: int | None = None
    retry_after: timedelta | None = None


class Runs(Protocol):
    """The runs of all connections, their rows, and who works on them."""

    async def claim(self, owner: str, crowded: Collection[str] = ()) -> Claim | None:
        """The run that has been ready for longest, or None.

        Accounts in `crowded` have their share of this replica's slots: theirs come when nobody else waits.
        """

    async def renew(self, claim: Claim) -> Order:
        """Hold the lease for another 30 s.

        Raises:
            Lost: somebody else has the run.
        """

    async def take_rows(self, claim: Claim, most: int) -> Sequence[Row]:
        """Up to `most` rows to move now, oldest first; empty when there are none.

        Withdrawn and superseded documents become `skipped` and rows that match no longer go, on the way;
        after a slice of those it is empty too, and `finish` False.
        A row is taken again until `record` says what became of it.
        """

    async def intend(self, claim: Claim, rows: Sequence[Row]) -> Sequence[Row]:
        """Make the rows `sending` under this claim's fence, with their `target`, durably, before any put.

        Returns those that it got; the others have a newer fence, or are final.
        """

    async def record(self, claim: Claim, results: Sequence[Result]) -> Collection[str]:
        """Write down what became of rows. Returns the ids that have a newer fence and were left alone."""

    async def owners(self, claim: Claim, targets: Collection[str]) -> Mapping[str, str]:
        """Which document's newest row has each of these targets, and is there or may be by an older try."""

    async def moved(self, claim: Claim) -> Sequence[Row]:
        """The rows that became `done` in this part so far (for its CSV), with their targets."""

    async def prepared(self, claim: Claim) -> Selection:
        """What an import's run takes; what was asked to go again is open again.

        Raises:
            Lost: somebody else has the run.
        """

    async def listed(self, claim: Claim, cursor: Mapping[str, Any], *, through: bool) -> Claim:
        """Remember how far an import's listing came: all before it is in the ledger, durably.

        Raises:
            Lost: somebody else has the run.
        """

    async def reached(self, claim: Claim, folder: str) -> None:
        """Remember `folder` as the connection's destination: it is there now, made by us or found."""

    async def pass_on(self, claim: Claim) -> Claim | None:
        """End a slice: say what was moved (`DocumentsExported`, one part), then go on if nobody else waits.

        Returns the claim to go on with, or None where the run went to the back of the queue.

        Raises:
            Lost: somebody else has the run.
        """

    async def finish(self, claim: Claim, failure: Failure | None = None) -> bool:
        """End the run: `DocumentsExported`, then `SyncFailed` where it could not go on or was stopped.

        False where documents came that this run has to take too: then it goes on. Never False with a failure.

        Raises:
            Lost: somebody else has the run.
        """

    async def release(self, claim: Claim) -> None:
        """Give the run back unfinished, for another worker to go on with (shutdown). Never raises `Lost`."""

    async def doubt(self, claim: Claim, target: str) -> None:
        """Make the newest row at `target` `unknown`, to be looked up: a late write to it was refused."""
