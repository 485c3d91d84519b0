"""Aggregates: one thing, one document, one guarded write. It decides nothing and knows no Mongo.

A document is `{_id, account, v, shard, by, schema, owes, seen, …the thing's own members}`. `fold` and `alter`
read, let the caller decide, write guarded by `v`, and let the losers decide again. Two stores keep the
promise: `kit.mongo_aggregates.MongoAggregates` and, for tests, `kit.memory.MemoryAggregates`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from kit.edge import Heard
from kit.endings import Ended, Refused
from kit.owed import NOBODY, Cause, Owed, Voice
from kit.transitions import Decision
from schemas.envelope import Event

T = TypeVar("T")

SHARDS = 64
MOST_SEEN = 1000
"""With this many requests remembered, a thing takes no further one until some are forgotten."""


def shard_of(key: str) -> int:
    """Which of the 64 shards a Kafka key belongs to: `crc32(key) % 64`."""
    raise NotImplementedError


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
    """A thing as it was read. `seen` holds 12 bytes a request: 8 of its hash, 4 of its time."""

    id: str
    account: str | None
    v: int
    owed: int
    thing: T
    seen: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One guarded write: from version `v` (0: it must not exist yet) on by `steps`."""

    id: str
    account: str | None
    v: int
    set: Mapping[str, Any] = field(repr=False)
    unset: Sequence[str] = ()
    owes: Sequence[Owed] = ()
    seen: Sequence[bytes] = field(default=(), repr=False)
    forget: Sequence[bytes] = field(default=(), repr=False)
    steps: int = 1


Decide: TypeAlias = Callable[[T | None, Event[Any]], Decision[T] | None]
"""`decide(thing or None, event)`: what follows, or None where nothing does. May raise `Refused`, `NotNow`."""


class Aggregates(ABC, Generic[T]):
    """The things of one kind. Callers need `fold` for batches of events and `alter` for everything else."""

    def __init__(
        self, kind: Kind[T], now: Callable[[], datetime], ring: Callable[[], None] = lambda: None
    ) -> None:
        """`ring` is called after a write that owes events, so that the relay need not wait for its poll."""
        self.kind = kind
        self.now = now
        self.ring = ring

    @abstractmethod
    async def read(self, ids: Collection[str]) -> dict[str, Kept[T]]:
        """The things with these ids, by id; ids that are not there are left out. From the primary."""

    @abstractmethod
    async def write(self, changes: Sequence[Change]) -> set[str]:
        """Write all of them in one go, at most one for each id. Returns the ids whose guard did not hold.

        A lost one changed nothing: it is to be read and decided again.
        """

    async def fold(
        self, batch: Sequence[Heard], decide: Decide[T], id_of: Callable[[Event[Any]], str] | None = None
    ) -> list[Ended]:
        """Handle a batch: several events of one thing become one write, each with a version of its own.

        What was heard before changes nothing and is done. Another account's thing is refused as unknown. A
        refusal of a request to a thing that exists is owed by that thing, in order with its other events, and
        is done. With 64 events owed or 1,000 requests remembered the ending is not now. After a not now, later
        events of that thing are not now. `id_of` is the event's subject unless given.
        """
        raise NotImplementedError

    async def alter(
        self,
        id_: str,
        decide: Callable[[T | None], Decision[T] | None],
        *,
        account: str | None = None,
        cause: Cause = NOBODY,
    ) -> T | None:
        """Read, decide, write; again while somebody else was faster. Returns the thing as it is afterwards.

        `decide` gets None where there is no such thing; `account` is needed only to create one. A decision of
        None writes nothing. What `decide` raises passes through.
        """
        raise NotImplementedError

    async def refuse(self, refusals: Iterable[tuple[Heard, Refused]]) -> list[Ended]:
        """Owe refusals in the things they were meant for; those of no such thing come back as they are."""
        raise NotImplementedError
