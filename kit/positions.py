"""How far a group has read, across replicas: committed offsets against topics' ends. It commits nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeAlias

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer
    from aiokafka.admin import AIOKafkaAdminClient

    from kit.broker import Kafka
    from schemas.topics import Topic

LOOK = 0.03
"""Seconds between two looks."""
MARKERS = 0.2
"""Seconds for telling events from markers of transactions."""
PEEK = 16 * 1024
METADATA_AGE = 30.0
"""Seconds for which a topic's partitions are taken as known."""

Spans: TypeAlias = "dict[TopicPartition, tuple[int, int]]"
"""Offsets by partition: from the first, up to the second."""


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
        deadline = time.monotonic() + within
        async with self._one_at_a_time:
            ends = await self._ends(topic)
            unread = await self._unread(group, ends) if ends else {}
        while unread and time.monotonic() < deadline:
            await asyncio.sleep(LOOK)
            async with self._one_at_a_time:
                unread = await self._unread(group, {part: end for part, (_, end) in unread.items()})
                unread = await self._with_events(unread)
        return not unread

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

    async def _unread(self, group: str, ends: Mapping[TopicPartition, int]) -> Spans:
        """Where the group has not reached these ends."""
        admin, consumer = await self._clients()
        try:
            committed = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:  # no group was ever there, or nobody can say how far it is
            committed = {}
        reached = {part: found.offset for part, found in committed.items() if found.offset >= 0}
        if untouched := [part for part in ends if part not in reached]:
            reached |= await consumer.beginning_offsets(untouched)  # all may be past its retention
        return {part: (reached[part], end) for part, end in ends.items() if reached[part] < end}

    async def _with_events(self, unread: Spans) -> Spans:
        """Those that hold an event. Markers of transactions are passed by reading on; nobody commits them."""
        _, consumer = await self._clients()
        consumer.assign(list(unread))
        for part, (begin, _) in unread.items():
            consumer.seek(part, begin)
        found: set[TopicPartition] = set()
        left, deadline = set(unread), time.monotonic() + MARKERS
        while left and time.monotonic() < deadline:
            found |= (await consumer.getmany(*left, timeout_ms=10)).keys()
            left = {part for part in left - found if await consumer.position(part) < unread[part][1]}
        consumer.assign([])
        return {part: span for part, span in unread.items() if part in found | left}

    async def _clients(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None or self._consumer is None:
            admin, consumer = self._kafka.admin(), self._kafka.consumer(max_partition_fetch_bytes=PEEK)
            try:
                await admin.start()
                await consumer.start()
            except BaseException:
                await admin.close()
                await consumer.stop()
                raise
            self._admin, self._consumer = admin, consumer
        return self._admin, self._consumer
