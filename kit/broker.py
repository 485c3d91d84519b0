"""Kafka: the one place that makes brokers (FastStream), producers, consumers, admin clients. Starts none."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kit.logs import logger
from kit.partitions import partition_of
from kit.reaching import why_not
from kit.settings import Settings, SettingsError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient
    from faststream.kafka import KafkaBroker
    from faststream.security import SASLScram512

log = logger(__name__)

DRAIN = 4.0
"""Seconds that work in flight gets at shutdown."""
METADATA_AGE_MS = 30_000
"""A topic made after us is found within this time."""
LARGEST_REQUEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where Kafka is and how to reach it. Whoever makes one gets clients that outlive a broken line."""

    bootstrap: str
    instance: str | None = None
    """`PAPERBUS_INSTANCE`: with it a restarted replica takes up its partitions at once."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        from kit import connecting

        connecting.use()

    @classmethod
    def of(cls, settings: Settings) -> Kafka:
        """From settings, which have already refused plaintext off loopback.

        Raises:
            SettingsError: no servers are set, or the CA file cannot be read.
        """
        if settings.kafka_bootstrap_servers is None:
            raise SettingsError("KAFKA_BOOTSTRAP_SERVERS is missing: set it, or start with `paperbus up`.")
        if settings.kafka_security != "sasl_ssl" or settings.kafka_password is None:
            return cls(settings.kafka_bootstrap_servers, settings.paperbus_instance)
        return cls(
            settings.kafka_bootstrap_servers,
            settings.paperbus_instance,
            settings.kafka_username,
            settings.kafka_password.get_secret_value(),
            _tls(settings),
        )

    def broker(self) -> KafkaBroker:
        """FastStream's broker, for consuming: it makes no topics, parses no types, logs nothing by itself."""
        from faststream import AckPolicy

        from kit.fetching import Broker

        return Broker(
            self.bootstrap.split(","),
            client_id="paperbus",
            consumer_only=True,
            allow_auto_create_topics=False,
            ack_policy=AckPolicy.MANUAL,  # kit.edge commits what it has handled and rewinds what it has not
            graceful_timeout=DRAIN,
            metadata_max_age_ms=METADATA_AGE_MS,
            security=self._faststream_security(),
            apply_types=False,
            logger=None,
        )

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """An idempotent producer with acks=all. `options` may add `transactional_id`, `linger_ms` …"""
        from aiokafka import AIOKafkaProducer

        return AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            client_id="paperbus",
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=20_000,
            metadata_max_age_ms=METADATA_AGE_MS,
            max_request_size=LARGEST_REQUEST,
            partitioner=partition_of,
            **self._security(),
            **options,
        )

    def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        """A consumer of committed events from the earliest on, that commits nothing by itself."""
        from aiokafka import AIOKafkaConsumer

        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self.bootstrap,
            client_id="paperbus",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            metadata_max_age_ms=METADATA_AGE_MS,
            **self._security(),
            **options,
        )

    def admin(self) -> AIOKafkaAdminClient:
        """For topics and groups."""
        from aiokafka.admin import AIOKafkaAdminClient

        return AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, client_id="paperbus", **self._security())

    async def reachable(self) -> None:
        """Wait, without an end, until a broker answers."""
        from aiokafka.errors import KafkaError

        said = False
        while True:
            admin = self.admin()
            try:
                await admin.start()
            except (KafkaError, OSError):
                if not said:
                    log.warning("waiting for Kafka", servers=self.bootstrap, why=await self.why_not())
                    said = True
                await asyncio.sleep(0.5)
            else:
                return
            finally:
                await admin.close()

    async def why_not(self) -> str:
        """Why it is not reachable, as half a sentence that says what to do."""
        return await why_not(self.bootstrap, self.tls)

    def _security(self) -> dict[str, Any]:
        if self.tls is None:
            return {}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": self.tls,
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }

    def _faststream_security(self) -> SASLScram512 | None:
        if self.tls is None:
            return None
        from faststream.security import SASLScram512

        return SASLScram512(self.username or "", self.password or "", ssl_context=self.tls, use_ssl=True)


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.kafka_ca_file)
    except OSError:
        raise SettingsError("KAFKA_CA_FILE names a file that holds no readable certificates.") from None
