"""What a page shows beside a connection: what is open, and which documents a choice would take.

The protocol only; `store.overview` keeps it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Protocol

MOST_COUNTED = 10_000
"""Rows of one status are counted up to this many: whoever looks needs no more."""


class Overview(Protocol):
    """Counts of open rows, and an account's newest documents."""

    async def standing(self, account: str, connection: str) -> dict[str, int]:
        """How many rows of a connection are in each status but skipped, each up to `MOST_COUNTED`."""

    def newest(self, account: str, since: datetime | None) -> AsyncIterator[Mapping[str, Any]]:
        """An account's documents, newest first, those received since a moment; withdrawn ones too."""
