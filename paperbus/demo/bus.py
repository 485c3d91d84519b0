"""How the demo speaks and listens on Kafka: like any other platform service, in the published words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from rich.console import Console

from paperbus.demo.telling import line
from paperbus.errors import Stopped
from schemas.connections import AuthSessionEnded, ConnectionRejected
from schemas.envelope import CONTENT_TYPE, Data, Event, Reader, RequestRefused, Unreadable
from schemas.syncs import SyncFailed
from schemas.topics import CONNECTIONS_ANSWERS, TOPICS, topic_of

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from kit.broker import Kafka

D = TypeVar("D", bound=Data)

SOURCE = "/demo"
PATIENCE = 60.0
"""Seconds that an answer may take."""
ENDINGS = (RequestRefused, SyncFailed, ConnectionRejected, AuthSessionEnded)
"""What ends the wait for something else about the same connection."""


class DemoFailed(Stopped):
    """The demo cannot go on. The text is a sentence."""


class Bus:
    """Publishes events of one account and hears every event about it."""

    def __init__(self, producer: AIOKafkaProducer, account: str, console: Console) -> None:
        self._producer = producer
        self._account = account
        self._console = console
        self._heard: list[Event[Any]] = []
        self._news = asyncio.Condition()

    async def say(self, data: Data, subject: str | None = None) -> None:
        """Publish `data` as an event of the demo's account; returns when Kafka has it."""
        topic = topic_of(type(data))
        about = subject or data.subject or str(uuid4())
        event: Event[Any] = Event(
            id=str(uuid4()),
            source=SOURCE,
            type=data.TYPE,
            time=datetime.now(UTC),
            subject=about,
            accountid=self._account,
            data=data,
        )
        if topic is CONNECTIONS_ANSWERS:
            self._console.print(line(topic.name, event))
        headers = [("content-type", CONTENT_TYPE.encode())]
        await self._producer.send_and_wait(topic.name, event.encoded(), key=about.encode(), headers=headers)

    async def hear(self, topic: str, event: Event[Any]) -> None:
        """Take note of an event that passed, and show it."""
        if event.accountid != self._account:
            return
        self._console.print(line(topic, event))
        async with self._news:
            self._heard.append(event)
            self._news.notify_all()

    async def told(self, wanted: type[D], about: str, holds: Callable[[D], bool] = lambda _: True) -> D:
        """The first `wanted` about a connection for which `holds` is true.

        Raises:
            DemoFailed: something that ends it came instead, or nothing within a minute.
        """

        def found() -> Any:
            for event in self._heard:
                if isinstance(event.data, wanted) and event.subject == about and holds(event.data):
                    return event.data
            return next((e.data for e in self._heard if e.subject == about and _ends(e.data, wanted)), None)

        async with self._news:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait_for(found)
            except TimeoutError:
                raise DemoFailed(
                    f"No {wanted.__name__} within {PATIENCE:.0f} s; see the services' logs."
                ) from None
            data = found()
        if isinstance(data, wanted):
            return data
        raise DemoFailed(f"Waited for {wanted.__name__}, heard {type(data).__name__}: {data.message}")


def _ends(data: Data, wanted: type[Data]) -> bool:
    if isinstance(data, AuthSessionEnded) and data.result == "authorized":
        return False
    return isinstance(data, ENDINGS) and not isinstance(data, wanted)


@asynccontextmanager
async def listening(kafka: Kafka, account: str, console: Console) -> AsyncIterator[Bus]:
    """A bus that hears from now on, for as long as the block lasts."""
    topics = {topic.name: Reader(topic.types) for topic in TOPICS if topic is not CONNECTIONS_ANSWERS}
    consumer = kafka.consumer(*topics, group_id=None)
    async with kafka.producer() as producer, consumer:
        await consumer.seek_to_end()
        bus = Bus(producer, account, console)

        async def listen() -> None:
            async for message in consumer:
                try:
                    await bus.hear(message.topic, topics[message.topic].read(message.value))
                except Unreadable:
                    continue

        ears = asyncio.create_task(listen())
        try:
            yield bus
        finally:
            ears.cancel()
            await asyncio.gather(ears, return_exceptions=True)
