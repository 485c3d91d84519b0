"""One topic's consumer: FastStream fetches, this commits what has ended and rewinds what has not.

FastStream's own policies are not used: committing by position passes what a failed rewind left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from structlog.contextvars import bound_contextvars

from kit import traces
from kit.logs import logger
from kit.metrics import BATCHES, TROUBLE
from kit.parking import Raw
from kit.trouble import wait_for

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord
    from faststream.kafka import KafkaBroker
    from faststream.kafka.subscriber.usecase import BatchSubscriber

    from kit.broker import Kafka
    from kit.reading import Reading

log = logger(__name__)

DRAIN_ON_REVOKE = 45.0
"""Seconds that a batch in flight gets when partitions move; below the 60 s of the rebalance."""
FAILING = 5.0
"""Seconds of trouble after which a replica is not ready."""
SILENT = 10.0
"""Seconds without an answer of Kafka, an empty one included, after which a replica is not ready."""
NO_PROGRESS = 60.0
"""Seconds without a finished batch, with something to read, after which a replica is not ready."""


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Consumes for one `Reading`."""

    def __init__(self, reading: Reading, kafka: Kafka, most: int) -> None:
        self.reading = reading
        self._kafka = kafka
        self._most = most
        self._subscriber: BatchSubscriber | None = None
        self._hurried = asyncio.Event()
        self._committing: asyncio.Task[None] | None = None
        self._failures = 0
        self._failing_since = 0.0
        self._why = ""
        self._handling = False
        self._progress = time.monotonic()

    def declare(self, broker: KafkaBroker) -> None:
        """Tell the broker what to read and how."""
        self._subscriber = broker.subscriber(
            self.reading.topic.name,
            group_id=self.reading.group,
            group_instance_id=self._kafka.instance,
            batch=True,
            max_records=self._most,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_bytes=8 * 1024 * 1024,
            max_partition_fetch_bytes=256 * 1024,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=300_000,
            listener=self,
            parser=tolerant,
            decoder=untouched,
        )
        self._subscriber(self._consume)

    def hurry(self) -> None:
        """The process ends: do not wait for a store that is away."""
        self._hurried.set()

    def stuck(self) -> str | None:
        """Why this replica makes no progress, or None."""
        if self._failures and time.monotonic() - self._failing_since > FAILING:
            return f"{self.reading.topic.name} is not read: {self._why}."
        consumer = self._subscriber.consumer if self._subscriber else None
        idle = time.monotonic() - self._progress
        if consumer is None:
            return None
        if not self._handling and min(idle, _silence(consumer)) > SILENT:
            return f"{self.reading.topic.name} is not read: Kafka does not answer."
        if idle < NO_PROGRESS or not self._behind(consumer):
            return None
        return f"{self.reading.topic.name} has events to read, but none was handled for {NO_PROGRESS:.0f} s."

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish the batch in flight first, so that nobody handles it a second time."""
        lock: Any = self._subscriber and self._subscriber.lock
        if revoked and hasattr(lock, "wait_release"):
            await lock.wait_release(DRAIN_ON_REVOKE)
        await self.committed()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:  # noqa: ARG002 - aiokafka's
        self._progress = time.monotonic()
        self.reading.moved()

    async def committed(self) -> None:
        """Wait for the commit that is under way."""
        if self._committing is not None:
            await self._committing

    async def _consume(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """One batch: end it and commit it; or rewind and wait, so that it is fetched again."""
        consumer, topic = self._subscriber.consumer if self._subscriber else None, self.reading.topic.name
        if consumer is None:
            return
        self._handling = True  # nothing more is fetched meanwhile
        try:
            with BATCHES.labels(topic).time(), traces.span(topic), bound_contextvars(topic=topic):
                await self.reading.take([_raw(record) for record in records])
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be committed
            self._rewind(consumer, records)
            await self._wait(error)
        else:
            self._failures = 0
            self._progress = time.monotonic()
            await self.committed()
            self._committing = asyncio.create_task(self._commit(consumer, records))  # beside the next fetch
            await self._let_gather()
        finally:
            self._handling = False

    async def _let_gather(self) -> None:
        """Pause where that was asked for; at the end, wait for the commit instead."""
        if self.reading.pause:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurried.wait(), self.reading.pause)
        if self._hurried.is_set():
            await self.committed()

    async def _wait(self, error: Exception) -> None:
        TROUBLE.labels(self.reading.topic.name).inc()
        self._why = f"{type(error).__name__} of our own store or broker"
        if self._failures == 0:
            self._failing_since = time.monotonic()
            log.warning("batch will be tried again", topic=self.reading.topic.name, exc_info=error)
        self._failures += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurried.wait(), wait_for(self._failures))

    async def _commit(
        self, consumer: AIOKafkaConsumer, records: Sequence[ConsumerRecord[bytes, bytes]]
    ) -> None:
        """Commit just this batch. A commit that fails costs a repetition, never an event."""
        ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        own = consumer.assignment()
        try:
            await consumer.commit({partition: end for partition, end in ends.items() if partition in own})
        except (CommitFailedError, IllegalStateError):
            log.info("partitions moved before their commit", topic=self.reading.topic.name)
        except KafkaError as error:
            log.warning("commit failed", topic=self.reading.topic.name, error=str(error))

    def _rewind(self, consumer: AIOKafkaConsumer, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        firsts: dict[TopicPartition, int] = {}
        for record in records:
            firsts.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for partition in consumer.assignment() & firsts.keys():
            consumer.seek(partition, firsts[partition])

    def _behind(self, consumer: AIOKafkaConsumer) -> bool:
        return any((consumer.highwater(part) or 0) > _last(consumer, part) for part in consumer.assignment())


def _silence(consumer: AIOKafkaConsumer) -> float:
    """Seconds since Kafka last answered a fetch; 0 where it was never asked."""
    asked = [consumer.last_poll_timestamp(part) for part in consumer.assignment()]
    answers = [at for at in asked if at is not None]
    return time.time() - max(answers) / 1000 if answers else 0.0


def _last(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    state = consumer._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001 - not published
    return state.position if state is not None and state.has_valid_position else 1 << 62


def _raw(record: ConsumerRecord[bytes, bytes]) -> Raw:
    return Raw(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))


async def tolerant(records: tuple[Any, ...], parse: Callable[[tuple[Any, ...]], Awaitable[Any]]) -> Any:
    """FastStream's parser without headers: it loses a batch in which one header is binary or null."""
    message = await parse((replace(records[0], headers=()),))
    message.raw_message = records
    message.body = records
    return message


async def untouched(message: Any) -> Any:
    """No decoding: every event is read by itself, so that one bad event costs one event."""
    return message.body
