"""Publishing durably what no aggregate owes: dead letters, direct refusals, dues. The rest is the relay's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kit.deadletters import Letter

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from kit.broker import Kafka


class Publisher:
    """One idempotent producer, made when first needed and made anew after an error."""

    def __init__(self, kafka: Kafka, **options: Any) -> None:
        """`options` are the producer's: `linger_ms`, `max_batch_size` …"""
        self._kafka = kafka
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._one_starts = asyncio.Lock()

    async def publish(self, letters: Sequence[Letter]) -> None:
        """Publish all of them, in order for each key; returns once the brokers have acknowledged.

        Raises:
            aiokafka.errors.KafkaError: some may be there, some not; publish all of them again.
        """
        producer = await self._started()
        try:
            sent = [
                await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers))
                for letter in letters
            ]
            await asyncio.gather(*sent)
        except BaseException:
            if self._producer is producer:
                self._producer = None
            await producer.stop()
            raise

    async def close(self) -> None:
        """Close the producer, if there is one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._one_starts:
            if self._producer is None:
                producer = self._kafka.producer(**self._options)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
