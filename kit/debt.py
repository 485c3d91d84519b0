"""What one aggregate owes while the relay publishes it. It publishes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Debt:
    """What one aggregate owes in this round, and how much of it is published."""

    id: str
    owes: list[dict[str, Any]]
    sent: list[asyncio.Future[Any]] = field(default_factory=list)
    error: BaseException | None = None

    def paid(self) -> list[str]:
        """The ids of those that brokers have acknowledged, up to the first that failed."""
        ids = []
        for owed, future in zip(self.owes, self.sent, strict=False):
            if not future.done() or future.cancelled() or (error := future.exception()):
                self.error = self.error or (error if future.done() and not future.cancelled() else None)
                break
            ids.append(owed["id"])
        return ids


def whole(owes: Sequence[dict[str, Any]], bodies: dict[str, bytes]) -> list[dict[str, Any]]:
    """`owes` with bodies in place, up to the first whose body is not at hand."""
    ready = []
    for owed in owes:
        if "body" not in owed:
            ready.append(owed)
        elif owed["body"] in bodies:
            ready.append(owed | {"value": bodies[owed["body"]]})
        else:
            break
    return ready
