"""Owed events: what an aggregate has decided to say, made whole in the write that decides it. No I/O here.

Ids are `uuid5(aggregate, version, n)`: deciding twice makes the same event twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import Any

from pydantic_core import to_json

from schemas.base import rfc3339
from schemas.envelope import MAX_EVENT_BYTES, Data, Event, sequence
from schemas.topics import Topic

BODY_BYTES = 32 * 1024
"""A larger event is kept in `bodies` and owed by reference."""
MOST_OWED = 64
"""With this many events owed, a thing takes no further request: a long outage of Kafka never outgrows it."""
NAMESPACE = uuid.UUID("6f2f5e0a-5d3c-5e0e-9c57-7061706572b5").bytes


class EventTooLarge(ValueError):
    """An event of ours is over 512 KB. Whoever makes lists splits them first."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something was decided: the event that was heard, or a clock, a worker, a person (all None)."""

    id: str | None = None
    source: str | None = None
    traceparent: str | None = None
    actor: str | None = None

    @classmethod
    def of(cls, event: Event[Any]) -> Cause:
        return cls(event.id, event.source, event.traceparent, event.actor)


NOBODY = Cause()


@dataclass(frozen=True, slots=True)
class Emit:
    """An event to say that is not simply data on the aggregate's own topic about itself.

    `topic` other than the aggregate's own; `id` other than uuid5(aggregate, version, n); `subject` other than
    the aggregate's id.
    """

    data: Data
    topic: Topic | None = None
    id: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """One event as it waits in `owes`. `value` is the whole event as it will travel."""

    id: str
    topic: str
    key: str
    type: str
    at: datetime
    value: bytes

    @property
    def large(self) -> bool:
        """Whether it is kept in `bodies` and owed by reference."""
        return len(self.value) > BODY_BYTES

    def document(self) -> dict[str, Any]:
        """As it is pushed to `owes`."""
        head = {"id": self.id, "topic": self.topic, "key": self.key, "type": self.type, "at": self.at}
        return head | ({"body": self.id} if self.large else {"value": self.value})


@dataclass(frozen=True, slots=True)
class About:
    """Whom an event is about: an aggregate at one version, of one account (None on `catalog.events`).

    Version 0 is of nothing that spoke, and says no `sequence`.
    """

    id: str
    account: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the events' `source` and the topic they go to unless said otherwise."""

    source: str
    topic: Topic

    def owed(
        self, about: About, emits: Sequence[Data | Emit], cause: Cause, now: datetime
    ) -> tuple[Owed, ...]:
        """The events of one decision, the one that made this version of the aggregate.

        Raises:
            EventTooLarge: one is over 512 KB as it travels.
        """
        return tuple(self._one(about, n, emit, cause, now) for n, emit in enumerate(emits))

    def _one(self, about: About, n: int, emit: Data | Emit, cause: Cause, now: datetime) -> Owed:
        said = emit if isinstance(emit, Emit) else Emit(emit)
        id_, subject = said.id or event_id(about.id, about.version, n), said.subject or about.id
        topic = said.topic or self.topic
        members = {
            "specversion": "1.0",
            "id": id_,
            "source": self.source,
            "type": said.data.TYPE,
            "time": rfc3339(now),
            "subject": subject,
            "datacontenttype": "application/json",
            "accountid": about.account,
            "actor": cause.actor,
            "causationid": cause.id,
            "causationsource": cause.source,
            "traceparent": cause.traceparent,
            "sequence": sequence(about.version) if about.version and topic is self.topic else None,
        }
        head = to_json({name: value for name, value in members.items() if value is not None})
        value = head[:-1] + b',"data":' + said.data.model_dump_json(by_alias=True).encode() + b"}"
        if len(value) > MAX_EVENT_BYTES:
            raise EventTooLarge(
                f"{said.data.TYPE} {id_} of {about.id} has {len(value)} bytes: split its lists."
            )
        return Owed(id_, topic.name, subject, said.data.TYPE, now, value)


def event_id(aggregate: str, version: int, n: int) -> str:
    """The id of the n-th event (from 0) that `version` of `aggregate` says."""
    return named_id(aggregate, str(version), str(n))


def named_id(*parts: str) -> str:
    """An id that follows from its parts, such as a due's: of connection and due time. A UUID of version 5."""
    digest = bytearray(sha1(NAMESPACE + "/".join(parts).encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()  # by hand, because uuid.uuid5 takes seven times as long
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
