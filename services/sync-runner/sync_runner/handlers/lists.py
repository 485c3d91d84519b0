"""What the HTTP interface asks of the ledger. The protocol only; `store.lists` keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page starts: after so many rows that were received at that moment."""

    received_at: datetime
    skip: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of a connection, in these states (empty: all), with these words in names and numbers."""

    account: str
    connection: str
    statuses: Sequence[str] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row with its document."""

    row: Mapping[str, Any]
    document: Mapping[str, Any]


class Lists(Protocol):
    """The ledger, newest first."""

    async def rows(self, wanted: Wanted, place: Place | None, most: int) -> tuple[list[Entry], Place | None]:
        """Up to `most` rows, and where the next page starts."""
