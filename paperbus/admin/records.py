"""Topics as an operator reads them: without a group, so that nobody's place in them changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from kit.broker import Kafka
from kit.parking import Raw
from paperbus.errors import Stopped
from paperbus.reaching import reachable

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord

QUIET_MS = 1000
"""With nothing new for so long, what is left before the end are markers of transactions."""


async def until_now(
    kafka: Kafka, topics: Sequence[str], since: datetime | None
) -> AsyncIterator[ConsumerRecord]:
    """What these topics hold, from `since` (or their beginning) to their end at this moment."""
    async with _reading(kafka, topics) as consumer:
        await _seek(consumer, since)
        ends = await consumer.end_offsets(list(consumer.assignment()))
        unread = {part for part, end in ends.items() if await consumer.position(part) < end}
        while unread:
            found = await consumer.getmany(*unread, timeout_ms=QUIET_MS)
            for part, records in found.items():
                for record in records:
                    if record.offset < ends[part]:
                        yield record
            unread = (
                {part for part in unread if await consumer.position(part) < ends[part]} if found else set()
            )


async def following(
    kafka: Kafka, topics: Sequence[str], since: datetime | None
) -> AsyncIterator[ConsumerRecord]:
    """What is written to these topics from now on, or since a moment, without an end."""
    async with _reading(kafka, topics) as consumer:
        if since is None:
            await consumer.seek_to_end()
        else:
            await _seek(consumer, since)
        async for record in consumer:
            yield record


async def one(kafka: Kafka, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
    """The record at that very place, or None where it is not there (any more)."""
    from aiokafka import TopicPartition

    place = TopicPartition(topic, partition)
    async with _reading(kafka, [topic]) as consumer:
        known = place in consumer.assignment()
        first = (await consumer.beginning_offsets([place]))[place] if known else 0
        end = (await consumer.end_offsets([place]))[place] if known else 0
        if not first <= offset < end:
            return None
        consumer.seek(place, offset)
        found = await consumer.getmany(place, timeout_ms=QUIET_MS * 5, max_records=1)
        return next((record for record in found.get(place, []) if record.offset == offset), None)


def raw_of(record: ConsumerRecord) -> Raw:
    """The record as the edge knows it."""
    headers = tuple((name, value) for name, value in record.headers)
    return Raw(record.topic, record.partition, record.offset, record.key, record.value, headers)


@asynccontextmanager
async def _reading(kafka: Kafka, topics: Sequence[str]) -> AsyncIterator[AIOKafkaConsumer]:
    from aiokafka.errors import KafkaError

    await reachable(kafka)
    consumer = kafka.consumer(*topics)
    try:
        await consumer.start()
        if not consumer.assignment():
            raise Stopped("The topics are not there yet: run `paperbus topics`.")
        yield consumer
    except KafkaError as error:
        raise Stopped(f"Kafka did not do that ({type(error).__name__}: {error}).") from None
    finally:
        await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, since: datetime | None) -> None:
    if since is None:
        await consumer.seek_to_beginning()
        return
    at = int(since.timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(consumer.assignment(), at))
    for part, place in found.items():
        if place is None:
            await consumer.seek_to_end(part)
        else:
            consumer.seek(part, place.offset)
