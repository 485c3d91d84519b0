"""A small service on real servers: topics of its own, a store, an edge, and eyes on its topics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import ConsumerRecord, TopicPartition

from kit import mongo as kit_mongo
from kit.broker import Kafka
from kit.edge import Edge
from kit.leases import Leases
from kit.mongo import Database
from kit.mongo_aggregates import MongoAggregates
from kit.parking import Parking
from kit.relay import Relay, shard_names
from schemas.envelope import Event
from schemas.topics import Topic
from tests.kit.tally import Tally, asked_on, kind, said_on

JSON = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def now() -> datetime:
    return datetime.now(UTC)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20, what: str = "it") -> None:
    """Wait until it is so; fail loudly if it never is."""
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, f"{what} did not come to be within {seconds} s"
        await asyncio.sleep(0.05)


@dataclass
class World:
    kafka: Kafka
    database: Database
    asks: Topic
    says: Topic
    store: MongoAggregates[Tally]
    edges: list[Edge] = field(default_factory=list)
    loops: list[asyncio.Task[None]] = field(default_factory=list)

    def edge(self, instance: str | None = None) -> Edge:
        kafka = Kafka(self.kafka.bootstrap, instance)
        edge = Edge(kafka, "tests", Parking(self.database["parked"]), now)
        self.edges.append(edge)
        return edge

    def relay(self) -> Relay:
        leases = Leases(self.database["leases"], "relay", shard_names(), uuid4().hex)
        relay = Relay(self.database["tallies"], self.database["bodies"], self.kafka, leases)
        self.store.ring = relay.ring
        self.loops.append(asyncio.create_task(relay.run()))
        return relay

    async def send(self, *events: Event[Any]) -> None:
        await self.send_raw(*((event.subject.encode(), event.encoded(), JSON) for event in events))

    async def send_raw(
        self, *messages: tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
    ) -> None:
        producer = self.kafka.producer()
        await producer.start()
        try:
            for key, value, headers in messages:
                await producer.send_and_wait(self.asks.name, value, key, headers=headers)
        finally:
            await producer.stop()

    async def read(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Everything in a topic now."""
        consumer = self.kafka.consumer()
        await consumer.start()
        try:
            parts = [TopicPartition(topic, part) for part in range(len(await self._partitions(topic)))]
            ends = await consumer.end_offsets(parts)
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            records: list[ConsumerRecord[bytes, bytes]] = []
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for found in (await consumer.getmany(timeout_ms=200)).values():
                    records += found
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def events(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in await self.read(topic)]

    async def committed(self) -> int:
        """How many messages of the requests topic the group is done with."""
        admin = self.kafka.admin()
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(f"tests.{self.asks.name}")
            return sum(max(0, found.offset) for found in offsets.values())
        finally:
            await admin.close()

    async def until_committed(self, count: int, seconds: float = 20) -> None:
        async def there() -> bool:
            return await self.committed() >= count

        await until(there, seconds, f"{count} commits")

    async def _partitions(self, topic: str) -> list[Any]:
        admin = self.kafka.admin()
        await admin.start()
        try:
            (found,) = await admin.describe_topics([topic])
            return list(found["partitions"])
        finally:
            await admin.close()


@contextlib.asynccontextmanager
async def a_world(
    bootstrap: str, mongo_url: str, database: str, topics: Any, partitions: int = 2
) -> AsyncIterator[World]:
    name = f"t{uuid4().hex[:8]}"
    asks, says = asked_on(f"{name}.requests"), said_on(f"{name}.events")
    await topics.make(asks.name, says.name, partitions=partitions)
    await topics.make(asks.dead, says.dead)
    client = kit_mongo.connect(mongo_url)
    db = client[database]
    store = MongoAggregates(kind(says), db["tallies"], db["bodies"], now)
    await store.declare()
    world = World(Kafka(bootstrap), db, asks, says, store)
    try:
        yield world
    finally:
        for edge in world.edges:
            await edge.stop()
        for loop in world.loops:
            loop.cancel()
        await asyncio.gather(*world.loops, return_exceptions=True)
        client.close()
