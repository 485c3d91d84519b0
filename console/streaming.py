"""Server-sent events: an open page is told that something is new, and then reads anew what it shows.

Nothing is replayed: after a lost connection a page reads anew too, so it is right again whatever it missed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from console.live import Hub, Listener
from console.sessions import Session, SessionStore
from console.visits import Visit

PING = 20
"""Seconds between two signs of life."""
CHECKED_EVERY = 60.0
"""Seconds between two looks whether the session still holds."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """`/events`."""

    hub: Hub
    sessions: SessionStore
    now: Callable[[], datetime]

    async def events(self, visit: Visit) -> Response:
        """What is new for this account, as long as the page is open and the session holds."""
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        return EventSourceResponse(self._told(visit.session), ping=PING, headers=headers)

    async def _told(self, session: Session) -> AsyncIterator[ServerSentEvent]:
        with self.hub.listening(session.account) as page:
            yield ServerSentEvent(event="hello", data="{}", retry=1000)
            clock = asyncio.get_running_loop().time
            checked = clock()
            while True:
                about = await _next(page, checked + CHECKED_EVERY - clock())
                if page.closing:
                    return
                if clock() >= checked + CHECKED_EVERY:  # also where there is always something new
                    if not await self._holds(session):
                        yield ServerSentEvent(event="over", data="{}")
                        return
                    checked = clock()
                if about is not None:
                    yield ServerSentEvent(event="news", data=json.dumps({"about": sorted(about)}))

    async def _holds(self, session: Session) -> bool:
        found = await self.sessions.find(session.id)
        return found is not None and found.holds(self.now())


async def _next(page: Listener, seconds: float) -> set[str] | None:
    """What the next news are about; None when it is time for a look at the session."""
    try:
        async with asyncio.timeout(seconds):
            return await page.next()
    except TimeoutError:
        return None
