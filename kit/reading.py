"""Reading one topic: from raw messages to endings, and what follows from each. It commits nothing.

Order within a lane (a Kafka key) is kept: behind something parked, everything is parked, unread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from kit.deadletters import Letter, bury
from kit.draft import refusal, subject_of
from kit.endings import DONE, Ended, NotNow, Refused
from kit.heard import Heard
from kit.logs import logger
from kit.metrics import BUGS, HEARD
from kit.owed import About, Cause, Emit, Voice, named_id
from kit.parking import Parking, Raw, Wait
from kit.trouble import is_trouble, wait_for
from schemas.envelope import CONTENT_TYPE, Data, Event, InvalidData, Reader, UnknownType, Unreadable
from schemas.reasons import Reason
from schemas.topics import CATALOG_EVENTS, CATALOG_REQUESTS, Topic

log = logger(__name__)

Handle: TypeAlias = Callable[[Sequence[Heard]], Awaitable[Sequence[Ended]]]
"""Takes a batch in offset order and returns one ending for each, in the same order."""
Refuse: TypeAlias = Callable[[Iterable[tuple[Heard, Refused]]], Awaitable[Sequence[Ended]]]
"""Answers refusals where the thing asked about lives (`Aggregates.refuse`); returns those it could not."""
Publish: TypeAlias = Callable[[Sequence[Letter]], Awaitable[None]]
"""Publishes durably, in order for each key, or raises."""

BUG_TRIES = 6
"""So often an event is tried that a handler fails on: over about ten minutes, time for a restart or a fix."""
BUG_WAITS = (1, 5, 30, 120, 480)
LONGEST_WAIT = 60.0
WITHOUT_ACCOUNT = (CATALOG_EVENTS.name, CATALOG_REQUESTS.name)


@dataclass(frozen=True, slots=True)
class Dead:
    """Nobody can be answered: it goes to the dead letters."""

    reason: str
    error: str


@dataclass(slots=True)
class Item:
    """One message on its way to its ending."""

    raw: Raw
    heard: Heard | None = None
    ending: Ended | Dead | None = None


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read, by whom, and where refusals go (`Edge.reads`)."""

    topic: Topic
    handle: Handle
    types: tuple[type[Data], ...]
    refusals: Topic | None = None
    refuse: Refuse | None = None
    pause: float = 0.0


