"""Publishing a few messages durably: dead letters and direct refusals. What aggregates owe is the relay's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kit.deadletters import Letter

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from kit.broker import Kafka


class Publisher:
    """One idempotent producer, made when first needed and made anew after an error."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._one_at_a_time = asyncio.Lock()

    async def publish(self, letters: Sequence[Letter]) -> None:
        """Publish all of them, in order for each key; returns once the brokers have acknowledged.

        Raises:
            aiokafka.errors.KafkaError: some may be there, some not; publish all of them again.
        """
        async with self._one_at_a_time:
            producer = await self._started()
            try:
                sent = [
                    await producer.send(letter.topic, letter.value, letter.key, headers=list(letter.headers))
                    for letter in letters
                ]
                await asyncio.gather(*sent)
            except BaseException:
                self._producer = None
                await producer.stop()
                raise

    async def close(self) -> None:
        """Close the producer, if there is one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._kafka.producer()
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer
