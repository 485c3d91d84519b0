"""What passes on the bus, to whoever waits for it: pages that are open, requests that were sent.

Every replica hears everything from now on and remembers nothing: a page that was away reads anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kit.logs import logger
from schemas.envelope import Event, Reader, Unreadable
from schemas.topics import CONNECTIONS_EVENTS, SYNCS_EVENTS

if TYPE_CHECKING:
    from kit.broker import Kafka

log = logger(__name__)
TOPICS = (CONNECTIONS_EVENTS, SYNCS_EVENTS)
AGAIN = 1.0
"""Seconds until a lost bus is listened to again."""


@dataclass(eq=False)
class Listener:
    """One open page. It is told once that something is new, however much came meanwhile."""

    account: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    about: set[str] = field(default_factory=set)
    """The connections that something was said about; empty is any."""
    closing: bool = False

    async def next(self) -> set[str]:
        """Wait for news; the connections that they are about."""
        await self.news.wait()
        self.news.clear()
        about, self.about = self.about, set()
        return about


class Hub:
    """Tells pages and waiting requests of what passes."""

    def __init__(self) -> None:
        self._pages: dict[str, set[Listener]] = defaultdict(set)
        self._answers: dict[str, asyncio.Future[Event[Any]]] = {}

    @contextlib.contextmanager
    def listening(self, account: str) -> Iterator[Listener]:
        """A page of this account, for as long as the block lasts."""
        listener = Listener(account)
        self._pages[account].add(listener)
        try:
            yield listener
        finally:
            self._pages[account].discard(listener)
            if not self._pages[account]:
                del self._pages[account]

    @contextlib.contextmanager
    def awaiting(self, event_id: str) -> Iterator[asyncio.Future[Event[Any]]]:
        """The first thing that is said because of an event, once it comes."""
        answer = asyncio.get_running_loop().create_future()
        self._answers[event_id] = answer
        try:
            yield answer
        finally:
            del self._answers[event_id]

    def heard(self, event: Event[Any]) -> None:
        """Something passed."""
        answer = self._answers.get(event.causationid or "")
        if answer is not None and not answer.done():
            answer.set_result(event)
        for page in self._pages.get(event.accountid or "", ()):
            page.about.add(event.subject)
            page.news.set()

    async def close(self) -> None:
        """The console ends: no page is kept open, so that its browser looks for another replica."""
        for pages in self._pages.values():
            for page in pages:
                page.closing = True
                page.news.set()

    def lost(self) -> None:
        """Something may have passed unheard: every page reads anew."""
        for pages in self._pages.values():
            for page in pages:
                page.news.set()

    @property
    def open(self) -> int:
        """How many pages are open."""
        return sum(map(len, self._pages.values()))


class Ears:
    """Listens to the bus as long as the console runs."""

    def __init__(self, kafka: Kafka, hub: Hub) -> None:
        self._kafka = kafka
        self._hub = hub
        self._readers = {topic.name: Reader(topic.types) for topic in TOPICS}
        self._deaf = "The bus is not listened to yet."

    def stuck(self) -> str | None:
        """Why pages are not live, as a sentence; None where they are."""
        return self._deaf or None

    async def run(self) -> None:
        """Listen until cancelled; wait out whatever the bus suffers."""
        from aiokafka.errors import KafkaError

        while True:
            try:
                await self._listen()
            except (KafkaError, OSError) as error:
                self._deaf = "Kafka does not answer."
                log.warning("not listening", why=type(error).__name__)
            self._hub.lost()
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        async with self._consumer() as consumer:
            await consumer.seek_to_end()
            self._deaf = ""
            self._hub.lost()
            async for message in consumer:
                with contextlib.suppress(Unreadable):
                    self._hub.heard(self._readers[message.topic].read(message.value))

    @contextlib.asynccontextmanager
    async def _consumer(self) -> AsyncIterator[Any]:
        consumer = self._kafka.consumer(
            *(topic.name for topic in TOPICS), group_id=None, fetch_max_wait_ms=100
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()
