"""FastStream's broker with consumers that wait for what comes. It handles nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer
from faststream.kafka import KafkaBroker

AT_MOST_MS = 1000
"""So long one look waits: between two, aiokafka says what is wrong with the group."""


class Waiting(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A consumer whose batches are never empty.

    After an empty one FastStream sleeps as long as it waited, whatever comes meanwhile: at a steady 100
    events a second that was more than half of an event's way through a service.
    """

    async def getmany(self, *partitions: Any, timeout_ms: int = 0, max_records: int | None = None) -> Any:  # noqa: ARG002 - aiokafka's
        """As aiokafka's; `timeout_ms` does not matter."""
        while True:
            found = await super().getmany(*partitions, timeout_ms=AT_MOST_MS, max_records=max_records)
            if found:
                return found


class Broker(KafkaBroker):
    """FastStream makes its consumers anew at every connect: here with ours."""

    async def _connect(self) -> Callable[..., Any]:
        builder: Any = await super()._connect()
        self.config.broker_config.builder = partial(Waiting, **builder.keywords)
        return self.config.broker_config.builder
