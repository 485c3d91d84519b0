"""The edge: events in by batches, three endings out. No decisions here, and no knowledge of any type.

Done is committed. Refused is answered with `RequestRefused` on request topics and set aside as a dead letter
elsewhere, then committed. Not now is parked and committed, and later events of its key are parked behind it.
Trouble of our own store or broker stops consuming: the batch is tried again, without a cap, until it works.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kit.endings import DONE, Ended, NotNow, Refused
from kit.heard import Heard
from kit.logs import logger
from kit.metrics import PARKED
from kit.publishing import Publisher
from kit.reading import Handle, Reading, Reads, Refuse
from kit.subscription import Subscription
from kit.trouble import is_trouble
from schemas.envelope import Data
from schemas.topics import Topic

if TYPE_CHECKING:
    from faststream.kafka import KafkaBroker

    from kit.broker import Kafka
    from kit.parking import Parking

__all__ = ["DONE", "Edge", "Ended", "Handle", "Heard", "NotNow", "Refuse", "Refused", "each"]

log = logger(__name__)

LOOK_AT_PARKED = 0.1
LOOK_IDLE = 1.0
COUNT_PARKED = 15.0
"""Seconds between two looks at what is parked: while there is something, and while there is nothing."""


def each(handle: Callable[[Heard], Awaitable[None]]) -> Handle:
    """A batch handler out of one that takes one event: returning is done, `Refused` and `NotNow` are raised.

    After a not now, later events of the same subject are not now, untried.
    """

    async def one_by_one(batch: Sequence[Heard]) -> Sequence[Ended]:
        waiting: dict[str, NotNow] = {}
        endings: list[Ended] = []
        for heard in batch:
            ending = waiting.get(heard.event.subject) or await _ending(handle, heard)
            if isinstance(ending, NotNow):
                waiting[heard.event.subject] = ending
            endings.append(ending)
        return endings

    return one_by_one


async def _ending(handle: Callable[[Heard], Awaitable[None]], heard: Heard) -> Ended:
    try:
        await handle(heard)
    except (Refused, NotNow) as ended:
        return ended
    return DONE


class Edge:
    """All that one service reads. Declare with `reads`, then `start`; `stop` drains what is in flight."""

    def __init__(self, kafka: Kafka, service: str, parking: Parking, now: Callable[[], datetime]) -> None:
        """`service` names the groups (`<service>.<topic>`) and the events' source (`/paperbus/<service>`)."""
        self.service = service
        self.parking = parking
        self._kafka = kafka
        self._now = now
        self._publisher = Publisher(kafka)
        self._subscriptions: list[Subscription] = []
        self._broker: KafkaBroker | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._counted_at = -COUNT_PARKED

    def reads(  # noqa: PLR0913 - each is a fact about what is read
        self,
        topic: Topic,
        handle: Handle,
        *,
        types: Iterable[type[Data]] | None = None,
        refusals: Topic | None = None,
        refuse: Refuse | None = None,
        most: int = 500,
        pause: float = 0.0,
    ) -> None:
        """Read `topic` in batches of at most `most` as the group `<service>.<topic>`.

        `types` are those the handler understands (all of the topic's unless given); others of the topic are
        skipped. `refusals` is where `RequestRefused` goes; without it, what is refused is a dead letter.
        `refuse` (`Aggregates.refuse`) answers first, in the thing asked about, so that a refusal keeps its
        place among that thing's other events. Where nobody waits for what the handler does, a `pause` of some
        seconds after each batch lets events gather: large batches cost far less than many small ones.
        """
        known = tuple(topic.types if types is None else types)
        what = Reads(topic, handle, known, refusals, refuse, pause)
        reading = Reading(what, self.service, self.parking, self._publisher.publish, self._now)
        self._subscriptions.append(Subscription(reading, self._kafka, most))

    async def start(self) -> None:
        """Begin to consume, and to release what is parked. Waits until Kafka answers."""
        await self.parking.declare()
        await self._kafka.reachable()
        self._broker = self._kafka.broker()
        for subscription in self._subscriptions:
            subscription.declare(self._broker)
        await self._broker.start()
        self._releasing = asyncio.create_task(self._release(), name=f"{self.service} parked")

    async def stop(self) -> None:
        """Drain what is in flight (4 s), commit, leave."""
        for subscription in self._subscriptions:
            subscription.hurry()
        await asyncio.gather(*(subscription.committed() for subscription in self._subscriptions))
        if self._releasing is not None:
            self._releasing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._releasing
        if self._broker is not None:
            await self._broker.stop()
        await self._publisher.close()

    def stuck(self) -> str | None:
        """A sentence for `/health/ready` where no progress is made; None while all is well."""
        return next((why for subscription in self._subscriptions if (why := subscription.stuck())), None)

    async def _release(self) -> None:
        """Try what is parked, as long as the service runs."""
        while True:
            tried = 0
            for subscription in self._subscriptions:
                tried += await self._try_release(subscription.reading)
            await self._count_parked()
            await asyncio.sleep(LOOK_AT_PARKED if tried else LOOK_IDLE)

    async def _count_parked(self) -> None:
        if time.monotonic() < self._counted_at + COUNT_PARKED:
            return
        self._counted_at = time.monotonic()
        with contextlib.suppress(Exception):  # MongoDB is away: the last number stays
            PARKED.labels(self.service).set(await self.parking.count())

    async def _try_release(self, reading: Reading) -> int:
        try:
            return await reading.release()
        except Exception as error:
            if not is_trouble(error):
                log.exception("releasing parked events failed", group=reading.group)
            return 0
