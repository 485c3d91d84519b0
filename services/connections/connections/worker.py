"""The login worker: takes what is due, a try that waits or a time that is over. It decides nothing.

It looks when it is rung, at what it is rung for, and every second; several replicas may, since every try is
claimed by lease.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from connections.handlers.ports import Due
from kit.endings import NotNow
from kit.logs import logger
from kit.trouble import is_trouble, wait_for

AT_ONCE = 32
"""Logins that one replica tries at the same time."""
POLL = 1.0
"""Seconds between two looks where nobody rings."""
DRAIN = 3.5
"""Seconds that a try under way is given at the end; after them it is an interruption."""
AGAIN = 1.0
"""Seconds before the same connection is looked at again: another replica may have it."""

log = logger(__name__)


class Worker:
    """One in every replica."""

    def __init__(
        self,
        trying: Due,
        look: Callable[..., Awaitable[None]],
        now: Callable[[], datetime],
        poll: float = POLL,
    ) -> None:
        """`look(connection_id, *known)` does what is due for one connection, see `ring`; `poll`: seconds
        between looks unrung.
        """
        self._trying = trying
        self._look = look
        self._now = now
        self._poll = poll
        self._bell = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def ring(self, connection_id: str | None = None, *known: Any) -> None:
        """Look now: at this connection, with what is known of it, or at whatever is due.

        Cheap, from the same event loop.
        """
        if connection_id is None or not self._may_begin(connection_id):
            self._bell.set()
        else:
            self._begin(connection_id, *known)

    async def run(self) -> None:
        """Work until cancelled. A try under way then ends with its lease, and is asked anew."""
        failures = 0
        try:
            while True:
                try:
                    await self._take()
                    failures = 0
                except Exception as error:
                    if not is_trouble(error):
                        raise
                    failures += 1
                    log.warning("the store is away", tries=failures, error=type(error).__name__)
                    await asyncio.sleep(wait_for(failures))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), self._poll)
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def drain(self) -> None:
        """Take nothing more; what is being tried may end, for a while."""
        self._closing = True
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=DRAIN)

    async def _take(self) -> None:
        self._bell.clear()
        if self._closing:
            return
        for connection_id in await self._trying.due(self._now(), 4 * AT_ONCE):
            if self._may_begin(connection_id):
                self._begin(connection_id)

    def _may_begin(self, connection_id: str) -> bool:
        return not self._closing and connection_id not in self._busy and len(self._busy) < AT_ONCE

    def _begin(self, connection_id: str, *known: Any) -> None:
        self._busy[connection_id] = asyncio.create_task(self._work(connection_id, *known))

    async def _work(self, connection_id: str, *known: Any) -> None:
        try:
            await self._look(connection_id, *known)
        except NotNow as wait:
            log.warning("a login waits", connection_id=connection_id, why=wait.reason)
            await asyncio.sleep(AGAIN)
        except Exception as error:  # noqa: BLE001 - one login's trouble is not the others'
            # No traceback: its values could be what was answered.
            what = type(error).__name__
            log.error("looking at a login failed", connection_id=connection_id, error=what)  # noqa: TRY400
            await asyncio.sleep(AGAIN)
        finally:
            if len(self._busy) >= AT_ONCE:
                self._bell.set()
            del self._busy[connection_id]
