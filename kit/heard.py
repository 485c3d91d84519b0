"""One event as a handler gets it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.envelope import Event


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and where it came from. `parked_at` and `tries` tell of an event that waited."""

    event: Event[Any]
    topic: str
    partition: int
    offset: int
    parked_at: datetime | None = None
    tries: int = 0

    @property
    def asked(self) -> bool:
        """Whether it is a request, so that a refusal is answered."""
        return not self.topic.endswith(".events")
