"""What `connections.events` says of connections: heard in order, each once, older ones dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kit.aggregates import Aggregates
from kit.endings import Ended
from kit.heard import Heard
from kit.transitions import Decision
from schemas import connections as said
from schemas.envelope import Event
from sync_runner.lifecycle import schedule
from sync_runner.lifecycle.heard import Paused, Recovered, Removed, Resumed, Saved, Troubled
from sync_runner.lifecycle.sync import Sync

TYPES = (
    said.ConnectionSaved,
    said.ConnectionChanged,
    said.ConnectionPaused,
    said.ConnectionResumed,
    said.ConnectionRemoved,
    said.ConnectionNeedsAttention,
    said.ConnectionRecovered,
)
Clock = Callable[[], datetime]


def message_of(data: Any, now: datetime) -> object:
    """The fact, as the table knows it."""
    match data:
        case said.ConnectionSaved() | said.ConnectionChanged():
            return Saved(data, now)
        case said.ConnectionNeedsAttention():
            return Troubled(data.reason, now)
        case said.ConnectionPaused():
            return Paused(now)
        case said.ConnectionResumed():
            return Resumed(now)
        case said.ConnectionRemoved():
            return Removed(now)
        case said.ConnectionRecovered():
            return Recovered(now)
    raise TypeError(f"{type(data).__name__} is no fact about a saved connection.")


def decide(sync: Sync | None, event: Event[Any], now: datetime) -> Decision[Sync] | None:
    """What a fact changes; None for what is older than what is known, or is of no saved connection."""
    message = message_of(event.data, now)
    heard = int(event.sequence or 0)
    if sync is None:
        if not isinstance(message, Saved):
            return None
        sync = Sync(id=event.data.connection_id, account=event.accountid or "")
    elif heard <= sync.heard:
        return None
    decision = schedule.follow(sync, message)
    return Decision(replace(decision.after, heard=heard), decision.emits)


class Facts:
    """The batch handler of `connections.events`."""

    def __init__(self, syncs: Aggregates[Sync], now: Clock, fill: Callable[[], None]) -> None:
        """`fill` is rung when a walk over documents may be due."""
        self.syncs = syncs
        self.now = now
        self.fill = fill

    async def __call__(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        now = self.now()
        endings = await self.syncs.fold(batch, lambda sync, event: decide(sync, event, now))
        self.fill()
        return endings
