"""Makes the topics of `schemas.topics`, and says where those that are there differ. Alters none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError

from kit.broker import Kafka
from paperbus.errors import Stopped
from paperbus.reaching import reachable
from schemas.topics import DEAD_PARTITIONS, DEAD_RETENTION, TOPICS, Topic

COPIES = 3
"""Of each partition, where there are brokers enough; two of them must have a write before it counts."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How one topic should be. `settings` are Kafka's, by name."""

    name: str
    partitions: int
    copies: int
    settings: Mapping[str, str]


def wanted(brokers: int) -> list[Wanted]:
    """Every topic and its dead letters, for a cluster of so many brokers."""
    return [one for topic in TOPICS for one in _both(topic, COPIES if brokers >= COPIES else 1)]


def _both(topic: Topic, copies: int) -> Iterator[Wanted]:
    yield Wanted(topic.name, topic.partitions, copies, _settings(topic.retention, copies))
    yield Wanted(topic.dead, DEAD_PARTITIONS, copies, _settings(DEAD_RETENTION, copies))


def _settings(retention: timedelta | None, copies: int) -> dict[str, str]:
    kept = (
        {"cleanup.policy": "compact"}
        if retention is None
        else {"cleanup.policy": "delete", "retention.ms": str(retention // timedelta(milliseconds=1))}
    )
    return kept | {"min.insync.replicas": str(max(1, copies - 1))}


def differences(want: Wanted, partitions: int, copies: int, settings: Mapping[str, str]) -> Iterator[str]:
    """What is not as it should be, as sentences that say how to mend it."""
    if partitions < want.partitions:
        yield (
            f"{want.name} has {partitions} partitions instead of {want.partitions}: add some only while it "
            "is empty, since the order of each key would be lost."
        )
    if copies < want.copies:
        yield f"{want.name} has {copies} replicas instead of {want.copies}: reassign its partitions."
    for name, value in want.settings.items():
        if settings.get(name) != value:
            found = settings.get(name)
            yield f"{want.name} has {name}={found} instead of {value}: alter it with kafka-configs."


async def make_topics(kafka: Kafka) -> list[str]:
    """Make those that are missing; the names of those made.

    Raises:
        Stopped: Kafka does not answer within 10 s, or refuses.
    """
    async with _Admin(kafka) as admin:
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted(await _brokers(admin)) if topic.name not in there]
        if not missing:
            return []
        answer = await admin.create_topics(
            [NewTopic(t.name, t.partitions, t.copies, topic_configs=dict(t.settings)) for t in missing]
        )
        existed = TopicAlreadyExistsError.errno  # another start made it meanwhile
        refused = [f"{name}: {text}" for name, code, text in answer.topic_errors if code not in (0, existed)]
        if refused:
            raise Stopped(f"Kafka did not make {'; '.join(refused)}.")
        await _until_known(admin, {topic.name for topic in missing})
        return [topic.name for topic in missing]


async def check_topics(kafka: Kafka) -> list[str]:
    """What differs, one sentence each; a topic that is not there differs too.

    Raises:
        Stopped: Kafka does not answer within 10 s.
    """
    async with _Admin(kafka) as admin:
        want = {topic.name: topic for topic in wanted(await _brokers(admin))}
        there = set(await admin.list_topics()) & want.keys()
        absent = [f"{name} is not there: run `paperbus topics`." for name in want if name not in there]
        settings = await _settings_of(admin, there)
        found = await admin.describe_topics(sorted(there)) if there else []
        return absent + [
            sentence
            for topic in found
            for sentence in differences(
                want[topic["topic"]],
                len(topic["partitions"]),
                min(len(partition["replicas"]) for partition in topic["partitions"]),
                settings[topic["topic"]],
            )
        ]


async def _brokers(admin: AIOKafkaAdminClient) -> int:
    return len((await admin.describe_cluster())["brokers"])


async def _settings_of(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(asked) if asked else []
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _code, _text, _kind, name, entries in answer.resources
    }


async def _until_known(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A topic that was just made is known to every broker a moment later."""
    while not names <= set(await admin.list_topics()):  # noqa: ASYNC110  Kafka tells nobody
        await asyncio.sleep(0.05)


class _Admin:
    """An admin client for a block."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._client: Any = None

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await reachable(self._kafka)
        self._client = self._kafka.admin()
        await self._client.start()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
