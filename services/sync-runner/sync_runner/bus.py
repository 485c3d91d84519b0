"""Kafka in: which topics sync-runner reads, and who handles them; and how the scheduler says what is due.

Everything else that goes out is owed by a sync, and the relay's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.broker import Kafka
from kit.deadletters import Letter
from kit.edge import Edge, each
from kit.endings import Ended
from kit.heard import Heard
from kit.publishing import Publisher
from schemas.catalog import ProviderPublished
from schemas.envelope import CONTENT_TYPE
from schemas.topics import CATALOG_EVENTS, CONNECTIONS_EVENTS, DOCUMENTS_EVENTS, SYNCS_EVENTS, SYNCS_REQUESTS
from sync_runner.handlers import facts
from sync_runner.handlers.documents import Ingest
from sync_runner.handlers.dues import Dues
from sync_runner.handlers.facts import Facts
from sync_runner.handlers.providers import Providers
from sync_runner.handlers.words import Words

NAME = "sync-runner"
CATALOG_GROUP = f"{NAME}.{CATALOG_EVENTS.name}"
DOCUMENTS_GROUP = f"{NAME}.{DOCUMENTS_EVENTS.name}"
CONNECTIONS_GROUP = f"{NAME}.{CONNECTIONS_EVENTS.name}"
HEADERS = (("content-type", CONTENT_TYPE.encode()),)


@dataclass(frozen=True, slots=True)
class Ears:
    """Who handles what is heard. `ring` tells the workers that a run may be ready."""

    providers: Providers
    connections: Facts
    documents: Ingest
    words: Words
    dues: Dues
    ring: Callable[[], None]

    async def published(self, heard: Heard) -> None:
        """A provider's manifest."""
        await self.providers.publish(heard.event.data.manifest, heard.event.data.revision)

    async def document(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """What the platform has, and what it says of what was brought to it."""
        said = [isinstance(heard.event.data, Words.TYPES) for heard in batch]
        if not any(said):
            return await self.documents(batch)
        words = iter(await self.words([heard for heard, word in zip(batch, said, strict=True) if word]))
        rest = [heard for heard, word in zip(batch, said, strict=True) if not word]
        documents = iter(await self.documents(rest) if rest else ())
        return [next(words if word else documents) for word in said]

    async def due(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """Something is due."""
        endings = await self.dues(batch)
        self.ring()
        return endings


def read(edge: Edge, ears: Ears) -> None:
    """Declare everything that is read."""
    edge.reads(CATALOG_EVENTS, each(ears.published), types=(ProviderPublished,))
    edge.reads(CONNECTIONS_EVENTS, ears.connections, types=facts.TYPES)
    edge.reads(DOCUMENTS_EVENTS, ears.document, types=(*Ingest.TYPES, *Words.TYPES))
    edge.reads(SYNCS_REQUESTS, ears.due, refusals=SYNCS_EVENTS, refuse=ears.dues.syncs.refuse)


class DueEmitter:
    """Says dues in bulk, through a producer of its own."""

    def __init__(self, kafka: Kafka) -> None:
        self._publisher = Publisher(kafka, linger_ms=5, max_batch_size=256 * 1024)
        self.close = self._publisher.close

    async def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """All acknowledged when it returns. After any trouble the producer is made anew."""
        await self._publisher.publish(
            [Letter(SYNCS_REQUESTS.name, key.encode(), value, HEADERS) for key, value in events]
        )
