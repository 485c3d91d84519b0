"""Kafka in: suggestions, and what the topic knows of providers. No decisions here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from catalog.handlers import Asker, Published, Told, record
from catalog.lifecycle import TopicLacks
from catalog.wire import Wire
from kit.broker import Kafka
from kit.edge import Edge, each
from kit.heard import Heard
from kit.logs import logger
from schemas import catalog
from schemas.catalog import ProviderPublished, ProviderSuggested
from schemas.envelope import Reader
from schemas.topics import CATALOG_EVENTS, CATALOG_REQUESTS

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

log = logger(__name__)

Suggest = Callable[[ProviderSuggested, Asker], Awaitable[Told]]

_SEQUENCE: Final = re.compile(rb'"sequence":"(\d{1,20})"')
_HEAD: Final = 2000
"""Our events have their sequence within so many bytes: reading 50,000 of them whole would take seconds."""
_SOME: Final = 1000


def read(edge: Edge, suggest: Suggest) -> None:
    """Declare what this service reads. A suggestion that cannot be taken is a dead letter."""

    async def suggested(heard: Heard) -> None:
        event = heard.event
        await suggest(event.data, Asker(f"{event.source} {event.id}", event.accountid))

    edge.reads(CATALOG_REQUESTS, each(suggested))


class Topic:
    """What `catalog.events` and the store know of each other."""

    def __init__(self, kafka: Kafka, store: Published) -> None:
        self._kafka = kafka
        self._store = store

    async def settle(self) -> None:
        """Note where the topic ends, now that everything is published: what is as noted is not compared."""
        await self._store.keep_ends(await _ends(self._kafka))

    async def compare(self) -> None:
        """Bring the store and its topic together: what either has lost is put back.

        Revisions that only the topic knows are taken over, so that a restored store does not say older ones
        again; what the topic lacks is said again.
        """
        if (noted := await self._store.ends()) and noted == await _ends(self._kafka):
            return
        known = {provider_id: (v, owing) async for provider_id, v, owing in self._store.versions()}
        unsaid = {provider_id for provider_id, (_, owing) in known.items() if not owing}
        ahead: dict[str, tuple[int, bytes]] = {}
        async for provider_id, said, value in _said(self._kafka):
            mine = known.get(provider_id, (0, False))[0]
            if said > mine:
                ahead[provider_id] = (said, value)
            elif said == mine:
                unsaid.discard(provider_id)
        lacking = sorted(unsaid - ahead.keys())
        await self._say_again(lacking)
        reader = Reader(catalog.EVENTS)
        await self._store.adopt(
            {id_: (said, _manifest(reader, value)) for id_, (said, value) in ahead.items()}
        )
        if lacking or ahead:
            log.warning("topic and store differed", said_again=len(lacking), taken_over=len(ahead))

    async def _say_again(self, lacking: list[str]) -> None:
        for some in (lacking[start : start + _SOME] for start in range(0, len(lacking), _SOME)):
            now = self._store.providers.now()
            await record(self._store.providers, dict.fromkeys(some, TopicLacks(now)))


def _manifest(reader: Reader, value: bytes) -> Wire | None:
    data = reader.read(value).data
    return Wire.of(data.manifest) if isinstance(data, ProviderPublished) else None


async def _said(kafka: Kafka) -> AsyncIterator[tuple[str, int, bytes]]:
    """Everything in `catalog.events` up to this moment: provider, sequence, event."""
    async with _listening(kafka) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while left := [part for part, end in ends.items() if await consumer.position(part) < end]:
            for records in (await consumer.getmany(*left, timeout_ms=1000, max_records=5000)).values():
                for found in map(_sequenced, records):
                    if found is not None:
                        yield found


async def _ends(kafka: Kafka) -> dict[str, int]:
    async with _listening(kafka) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        return {str(part.partition): end for part, end in ends.items()}


@asynccontextmanager
async def _listening(kafka: Kafka) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all of `catalog.events`, once the topic is there."""
    consumer = kafka.consumer(CATALOG_EVENTS.name, fetch_max_wait_ms=100)
    try:  # a start that is cancelled on its way leaves a connection behind
        await consumer.start()
        while not consumer.assignment():
            log.warning("waiting for the topic", topic=CATALOG_EVENTS.name)
            await asyncio.sleep(1)
        yield consumer
    finally:
        await consumer.stop()


def _sequenced(record: Any) -> tuple[str, int, bytes] | None:
    """None for what is none of our events."""
    if not record.key or not record.value or not (found := _SEQUENCE.search(record.value, 0, _HEAD)):
        return None
    return record.key.decode("utf-8", "replace"), int(found[1]), record.value
