"""Kafka in: which topics connections reads, and who handles them. What goes out is owed, and the relay's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connections.handlers.facts import Facts
from connections.handlers.onboarding import LoginHandlers, Opener
from connections.handlers.ports import Connections
from connections.handlers.requests import Requests
from connections.timeline import Timeline
from kit.edge import Edge, Heard
from kit.endings import Ended
from schemas import topics
from schemas.syncs import DocumentsExported, DocumentsImported, SyncFailed

CATALOG_GROUP = "connections.catalog.events"
REQUESTS_GROUP = "connections.connections.requests"
TOLD_WITHIN = 0.25
"""Seconds after which a timeline tells what has just happened."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who handles what is heard."""

    connections: Connections
    requests: Requests
    logins: LoginHandlers
    opener: Opener
    facts: Facts
    timeline: Timeline

    async def answers(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """`connections.answers`, in batches."""
        return await self.logins.handle(batch, self.opener)


def read(edge: Edge, ears: Ears) -> None:
    """Declare everything that is read."""
    edge.reads(topics.CATALOG_EVENTS, ears.facts.of_providers)
    refuse = ears.connections.refuse
    for topic, handle in (
        (topics.CONNECTIONS_REQUESTS, ears.requests.handle),
        (topics.CONNECTIONS_ANSWERS, ears.answers),
    ):
        edge.reads(topic, handle, refusals=topics.CONNECTIONS_EVENTS, refuse=refuse)
    edge.reads(
        topics.SYNCS_EVENTS, ears.facts.of_runs, types=(SyncFailed, DocumentsExported, DocumentsImported)
    )
    edge.reads(topics.CONNECTIONS_EVENTS, ears.timeline.handle, pause=TOLD_WITHIN)
