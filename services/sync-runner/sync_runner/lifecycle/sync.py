"""One connection as sync-runner knows it: what it wants, when it is due, what is being run. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from kit.owed import NOBODY, Cause
from schemas.filters import Filters, Start
from schemas.reasons import Direction, Reason, RowStatus, RunStatus
from schemas.schedules import Schedule
from schemas.syncs import Counts, DueReason

PAST_RUNS = 20
NOTHING = Counts()
NO_FILTERS = Filters()
MANUAL = Schedule(every="manual")
NEEDS_LOGIN = frozenset(
    {
        Reason.CREDENTIALS_WRONG,
        Reason.PASSWORD_EXPIRED,
        Reason.CHALLENGE_NEEDED,
        Reason.CONSENT_EXPIRED,
        Reason.ACTION_ON_SITE,
        Reason.LOCKED,
        Reason.IDENTITY_CHANGED,
        Reason.CERTIFICATE_INVALID,
    }
)
"""Troubles that only a person ends: trying again by ourselves would change nothing, or lock the account."""


class Standing(Enum):
    """Whether it is due by itself, and may run at all."""

    NEW = "new"
    ACTIVE = "active"
    PAUSED = "paused"
    HELD = "held"
    """Only a new login can mend it: it is not due by itself until then."""
    REMOVED = "removed"


class State(Enum):
    """Where its run stands."""

    IDLE = "idle"
    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Redo:
    """Rows in one of these states are to go again: of these documents, or of all where `only` is None."""

    statuses: tuple[RowStatus, ...]
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run takes of the rows that are open: all, those tried before, and those of some documents."""

    everything: bool = False
    tried: bool = False
    only: tuple[str, ...] = ()
    redo: tuple[Redo, ...] = ()

    @property
    def ids(self) -> int:
        """How many document ids it names."""
        return len(self.only) + sum(len(redo.only or ()) for redo in self.redo)

    def with_(self, other: Selection) -> Selection:
        """What both take together."""
        return Selection(
            self.everything or other.everything,
            self.tried or other.tried,
            tuple(dict.fromkeys(self.only + other.only)),
            tuple(dict.fromkeys(self.redo + other.redo)),
        )


EVERYTHING = Selection(everything=True)
TRIED = Selection(tried=True)


@dataclass(frozen=True, slots=True)
class Run:
    """A run, waiting or under way. `part` is the event that is being filled, from 1."""

    id: str
    due_at: datetime
    reason: DueReason
    selection: Selection
    not_before: datetime | None = None
    """A retry waits until then, unless somebody asks for it."""
    started_at: datetime | None = None
    owner: str | None = None
    part: int = 1
    counts: Counts = NOTHING
    cause: Cause = NOBODY
    """The due that asked for it first: the cause of what it says."""
    listed: bool = False
    """An import has gone through its source's listing to the end."""


@dataclass(frozen=True, slots=True)
class Past:
    """The run that ended last. `shown()` is what is kept of it when it is one of those before."""

    id: str
    due_at: datetime
    reason: DueReason
    status: RunStatus
    started_at: datetime | None
    finished_at: datetime
    counts: Counts
    message: str | None = None
    parts: int = 1

    def shown(self) -> dict[str, Any]:
        """Plain members, without those that are not there."""
        members = {
            "id": self.id,
            "due_at": self.due_at,
            "reason": self.reason.value,
            "status": self.status.value,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "counts": nonzero(self.counts),
            "message": self.message,
            "parts": self.parts,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fill:
    """A walk over the account's documents, from `since` on, for `revision`; `at` is how far it came."""

    since: datetime | None
    revision: int
    at: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """A connection, its schedule and its run. `heard` is the newest sequence of `connections.events`."""

    id: str
    account: str
    standing: Standing = Standing.NEW
    state: State = State.IDLE
    heard: int = -1
    attention: Reason | None = None
    provider_id: str = ""
    provider_revision: int = 0
    direction: Direction = "export"
    revision: int = 0
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    filters: Filters = NO_FILTERS
    start: Start = "now"
    since: datetime | None = None
    """What `start` came to at the first save; None is always."""
    schedule: Schedule = MANUAL
    anchor: datetime | None = None
    due_at: datetime | None = None
    wake_at: datetime | None = None
    delay: int = 0
    """Milliseconds from due to waking."""
    run: Run | None = None
    next: Run | None = None
    ready_at: datetime | None = None
    """When a worker may take the run; while one has it, when its lease ends."""
    fence: int = 0
    fill: Fill | None = None
    covered_to: datetime | None = None
    """When the last fill was through."""
    destination: str | None = None
    """The folder that files were put below before."""
    cursor: Mapping[str, Any] | None = field(default=None, repr=False)
    """How far the listing of an import's source came: its own, see `providers.sources`."""
    told_as: str | None = None
    """The seal of the rows that the last event about imports told of (`store.imports`)."""
    counts: Counts = NOTHING
    failures: int = 0
    """Runs in a row that could not go on."""
    left: Selection | None = None
    """What runs that could not go on were to take, and nothing took since."""
    runs: int = 0
    last: Past | None = None
    past: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The runs before the last one, newest first, as `Past.shown`: for people only, and never taken apart."""

    @property
    def may_run(self) -> bool:
        return self.standing in (Standing.ACTIVE, Standing.HELD)


def nonzero(counts: Counts) -> dict[str, int]:
    """Those that are not 0."""
    return {} if counts is NOTHING else {name: number for name, number in counts if number}


def run_of(sync: Sync) -> Run:
    """Its run.

    Raises:
        LookupError: it has none: the table let something happen that cannot.
    """
    if sync.run is None:
        raise LookupError(f"Connection {sync.id} has no run while {sync.state.value}.")
    return sync.run


def passed(sync: Sync) -> tuple[Mapping[str, Any], ...]:
    """The past once another run is the last."""
    return (sync.last.shown(), *sync.past)[: PAST_RUNS - 1] if sync.last else sync.past


def last_of(sync: Sync) -> Past:
    """The run that ended last.

    Raises:
        LookupError: none did: something is said of a run that never was.
    """
    if sync.last is None:
        raise LookupError(f"No run of connection {sync.id} has ended.")
    return sync.last


def readied(sync: Sync, now: datetime) -> Sync:
    """With `ready_at` as it follows for a run that waits: never while paused, removed or being filled."""
    if sync.state is not State.WAITING or sync.run is None:
        return sync
    if not sync.may_run or sync.fill is not None:
        return replace(sync, ready_at=None)
    return replace(sync, ready_at=max(now, sync.run.not_before or now))


def ended(sync: Sync, status: RunStatus, now: datetime, message: str | None = None) -> Sync:
    """With its run among those past."""
    run = sync.run
    if run is None:
        return sync
    last = Past(run.id, run.due_at, run.reason, status, run.started_at, now, run.counts, message, run.part)
    return replace(sync, run=None, ready_at=None, last=last, past=passed(sync))
