"""What an import asks of the ledger. Data and the protocol only; `store.imports` keeps it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from schemas.reasons import Reason, RowStatus
from sync_runner.handlers.runs import Claim
from sync_runner.lifecycle.sync import Selection


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing at the source, as the ledger keeps it: see `providers.sources.Item`."""

    id: str
    tag: str
    name: str
    received_at: datetime | None = None
    size: int | None = None
    media_type: str | None = None
    lasting_id: str | None = None
    place: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reference: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A row of an import."""

    id: str
    """`connection/external id/version`."""
    connection_id: str
    external_id: str
    version: int
    status: RowStatus
    thing: Thing
    sha256: str | None = None
    content_id: str | None = None
    attempts: int = 0
    settles: bool = False
    """It is told of, and what is to be done with it at the source is not done yet."""
    gone: bool = False
    """The source had it no more."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row to be written. `content_id` is where its bytes are, which are safe by then.

    `settle`: something is to be done at the source once it is told of.
    """

    external_id: str
    version: int
    thing: Thing
    status: RowStatus
    received_at: datetime
    filename: str
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    content_id: str | None = None
    kept_until: datetime | None = None
    duplicate_of: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reason: Reason | None = None
    message: str | None = None
    attempts: int = 0
    retry_after: timedelta | None = None
    settle: bool = False


class Imports(Protocol):
    """The ledger, for whoever holds the claim of an import."""

    async def known(self, claim: Claim, things: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """The rows of these things, by the thing's id."""

    async def lasting(self, claim: Claim, ids: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """The rows of things with these lasting ids, by that id."""

    async def versions(self, claim: Claim, external_ids: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """The rows of these external ids, oldest version first."""

    async def alike(self, claim: Claim, hashes: Collection[str]) -> Mapping[str, Sequence[Known]]:
        """The account's imported rows with these bytes, oldest first, by their SHA-256."""

    async def exported(
        self, claim: Claim, places: Collection[str], hashes: Collection[str]
    ) -> Collection[str]:
        """Which of these bytes an export of the same account put under one of these names."""

    async def save(self, claim: Claim, arrivals: Sequence[Arrival], instead: Collection[str] = ()) -> None:
        """Write rows, durably. Those that are there and final stay; those in `instead` give way."""

    async def seen(self, claim: Claim, rows: Sequence[Known], thing: Thing) -> None:
        """These rows are of this thing, as it is now called, and of this tag: nothing new came."""

    async def take(self, claim: Claim, selection: Selection, most: int) -> Sequence[Known]:
        """Rows to work on now: to be fetched (again), to be told of again, to be settled at the source."""

    async def offer_again(self, claim: Claim, rows: Sequence[Known]) -> None:
        """Rows that were asked for again and whose bytes are still here: they are to be told of."""

    async def settled(self, claim: Claim, rows: Sequence[Known], now_called: str | None) -> None:
        """What was to be done at the source is done; `now_called`: its id there, where that changed."""

    async def unsettled(self, claim: Claim, rows: Sequence[Known], message: str) -> None:
        """What was to be done at the source did not work; it is tried again by itself."""

    async def gone(self, claim: Claim, rows: Sequence[Known], at: datetime) -> None:
        """The source has them no more."""

    async def present(self, claim: Claim, after: str, most: int) -> Sequence[Known]:
        """Rows that are not known to be gone, in order of their thing's id, those after `after`."""


class Contents(Protocol):
    """The bytes of imported documents, until the platform has them."""

    async def keep(self, bodies: Sequence[Kept]) -> None:
        """Keep them, durably, each under its id. What is there already stays."""

    async def has(self, content_id: str) -> bool:
        """Whether the bytes are there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes to keep. `read` gives them in pieces, any number of times."""

    id: str
    account: str
    connection_id: str
    filename: str
    media_type: str
    size: int
    sha256: str
    until: datetime
    open: Any = field(repr=False)
    """`() -> Iterator[bytes]`."""