class Reading:
    """What one service does with one topic."""

    def __init__(
        self,
        what: Reads,
        service: str,
        parking: Parking,
        publish: Publish,
        now: Callable[[], datetime],
    ) -> None:
        self.topic = what.topic
        self.group = f"{service}.{what.topic.name}"
        self.service = service
        self.pause = what.pause
        self._handle = what.handle
        self._refuse = what.refuse
        self._reader = Reader(what.types)
        self._all_types = {data.TYPE for data in what.topic.types}
        self._voice = Voice(f"/paperbus/{service}", what.refusals) if what.refusals else None
        self._parking = parking
        self._publish = publish
        self._now = now

    def moved(self) -> None:
        """Partitions came to us."""
        self._parking.moved(self.group)

    async def take(self, raws: Sequence[Raw]) -> None:
        """Bring a batch to its endings. When this returns, its offsets may be committed.

        Raises:
            whatever trouble store or broker have: nothing may be committed then.
        """
        waiting = await self._parking.waiting(self.group, {raw.lane for raw in raws})
        items = [Item(raw) for raw in raws if raw.lane not in waiting]
        await self._end(items)
        now = self._now()
        behind = [Wait(raw, "behind another", now) for raw in raws if raw.lane in waiting]
        await self._parking.park(self.group, [*self._waits(items), *behind], now)
        self._count(items, len(behind))

    async def release(self) -> int:
        """Try what is parked and due, whole lanes in order. Returns how many were tried."""
        raws = await self._parking.claim(self.group, self._now())
        items = [Item(raw) for raw in raws]
        if not items:
            return 0
        await self._end(items)
        await self._parking.remove(
            self.group, [item.raw for item in items if not isinstance(item.ending, NotNow)]
        )
        lanes: set[bytes] = set()
        for wait in self._waits(items):
            if wait.raw.lane not in lanes:
                lanes.add(wait.raw.lane)
                await self._parking.again(self.group, wait)
        self._count(items, 0)
        return len(items)

    async def _end(self, items: Sequence[Item]) -> None:
        """Give every item its ending, and see through what is refused or dead."""
        for item in items:
            self._read(item)
        await self._handled([item for item in items if item.ending is None])
        await self._answered([item for item in items if isinstance(item.ending, Refused)])
        letters = [
            bury(item.raw, item.ending.reason, item.ending.error, self.service)
            for item in items
            if isinstance(item.ending, Dead)
        ]
        if letters:
            await self._publish(letters)

    def _read(self, item: Item) -> None:
        """Parse one message; one that cannot be read has its ending at once."""
        try:
            event = self._reader.read(item.raw.value)
        except UnknownType as unknown:
            skipped = not self.topic.asks or unknown.envelope.type in self._all_types
            item.ending = DONE if skipped else Dead("unknown_type", str(unknown))
            return
        except InvalidData as invalid:
            item.heard = self._heard(item.raw, invalid.envelope)
            answered = self._voice and invalid.envelope.accountid
            item.ending = (
                Refused(Reason.INVALID, str(invalid)[:2000], invalid.errors)
                if answered
                else Dead(Reason.INVALID, str(invalid))
            )
            return
        except Unreadable as unreadable:
            item.ending = Dead("malformed", str(unreadable))
            return
        if event.accountid is None and self.topic.name not in WITHOUT_ACCOUNT:
            item.ending = Dead("no_account", "The event names no account: send it with `accountid`.")
            return
        item.heard = self._heard(item.raw, event)

    def _heard(self, raw: Raw, event: Event[Any]) -> Heard:
        return Heard(event, raw.topic, raw.partition, raw.offset, raw.parked_at, raw.tries)

    async def _handled(self, items: Sequence[Item]) -> None:
        """Ask the handler; where it fails on the batch, item by item, so that a bug costs one item."""
        if not items:
            return
        try:
            endings = await self._handle([item.heard for item in items if item.heard])
            for item, ending in zip(items, endings, strict=True):
                item.ending = ending
        except Exception as error:
            if is_trouble(error):
                raise
            if len(items) == 1:
                items[0].ending = self._failed(items[0], error)
                return
            await self._one_by_one(items)

    async def _one_by_one(self, items: Sequence[Item]) -> None:
        stopped: dict[bytes, NotNow] = {}
        for item in items:
            if item.raw.lane in stopped:
                item.ending = stopped[item.raw.lane]
                continue
            await self._handled((item,))
            if isinstance(item.ending, NotNow):
                stopped[item.raw.lane] = item.ending

    def _failed(self, item: Item, error: Exception) -> Ended | Dead:
        """A bug of ours: the event waits for a fix, ten minutes at most, and blocks nobody for ever."""
        BUGS.labels(self.topic.name).inc()
        event = item.heard.event if item.heard else None
        log.error("handler failed", exc_info=error, event_id=event and event.id, topic=self.topic.name)
        tries = item.raw.tries
        if tries < BUG_TRIES - 1:
            return NotNow(f"a bug: {type(error).__name__}", after=BUG_WAITS[tries])
        return Refused(
            Reason.BUG, "Something of ours failed on this. It has been reported; please ask again later."
        )

    async def _answered(self, items: Sequence[Item]) -> None:
        """Answer refusals: in the thing they concern, else directly, else as dead letters."""
        if items and self._refuse:
            await self._refused_there(self._refuse, items)
        letters = []
        for item in items:
            if not isinstance(item.ending, Refused) or item.heard is None:
                continue
            if self._voice is None:
                item.ending = Dead(item.ending.reason, item.ending.message)
            else:
                letters.append(self._letter(self._voice, item.heard.event, item.ending))
        if letters:
            await self._publish(letters)

    async def _refused_there(self, refuse: Refuse, items: Sequence[Item]) -> None:
        """Let the things asked about answer; where that fails, they are answered directly."""
        pairs = [
            (item.heard, item.ending) for item in items if item.heard and isinstance(item.ending, Refused)
        ]
        try:
            for item, ending in zip(items, await refuse(pairs), strict=True):
                item.ending = ending
        except Exception as error:
            if is_trouble(error):
                raise
            log.exception("refusing failed", topic=self.topic.name)

    def _letter(self, voice: Voice, event: Event[Any], refused: Refused) -> Letter:
        """A refusal about nothing that exists. Its id follows from the request: twice is once."""
        about = _about(event)
        emit = Emit(refusal(event, about, refused), id=named_id("refused", event.source, event.id))
        (owed,) = voice.owed(About(about, event.accountid, 0), (emit,), Cause.of(event), self._now())
        return Letter(owed.topic, owed.key.encode(), owed.value, (("content-type", CONTENT_TYPE.encode()),))

    def _waits(self, items: Sequence[Item]) -> list[Wait]:
        now = self._now()
        return [
            Wait(item.raw, item.ending.reason, now + timedelta(seconds=_seconds(item.ending, item.raw.tries)))
            for item in items
            if isinstance(item.ending, NotNow)
        ]

    def _count(self, items: Sequence[Item], behind: int) -> None:
        endings = Counter(
            "done" if item.ending is DONE else type(item.ending).__name__.lower() for item in items
        )
        for ending, number in endings.items():
            HEARD.labels(self.topic.name, ending).inc(number)
        if behind:
            HEARD.labels(self.topic.name, "behind").inc(behind)


def _about(event: Event[Any]) -> str:
    """The connection that a request is about, as far as it says."""
    said = event.data.get("connection_id") if isinstance(event.data, dict) else None
    return said if isinstance(said, str) and 0 < len(said) <= 200 else subject_of(event)


def _seconds(ending: NotNow, tries: int) -> float:
    return ending.after if ending.after is not None else wait_for(tries + 1, LONGEST_WAIT)
