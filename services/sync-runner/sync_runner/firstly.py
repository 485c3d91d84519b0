"""How much of what lies there already a first import takes: the option `first_most`. Pure.

Things are counted over the whole first listing, however many pages and runs it has. What was received before
that and is left out then stays left out. What does not say when it was received is never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from providers.sources import Cursor, Item

CLOCKS = timedelta(minutes=2)
"""So far a source's clock may be behind ours, and so roughly it may tell time."""
MEMBER = "first"
"""Of the stored cursor, beside what the source says."""


@dataclass(frozen=True, slots=True)
class First:
    """How far a first import came: `left` things may still be taken of what was received before `began`."""

    left: int
    began: datetime

    @classmethod
    def of(cls, cursor: Cursor | None, options: Mapping[str, Any], now: datetime) -> First | None:
        """None where nothing limits it, or the first listing went without a limit."""
        if cursor:
            said = cursor.get(MEMBER)
            return cls(int(said["left"]), datetime.fromisoformat(said["began"])) if said else None
        most = options.get("first_most")
        return cls(int(most), now - CLOCKS) if most else None

    def taking(self, items: Sequence[Item]) -> tuple[Sequence[Item], First]:
        """Which of these count, in their order, and what is left then."""
        taken, left = [], self.left
        for item in items:
            if item.received_at is not None and item.received_at < self.began:
                left -= 1
                if left < 0:
                    continue
            taken.append(item)
        return taken, replace(self, left=max(0, left))

    def on(self, cursor: Cursor) -> Cursor:
        """What is stored: where the source goes on, and how far this came."""
        return {**cursor, MEMBER: {"left": self.left, "began": self.began.isoformat()}}


def without(cursor: Cursor | None) -> Cursor | None:
    """A stored cursor as its source said it."""
    return cursor and {name: value for name, value in cursor.items() if name != MEMBER}
