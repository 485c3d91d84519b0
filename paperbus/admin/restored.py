"""Takes up work after MongoDB was restored from a backup: what was read since is read again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kit.aggregates import SHARDS
from kit.broker import Kafka
from kit.mongo import Client
from paperbus.admin.databases import CONNECTIONS, SYNC_RUNNER
from paperbus.errors import Stopped
from paperbus.reaching import reachable
from schemas.topics import CONNECTIONS_ANSWERS, TOPICS

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient

LEAP = 1_000_000_000
"""Versions rise by so much: far more than they did since the backup, so that what is said from now on has
neither the ids nor the lower `sequence`s of what was said then, and no reader drops it."""
SPEAKERS = {CONNECTIONS: "connections", SYNC_RUNNER: "syncs"}
"""By database, who says something. catalog takes over by itself what its topic knows and its store lacks."""
SERVICES = ("catalog", "connections", "sync-runner")
READ_AGAIN = tuple(topic.name for topic in TOPICS if topic is not CONNECTIONS_ANSWERS)
"""All but the answers: one that was tried before the loss must never be tried again."""
PATIENCE = 75.0
"""Seconds until Kafka has forgotten members that ended without a word: a session of theirs, and some more."""
GONE = ("Empty", "Dead")
OVERLAP = timedelta(hours=1)
"""So much earlier is read again: what was said before the backup need not have been handled before it."""


async def leap(client: Client) -> dict[str, int]:
    """Lift the versions of everything that speaks; how many documents of each database were lifted."""
    everywhere = {"shard": {"$in": list(range(SHARDS))}}
    lifted = {
        name: await client[name][collection].update_many(everywhere, {"$inc": {"v": LEAP}})
        for name, collection in SPEAKERS.items()
    }
    return {name: result.modified_count for name, result in lifted.items()}


async def rewind(kafka: Kafka, to: datetime) -> dict[str, int]:
    """Let every group read again from an hour before that moment; how many events each has before it then.

    Raises:
        Stopped: Kafka cannot be used, or a service still reads.
    """
    return {
        group: await _rewound(kafka, group, places, to) for group, places in (await _groups(kafka)).items()
    }


async def until_nobody_reads(kafka: Kafka) -> None:
    """Wait until Kafka knows no member of our groups any more.

    Raises:
        Stopped: Kafka cannot be used, or a service still reads.
    """
    until = time.monotonic() + PATIENCE
    async with _admin(kafka) as admin:
        while reading := await _reading(admin):
            if time.monotonic() > until:
                raise Stopped(f"{reading[0]} is still read: stop every service, then call this again.")
            await asyncio.sleep(1)


async def _reading(admin: AIOKafkaAdminClient) -> list[str]:
    # One after the other: aiokafka 0.14 cannot read an answer about several.
    answers = [await admin.describe_consumer_groups([name]) for name in await _there(admin)]
    return [group[1] for [answer] in answers for group in answer.groups if group[2] not in GONE]


async def _groups(kafka: Kafka) -> dict[str, Mapping[TopicPartition, int]]:
    """Where each of our groups stands. One that never read stands nowhere: it begins at the beginning."""
    async with _admin(kafka) as admin:
        found = {name: await admin.list_consumer_group_offsets(name) for name in await _there(admin)}
    return {
        name: {at: said.offset for at, said in places.items()} for name, places in found.items() if places
    }


async def _rewound(kafka: Kafka, group: str, places: Mapping[TopicPartition, int], to: datetime) -> int:
    """Never forwards: where the group stands before that moment already, it stays."""
    consumer = kafka.consumer(group_id=group)
    try:
        await consumer.start()
        consumer.assign(list(places))
        from_then = int((to - OVERLAP).timestamp() * 1000)
        since = await consumer.offsets_for_times(dict.fromkeys(places, from_then))
        back = {at: min(places[at], said.offset) for at, said in since.items() if said is not None}
        if back:
            await consumer.commit(back)
        return await _ahead(consumer, dict(places) | back)
    finally:
        await consumer.stop()


async def _ahead(consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int]) -> int:
    ends = await consumer.end_offsets(list(places))
    return sum(ends[at] - place for at, place in places.items())


@asynccontextmanager
async def _admin(kafka: Kafka) -> AsyncIterator[Any]:
    from aiokafka.errors import KafkaError

    await reachable(kafka)
    admin = kafka.admin()
    await admin.start()
    try:
        yield admin
    except KafkaError as error:
        raise Stopped(f"Kafka did not do that: {error}") from None
    finally:
        await admin.close()


async def _there(admin: AIOKafkaAdminClient) -> list[str]:
    """Every group that a service of ours reads in (`kit.reading`)."""
    ours = {f"{service}.{topic}" for service in SERVICES for topic in READ_AGAIN}
    return sorted(ours & {name for name, _ in await admin.list_consumer_groups()})
