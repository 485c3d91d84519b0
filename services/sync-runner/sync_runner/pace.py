"""How fast one run may go: as many documents a second as its provider bears, and a rest when it asks for one.

What several runs share (a provider, a host) is not known here.
"""

from __future__ import annotations

import asyncio
import time

PATIENCE = 30.0
"""Seconds. A longer rest is not waited for by a worker: the run is tried again after it."""
USUAL_REST = 5.0
"""Seconds, where the provider asks for a rest and does not say how long."""


class Pace:
    """Whoever is about to send waits for its `turn`.

    Args:
        per_second: how many turns a second; None is as many as come.
    """

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the next one may be sent."""
        now = time.monotonic()
        at = max(self._next, now)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)

    def rest(self, seconds: float | None) -> bool:
        """Nobody's turn comes for so long. False: that is longer than a worker waits."""
        wait = USUAL_REST if seconds is None else seconds
        if wait > PATIENCE:
            return False
        self._next = max(self._next, time.monotonic() + wait)
        return True
