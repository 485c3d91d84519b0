"""Kafka: the one place that makes FastStream brokers, producers, consumers and admin clients."""

from __future__ import annotations

from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient
    from faststream.kafka import KafkaBroker

    from kit.settings import Settings


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where Kafka is and how to reach it. Makes clients; starts none."""

    bootstrap: str
    instance: str | None = None
    username: str | None = None
    password: str | None = None
    tls: SSLContext | None = None

    @classmethod
    def of(cls, settings: Settings) -> Kafka:
        """From settings.

        Raises:
            SettingsError: plaintext off loopback that was not asked for by name, or half a login.
        """
        raise NotImplementedError

    def broker(self) -> KafkaBroker:
        """FastStream's broker: explicit acknowledgement, no topics made, 4 s to drain."""
        raise NotImplementedError

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """An idempotent producer with acks=all. `options` may add `transactional_id`, `linger_ms` …"""
        raise NotImplementedError

    def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        """A consumer from the earliest event on, that commits nothing by itself."""
        raise NotImplementedError

    def admin(self) -> AIOKafkaAdminClient:
        """For topics and groups."""
        raise NotImplementedError
