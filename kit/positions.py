"""How far a group has read, across replicas: committed offsets against topics' ends. It commits nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer
    from aiokafka.admin import AIOKafkaAdminClient

    from kit.broker import Kafka
    from schemas.topics import Topic

LOOK = 0.03
"""Seconds between two looks."""
METADATA_AGE = 30.0
"""Seconds for which a topic's partitions are taken as known."""


class Positions:
    """One for a service; its clients are started when first asked."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._one_at_a_time = asyncio.Lock()
        self._known: dict[str, tuple[float, list[TopicPartition]]] = {}

    async def caught_up(self, topic: Topic, group: str, within: float = 5.0) -> bool:
        """Whether `group` has read all that is in `topic` when this is called; waits up to `within` seconds.

        Raises:
            aiokafka.errors.KafkaError: nobody answers.
        """
        async with self._one_at_a_time:
            ends = await self._ends(topic)
        deadline = time.monotonic() + within
        while ends:
            async with self._one_at_a_time:
                ends = await self._unread(topic, group, ends)
            if not ends or time.monotonic() >= deadline:
                break
            await asyncio.sleep(LOOK)
        return not ends

    async def close(self) -> None:
        """Close the clients, if any was needed."""
        admin, consumer, self._admin, self._consumer = self._admin, self._consumer, None, None
        if admin is not None:
            await admin.close()
        if consumer is not None:
            await consumer.stop()

    async def _ends(self, topic: Topic) -> dict[TopicPartition, int]:
        """Where each partition ends now, of those that ever held anything."""
        _, consumer = await self._clients()
        ends = await consumer.end_offsets(await self._partitions(topic))
        return {part: end for part, end in ends.items() if end}

    async def _partitions(self, topic: Topic) -> list[TopicPartition]:
        """The topic's partitions, as they were at most `METADATA_AGE` ago."""
        looked_at, parts = self._known.get(topic.name, (-METADATA_AGE, []))
        if time.monotonic() - looked_at >= METADATA_AGE:
            admin, _ = await self._clients()
            (described,) = await admin.describe_topics([topic.name])
            parts = [TopicPartition(topic.name, found["partition"]) for found in described["partitions"]]
            self._known[topic.name] = (time.monotonic(), parts)
        return parts

    async def _unread(
        self, topic: Topic, group: str, ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """What of `ends` the group has not reached."""
        admin, consumer = await self._clients()
        committed = await admin.list_consumer_group_offsets(group)
        reached = {part: found.offset for part, found in committed.items() if found.offset >= 0}
        unread = {part: end for part, end in ends.items() if reached.get(part, 0) < end}
        if untouched := [part for part in unread if part not in reached]:
            begins = await consumer.beginning_offsets(untouched)  # all may be past its retention
            unread = {part: end for part, end in unread.items() if part in reached or begins[part] < end}
        if topic.retention is None:  # published in transactions, whose last marker nobody reads or commits
            for part in [part for part in unread if part in reached]:
                if await _only_markers(consumer, part, reached[part]):
                    del unread[part]
        return unread

    async def _clients(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None or self._consumer is None:
            admin, consumer = self._kafka.admin(), self._kafka.consumer()
            try:
                await admin.start()
                await consumer.start()
            except BaseException:
                await admin.close()
                await consumer.stop()
                raise
            self._admin, self._consumer = admin, consumer
        return self._admin, self._consumer


async def _only_markers(consumer: AIOKafkaConsumer, part: TopicPartition, offset: int) -> bool:
    """Whether no event is at or after `offset`."""
    consumer.assign([part])
    consumer.seek(part, offset)
    found = await consumer.getmany(part, timeout_ms=200, max_records=1)
    consumer.assign([])
    return not found
