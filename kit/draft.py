"""What one write of one thing will be, while events are applied to it. Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from kit.endings import DONE, Ended, NotNow, Refused
from kit.heard import Heard
from kit.owed import MOST_OWED, About, Cause, Owed, Voice
from kit.transitions import Decision
from schemas.envelope import Event, RequestRefused
from schemas.reasons import Reason

T = TypeVar("T")

MOST_SEEN = 1000
"""With this much remembered, a thing takes no further request until some of it is forgotten."""
MOST_FORGETTABLE = 16
"""So many may be forgotten before they are: clearing them in every write costs more than keeping them."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What the store must know of one kind of thing.

    `dump` gives the thing's own top-level members (BSON-able; none of the store's names); `load` takes the
    whole document back. `seen_for` is longer than the retention of what the thing hears.
    """

    name: str
    schema: int
    load: Callable[[Mapping[str, Any]], T]
    dump: Callable[[T], dict[str, Any]]
    voice: Voice
    seen_for: timedelta = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A thing as it was read, or written. `seen` holds 12 bytes a request: 8 of its hash, 4 of its time,
    oldest first. `dumped` are its members as they are kept, where they were just made.
    """

    id: str
    account: str | None
    v: int
    owed: int
    thing: T
    seen: tuple[bytes, ...] = field(default=(), repr=False)
    dumped: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One guarded write: from version `v` (0: it must not exist yet) on by `steps`.

    `seen` is added to what is remembered; where `remembered` is given, it takes the place of all older ones.
    """

    id: str
    account: str | None
    v: int
    set: Mapping[str, Any] = field(repr=False)
    unset: Sequence[str] = ()
    owes: Sequence[Owed] = ()
    seen: Sequence[bytes] = field(default=(), repr=False)
    remembered: Sequence[bytes] | None = field(default=None, repr=False)
    steps: int = 1


Decide: TypeAlias = Callable[[T | None, Event[Any]], Decision[T] | None]
"""`decide(thing or None, event)`: what follows, or None where nothing does. May raise `Refused`, `NotNow`."""


class Draft(Generic[T]):
    """One thing while events are applied to it, before its one write. Pure."""

    def __init__(self, kind: Kind[T], id_: str, kept: Kept[T] | None, now: datetime) -> None:
        self.kind = kind
        self.id = id_
        self.kept = kept
        self.now = now
        self.thing = kept.thing if kept else None
        self.account = kept.account if kept else None
        self.steps = 0
        self.owes: list[Owed] = []
        self.seen: list[bytes] = []
        self.remembered = self._remembered()
        self.waiting: NotNow | None = None
        self.dumped: Mapping[str, Any] | None = None

    @property
    def v(self) -> int:
        """The version that it has in this draft. 0: it does not exist."""
        return (self.kept.v if self.kept else 0) + self.steps

    def hear(self, heard: Heard, decide: Decide[T]) -> Ended:
        """Apply one event."""
        if self.waiting is not None:
            return self.waiting
        event = heard.event
        mark = mark_of(event, self.now)
        if self._knows(mark):
            return DONE
        try:
            self.make_room()
            if heard.asked:
                self._bear_asking()
            if self.v and self.account != event.accountid:
                return Refused(
                    Reason.UNKNOWN_CONNECTION,
                    f"There is no {self.kind.name} {self.id}; check the id and `accountid`.",
                )
            decision = self._decided(heard, decide)
        except NotNow as wait:
            self.waiting = wait
            return wait
        except Refused as refused:
            return refused
        if decision is not None:
            self.take(decision, event.accountid, Cause.of(event))
            self.seen.append(mark)
        return DONE

    def _decided(self, heard: Heard, decide: Decide[T]) -> Decision[Any] | None:
        """What follows; a refusal of a request to a thing that exists becomes an event that it owes."""
        try:
            return decide(self.thing, heard.event)
        except Refused as refused:
            answered = heard.asked and RequestRefused in self.kind.voice.topic.types
            if not self.v or not answered:
                raise
            return Decision(self.thing, (refusal(heard.event, self.id, refused),))

    def take(self, decision: Decision[T], account: str | None, cause: Cause) -> None:
        """Apply a decision: a version of its own, its events owed."""
        self.account = account
        self.thing = decision.after
        self.steps += 1
        about = About(self.id, account, self.v)
        self.owes += self.kind.voice.owed(about, decision.emits, cause, self.now)

    def make_room(self) -> None:
        """Raises `NotNow` where too many events are owed already."""
        if (self.kept.owed if self.kept else 0) + len(self.owes) >= MOST_OWED:
            raise NotNow(
                f"{self.kind.name} {self.id} owes {MOST_OWED} events: Kafka takes none, or too slowly."
            )

    def _bear_asking(self) -> None:
        """Raises `NotNow` where it was asked too often. Facts are heard all the same: they are so already."""
        if len(self.remembered) + len(self.seen) >= MOST_SEEN:
            raise NotNow(f"{self.kind.name} {self.id} was asked {MOST_SEEN} times lately.", after=60)

    def change(self) -> Change | None:
        """The one write, or None where nothing was decided."""
        if not self.steps or self.thing is None:
            return None
        before = self._before()
        after = self.dumped = self.kind.dump(self.thing)
        old, valid = (self.kept.seen if self.kept else ()), self.remembered
        return Change(
            self.id,
            self.account,
            self.kept.v if self.kept else 0,
            {name: value for name, value in after.items() if name not in before or before[name] != value},
            tuple(name for name in before if name not in after),
            tuple(self.owes),
            tuple(self.seen),
            valid if len(old) - len(valid) >= MOST_FORGETTABLE else None,
            self.steps,
        )

    def written(self) -> Kept[T]:
        """The thing as it is kept once its change is written. It has to exist."""
        if self.thing is None:
            raise LookupError(f"there is no {self.kind.name} {self.id}")
        owed = (self.kept.owed if self.kept else 0) + len(self.owes)
        seen = (*(self.kept.seen if self.kept else ()), *self.seen)
        return Kept(self.id, self.account, self.v, owed, self.thing, seen, self.dumped)

    def _before(self) -> Mapping[str, Any]:
        if self.kept is None:
            return {}
        return self.kind.dump(self.kept.thing) if self.kept.dumped is None else self.kept.dumped

    def _knows(self, mark: bytes) -> bool:
        hashed = mark[:8]
        if self.kept and any(other.startswith(hashed) for other in self.kept.seen):
            return True
        return any(other.startswith(hashed) for other in self.seen)

    def _remembered(self) -> tuple[bytes, ...]:
        """What need not be forgotten yet."""
        if not self.kept or not self.kept.seen:
            return ()
        oldest = int((self.now - self.kind.seen_for).timestamp())
        return tuple(mark for mark in self.kept.seen if int.from_bytes(mark[8:]) >= oldest)


def subject_of(event: Event[Any]) -> str:
    """The subject that the event's data demands, in its canonical form; else the envelope's."""
    return getattr(event.data, "subject", None) or event.subject


def mark_of(event: Event[Any], now: datetime) -> bytes:
    """What is remembered of an event: 8 bytes of the hash of source and id, 4 of the second of hearing it."""
    digest = hashlib.blake2b(f"{event.source}\n{event.id}".encode(), digest_size=8).digest()
    return digest + int(now.timestamp()).to_bytes(4)


def refusal(event: Event[Any], about: str, refused: Refused) -> RequestRefused:
    """What a refused request is answered with (CONTRACT §3)."""
    return RequestRefused(
        connection_id=about,
        request_id=event.id,
        request_source=event.source,
        request_type=event.type,
        reason=refused.reason,
        message=refused.message,
        errors=refused.errors[:20],
    )
