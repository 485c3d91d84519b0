"""The edge: events in by batches, three endings out. No decisions here, and no knowledge of any type.

Done is committed. Refused is answered with `RequestRefused` on request topics and set aside as a dead letter
elsewhere, then committed. Not now is parked and committed, and later events of its key are parked behind it.
Trouble of our own store or broker stops consuming: the batch is tried again, without a cap, until it works.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from kit.endings import DONE, Ended, NotNow, Refused
from schemas.envelope import Data, Event
from schemas.topics import Topic

if TYPE_CHECKING:
    from kit.broker import Kafka
    from kit.parking import Parking


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and where it came from. `parked_at` and `tries` tell of an event that waited."""

    event: Event[Any]
    topic: str
    partition: int
    offset: int
    parked_at: datetime | None = None
    tries: int = 0


Handle: TypeAlias = Callable[[Sequence[Heard]], Awaitable[Sequence[Ended]]]
"""Takes a batch in offset order and returns one ending for each, in the same order."""
Refuse: TypeAlias = Callable[[Iterable[tuple[Heard, Refused]]], Awaitable[Sequence[Ended]]]
"""Answers refusals where the thing asked about lives (`Aggregates.refuse`); returns those it could not."""


def each(handle: Callable[[Heard], Awaitable[None]]) -> Handle:
    """A batch handler out of one that takes one event: returning is done, `Refused` and `NotNow` are raised.

    After a not now, later events of the same subject are not now, untried.
    """

    async def one_by_one(batch: Sequence[Heard]) -> Sequence[Ended]:
        endings: list[Ended] = []
        waiting: dict[str, NotNow] = {}
        for heard in batch:
            ending: Ended = waiting.get(heard.event.subject, DONE)
            if ending is DONE:
                try:
                    await handle(heard)
                except (Refused, NotNow) as ended:
                    ending = ended
            if isinstance(ending, NotNow):
                waiting[heard.event.subject] = ending
            endings.append(ending)
        return endings

    return one_by_one


class Edge:
    """All that one service reads. Declare with `reads`, then `start`; `stop` drains what is in flight."""

    def __init__(self, kafka: Kafka, service: str, parking: Parking, now: Callable[[], datetime]) -> None:
        """`service` names the consumer groups (`<service>.<topic>`) and the source (`/paperbus/<service>`)."""
        raise NotImplementedError

    def reads(
        self,
        topic: Topic,
        handle: Handle,
        *,
        types: Iterable[type[Data]] | None = None,
        refusals: Topic | None = None,
        refuse: Refuse | None = None,
        most: int = 500,
    ) -> None:
        """Read `topic` in batches of at most `most` as the group `<service>.<topic>`.

        `types` are those the handler understands (all of the topic's unless given); others of the topic are
        skipped. `refusals` is where `RequestRefused` goes; without it, what is refused is a dead letter.
        """
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to consume, and to release what is parked."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Drain what is in flight (4 s), commit, leave."""
        raise NotImplementedError

    def stuck(self) -> str | None:
        """A sentence for `/health/ready` where no progress is made; None while all is well."""
        raise NotImplementedError
