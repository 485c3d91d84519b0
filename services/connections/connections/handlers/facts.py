"""What others say is so: runs that failed or went through, providers that are published or retired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connections.handlers.ports import Connections, Providers, Trying
from connections.lifecycle.case import Case
from connections.lifecycle.deciding import decide
from connections.lifecycle.things import Connection
from kit.endings import DONE, Ended
from kit.heard import Heard
from kit.owed import Cause
from kit.transitions import Decision
from schemas.catalog import ProviderPublished, ProviderRetired
from schemas.envelope import Event


class Facts:
    """Handles facts. None of them is ever refused: what is not known here is not ours."""

    def __init__(self, connections: Connections, providers: Providers, trying: Trying) -> None:
        self._connections = connections
        self._providers = providers
        self._trying = trying

    async def of_runs(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """`syncs.events`, in batches."""

        def decided(connection: Connection | None, event: Event[Any]) -> Decision[Connection] | None:
            if connection is None:
                return None
            return decide(Case(self._connections.now(), connection), event.data)

        return await self._connections.fold(batch, decided)

    async def of_providers(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """`catalog.events`, in batches: a retired provider ends the onboardings under way with it.

        Revisions order them, so all that is published may come before all that is retired.
        """
        events = [heard.event for heard in batch]
        published = [event.data for event in events if isinstance(event.data, ProviderPublished)]
        await self._providers.publish([(data.manifest, data.revision) for data in published])
        for event in events:
            data = event.data
            if isinstance(data, ProviderRetired) and await self._providers.retire(
                data.provider_id, data.revision
            ):
                await self._end_onboardings(data, Cause.of(event))
        return [DONE] * len(batch)

    async def _end_onboardings(self, retired: ProviderRetired, cause: Cause) -> None:
        def decided(connection: Connection | None) -> Decision[Connection] | None:
            if connection is None:
                return None
            return decide(Case(self._connections.now(), connection), retired)

        for connection_id in await self._trying.unfinished_of(retired.provider_id):
            await self._connections.alter(connection_id, decided, cause=cause)
