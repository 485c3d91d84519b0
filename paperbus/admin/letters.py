"""Dead letters, as an operator looks at them and puts them back. It judges nothing."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kit.broker import Kafka
from kit.deadletters import PREFIX, revive
from kit.parking import Raw
from paperbus.admin import records
from paperbus.errors import Stopped
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

DEAD = ".dead"


@dataclass(frozen=True, slots=True)
class Buried:
    """A dead letter and its place. `id` names it: topic/partition/offset."""

    raw: Raw
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.raw.topic}/{self.raw.partition}/{self.raw.offset}"

    def told(self, name: str) -> str:
        """What was written on it: `reason`, `error`, `service` …"""
        return next((_text(value) for key, value in self.raw.headers if key == PREFIX + name), "")

    def listed(self) -> dict[str, Any]:
        """One row."""
        where = f"{self.told('topic')}/{self.told('partition')}/{self.told('offset')}"
        told = {name: self.told(name) for name in ("reason", "error", "service")}
        size = len(self.raw.value or b"")
        return {"id": self.id, "at": self.at, "was": where, "key": _text(self.raw.key), **told, "size": size}

    def shown(self) -> dict[str, Any]:
        """All of it. What is no text is in base64."""
        headers = {name: _text(value) for name, value in self.raw.headers if not name.startswith(PREFIX)}
        return self.listed() | {"headers": headers, "value": _text(self.raw.value)}


async def letters(kafka: Kafka, topics: Sequence[str], since: datetime | None) -> AsyncIterator[Buried]:
    """The dead letters of these topics (all unless named), each topic's oldest first.

    Raises:
        Stopped: there is no such topic.
    """
    async for record in records.until_now(kafka, [_dead(name) for name in topics] or _ALL, since):
        yield _buried(record)


async def letter(kafka: Kafka, id_: str) -> Buried:
    """The one of this id.

    Raises:
        Stopped: it is no id, or is not there any more.
    """
    topic, _, place = id_.partition("/")
    partition, _, offset = place.partition("/")
    if not (topic in _ALL and partition.isdigit() and offset.isdigit()):
        raise Stopped(f"{id_} is no id of a dead letter: take one from `paperbus admin dead list`.")
    record = await records.one(kafka, topic, int(partition), int(offset))
    if record is None:
        raise Stopped(f"There is no dead letter {id_}: they are kept for 90 days.")
    return _buried(record)


async def replay(kafka: Kafka, buried: Sequence[Buried]) -> None:
    """Put them back where they came from: key, value and headers as they were.

    Raises:
        Stopped: one was kept without its contents; none was put back then.
    """
    try:
        revived = [revive(one.raw) for one in buried]
    except ValueError as error:
        raise Stopped(str(error)) from None
    producer = kafka.producer()
    await producer.start()
    try:
        for one in revived:
            await producer.send_and_wait(one.topic, one.value, key=one.key, headers=list(one.headers))
    finally:
        await producer.stop()


_ALL = [topic.dead for topic in TOPICS]


def _dead(name: str) -> str:
    """A topic's dead letters, by either name."""
    dead = name if name.endswith(DEAD) else name + DEAD
    if dead not in _ALL:
        raise Stopped(f"There is no topic {name}: there are {', '.join(topic.name for topic in TOPICS)}.")
    return dead


def _buried(record: ConsumerRecord) -> Buried:
    return Buried(records.raw_of(record), datetime.fromtimestamp(record.timestamp / 1000, UTC))


def _text(value: bytes | None) -> str:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError:
        return base64.b64encode(value or b"").decode()
