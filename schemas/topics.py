"""Every topic, once: who writes it, what it carries, how it is kept. One per trust level and aggregate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from schemas import catalog, connections, documents, syncs
from schemas.envelope import Data


@dataclass(frozen=True)
class Topic:
    """A topic of Kafka. `retention` None is compacted: the newest event of each key stays for ever."""

    name: str
    writer: str
    partitions: int
    retention: timedelta | None
    types: tuple[type[Data], ...] = field(repr=False)

    @property
    def dead(self) -> str:
        """Where what can never work is kept for a look."""
        return f"{self.name}.dead"

    @property
    def asks(self) -> bool:
        """Whether it carries requests: an unknown type there is a dead letter, elsewhere it is skipped."""
        return self.name.endswith((".requests", ".answers"))


DAY = timedelta(days=1)

CONNECTIONS_REQUESTS = Topic(
    "connections.requests", "services that may ask", 24, 7 * DAY, connections.REQUESTS
)
CONNECTIONS_ANSWERS = Topic(
    "connections.answers", "services that may answer", 24, timedelta(hours=1), connections.ANSWERS
)
CONNECTIONS_EVENTS = Topic("connections.events", "connections", 24, 30 * DAY, connections.EVENTS)
SYNCS_REQUESTS = Topic("syncs.requests", "sync-runner and scheduled producers", 48, 1 * DAY, syncs.REQUESTS)
SYNCS_EVENTS = Topic("syncs.events", "sync-runner", 48, 30 * DAY, syncs.EVENTS)
DOCUMENTS_EVENTS = Topic("documents.events", "the platform", 48, 30 * DAY, documents.EVENTS)
CATALOG_REQUESTS = Topic("catalog.requests", "services that may suggest", 6, 7 * DAY, catalog.REQUESTS)
CATALOG_EVENTS = Topic("catalog.events", "catalog", 6, None, catalog.EVENTS)

TOPICS: tuple[Topic, ...] = (
    CONNECTIONS_REQUESTS,
    CONNECTIONS_ANSWERS,
    CONNECTIONS_EVENTS,
    SYNCS_REQUESTS,
    SYNCS_EVENTS,
    DOCUMENTS_EVENTS,
    CATALOG_REQUESTS,
    CATALOG_EVENTS,
)
DEAD_RETENTION = 90 * DAY
DEAD_PARTITIONS = 1
OFFSETS_RETENTION = 31 * DAY
"""Longer than every retention but that of dead letters, so that a reader that was away finds its place."""


def by_name(name: str) -> Topic:
    """The topic called `name`.

    Raises:
        KeyError: there is none.
    """
    return {topic.name: topic for topic in TOPICS}[name]


def topic_of(data: type[Data]) -> Topic:
    """The topic that carries events of this class; of `RequestRefused`, the connections' own.

    Raises:
        KeyError: no topic carries it.
    """
    return next(topic for topic in TOPICS if data in topic.types)
