"""`connections.requests`: what other services ask. A login's first challenge is part of the one write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connections.handlers.ports import CaughtUp, Connections, Providers
from connections.lifecycle.case import Case, Provider
from connections.lifecycle.deciding import decide
from connections.lifecycle.things import Connection
from kit.endings import Ended, NotNow, Refused
from kit.heard import Heard
from kit.transitions import Decision
from schemas.challenges import Challenge
from schemas.connections import ConnectionRequested, ReauthenticationRequested
from schemas.envelope import Event
from schemas.manifest import Manifest
from schemas.reasons import Locale, Reason

First = Callable[[Manifest, Locale, Mapping[str, Any]], Challenge]
"""The first question of a login, by manifest, locale and what is known already. Needs no provider."""


class Requests:
    """Handles batches of requests."""

    def __init__(
        self, connections: Connections, providers: Providers, caught_up: CaughtUp, first: First
    ) -> None:
        self._connections = connections
        self._providers = providers
        self._caught_up = caught_up
        self._first = first

    async def handle(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """One ending for each."""
        wanted = await self._wanted(batch)
        offered = await self._providers.newest(wanted)
        sure, gone = True, set[str]()
        if missing := wanted - set(offered):
            sure = await self._caught_up()
            offered = {**offered, **await self._providers.newest(missing)}
            gone = await self._providers.retired(missing)

        def decided(connection: Connection | None, event: Event[Any]) -> Decision[Connection] | None:
            data = event.data
            if isinstance(data, ConnectionRequested) and connection is None:
                if data.provider_id not in offered:
                    raise _unknown(data.provider_id, sure=sure, retired=data.provider_id in gone)
                return decide(self._case(None, event, offered[data.provider_id]), data)
            provider = offered.get(connection.provider_id) if connection else None
            return decide(self._case(connection, event, provider), data)

        return await self._connections.fold(batch, decided)

    async def _wanted(self, batch: Sequence[Heard]) -> set[str]:
        """The providers whose logins may begin in this batch."""
        asked = [heard.event.data for heard in batch]
        again = {data.connection_id for data in asked if isinstance(data, ReauthenticationRequested)}
        kept = await self._connections.read(again) if again else {}
        known = {found.thing.provider_id for found in kept.values()}
        return known | {data.provider_id for data in asked if isinstance(data, ConnectionRequested)}

    def _case(self, connection: Connection | None, event: Event[Any], provider: Provider | None) -> Case:
        first = None
        data = event.data
        if provider is not None and isinstance(data, ConnectionRequested | ReauthenticationRequested):
            locale = data.locale or (connection.locale if connection else "en")
            first = self._first(provider.manifest, locale, connection.known if connection else {})
        return Case(self._connections.now(), connection, event.accountid or "", provider, first)


def _unknown(provider_id: str, *, sure: bool, retired: bool) -> Refused | NotNow:
    if not sure:
        return NotNow(f"The provider {provider_id} is not known yet; catalog.events is not read to its end.")
    if retired:
        return Refused(
            Reason.PROVIDER_RETIRED, f"{provider_id} is no longer offered; choose another provider."
        )
    return Refused(
        Reason.UNKNOWN_PROVIDER,
        f"There is no provider {provider_id}; GET /v1/providers of catalog lists them.",
    )
