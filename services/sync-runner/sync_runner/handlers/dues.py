"""Dues: whoever says one, it runs once, and covers what was acknowledged before it was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from kit.aggregates import Aggregates
from kit.endings import Ended, NotNow, Refused
from kit.heard import Heard
from kit.owed import Cause
from kit.transitions import Decision
from schemas.envelope import Event
from schemas.reasons import Reason
from schemas.syncs import DueReason, ImportDue
from sync_runner.lifecycle import run
from sync_runner.lifecycle.heard import Due
from sync_runner.lifecycle.selecting import selection_of
from sync_runner.lifecycle.sync import Sync

UNKNOWN = "There is no saved connection {id}; wait for its ConnectionSaved, or check `accountid`."
MOST_ASKED = 10_000
"""With so many document ids asked for, a connection takes no further ones until its run has ended."""
MOST_TRIES = 20
"""After so many waits for documents that are still coming in, a due goes on with those that are there."""


class Ledger(Protocol):
    """Whether rows wait."""

    async def ready(self, accounts: Collection[str], connections: Collection[str], now: datetime) -> set[str]:
        """Which of these connections have rows to move now."""

    async def waiting(self, accounts: Collection[str], connections: Collection[str]) -> set[str]:
        """Which of these connections have rows to move now or later."""


class _Unknown(NotNow):
    """No such connection is known yet."""


class Dues:
    """The batch handler of `syncs.requests`.

    `documents_read()` and `connections_read()` wait (≤ 5 s) until those topics are read to where they end at
    the call, and say whether they are.
    """

    def __init__(
        self,
        syncs: Aggregates[Sync],
        ledger: Ledger,
        now: Callable[[], datetime],
        documents_read: Callable[[], Awaitable[bool]],
        connections_read: Callable[[], Awaitable[bool]],
    ) -> None:
        self.syncs = syncs
        self.ledger = ledger
        self.now = now
        self.documents_read = documents_read
        self.connections_read = connections_read

    async def __call__(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        going = await self._going(batch)
        behind = NotNow("documents.events is not read to its end yet; the due covers it.", after=1)
        endings: list[Ended] = [behind] * len(batch)
        unknown = _Unknown("Its connection is not known yet.", after=1)
        folded = await self._fold([batch[index] for index in going], unknown)
        for index, ending in zip(going, folded, strict=True):
            endings[index] = ending
        missing = [index for index, ending in enumerate(endings) if isinstance(ending, _Unknown)]
        if missing and await self.connections_read():
            late = await self._fold([batch[index] for index in missing], unknown=None)
            for index, ending in zip(missing, late, strict=True):
                endings[index] = ending
        return endings

    async def _going(self, batch: Sequence[Heard]) -> Sequence[int]:
        """Which need not wait for documents: all; or imports, and what waited often enough."""
        imports_only = all(isinstance(heard.event.data, ImportDue) for heard in batch)
        if imports_only or await self.documents_read():
            return range(len(batch))
        going, waiting = [], set()
        for index, heard in enumerate(batch):
            connection = heard.event.data.connection_id
            waits = heard.tries < MOST_TRIES and not isinstance(heard.event.data, ImportDue)
            if waits or connection in waiting:
                waiting.add(connection)
            else:
                going.append(index)
        return going

    async def _fold(self, batch: Sequence[Heard], unknown: NotNow | None) -> list[Ended]:
        """Decide all. A connection that is not there is `unknown`, or refused where that is None."""
        accounts = {heard.event.accountid or "" for heard in batch}
        asked = {heard.event.data.connection_id for heard in batch}
        by_hand = {heard.event.data.connection_id for heard in batch if _by_hand(heard.event)}
        now = self.now()
        ready = await self.ledger.ready(accounts, asked, now)
        waiting = await self.ledger.waiting(accounts, by_hand) if by_hand else set()

        def decide(sync: Sync | None, event: Event[Any]) -> Decision[Sync] | None:
            id_ = event.data.connection_id
            if sync is None:
                raise unknown or Refused(Reason.UNKNOWN_CONNECTION, UNKNOWN.format(id=id_))
            due = due_of(event, now, id_ in ready, id_ in waiting and id_ not in ready)
            decision = run.follow(sync, due)
            if due.selection.ids and _asked(decision.after) > MOST_ASKED:
                raise NotNow(f"{MOST_ASKED} documents are asked for by their ids already.", after=30)
            return decision

        return await self.syncs.fold(batch, decide)


def due_of(event: Event[Any], now: datetime, is_ready: bool, some_wait: bool) -> Due:  # noqa: FBT001 - two facts
    """The due, as the table knows it."""
    data, cause = event.data, Cause.of(event)
    selection = selection_of(data, some_wait=some_wait)
    if isinstance(data, ImportDue):  # whether there is something new is the source's to say
        return Due(data.due_at, data.reason, now, True, selection, "import", cause)
    return Due(data.due_at, data.reason, now, is_ready, selection, cause=cause)


def _asked(sync: Sync) -> int:
    return sum(run.selection.ids for run in (sync.run, sync.next) if run)


def _by_hand(event: Event[Any]) -> bool:
    return event.data.reason is DueReason.MANUAL
