"""To a provider's own page and back: where a browser is sent, and whose answer it brings. No pages.

RFC 6749 §4.1, RFC 9700. What comes back counts once, for the browser that left and the provider it left for.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from connections.handlers.ports import Connections, Providers
from connections.lifecycle.things import Connection, LoginState
from connections.places import machine_place
from connections.vault import Place, SealBroken, Sealed, Vault
from connections.window.onboarding import Answer
from kit.endings import Refused
from kit.logs import logger
from providers.errors import ProviderError
from providers.login.oauth.leaving import came_back, depart
from providers.login.oauth.registered import registered
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind

AWAY = timedelta(minutes=15)
"""How long a browser may stay at the provider."""

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """A browser that is at a provider."""

    id: str
    """The digest of its `state`."""
    window: str
    connection: str
    account: str
    challenge_id: str
    provider_id: str
    browser: str
    at: datetime
    sealed: Mapping[str, Any] = field(repr=False)

    @property
    def place(self) -> Place:
        return Place(self.account, self.connection, f"departure/{self.id}", 1)


class Departures(Protocol):
    """Who is away."""

    async def add(self, left: Left) -> None:
        """Keep it for `AWAY`."""

    async def take(self, id_: str) -> Left | None:
        """It came back: this once, and never again."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Sends browsers to providers and takes what they bring back."""

    connections: Connections
    providers: Providers
    vault: Vault
    reach: Reach
    departures: Departures
    public_url: str
    answer: Callable[[Answer], Awaitable[None]]

    async def leave(self, connection_id: str, window: str, browser: str) -> str | None:
        """The address at the provider; None where nobody has to go there now.

        `browser` is the digest of the browser that the window is bound to.
        """
        it = await self._one(connection_id)
        challenge = it.login.challenge if it else None
        if it is None or challenge is None or challenge.kind is not ChallengeKind.REDIRECT:
            return None
        provider = await self.providers.at(it.provider_id, it.login.provider_revision)
        if it.login.state is not LoginState.OPEN or provider is None:
            return None
        if it.login.browser not in (None, browser):
            return None
        away = Left(
            id="",
            window=window,
            connection=it.id,
            account=it.account,
            challenge_id=challenge.challenge_id,
            provider_id=it.provider_id,
            browser=browser,
            at=self.connections.now(),
            sealed={},
        )
        try:
            return await self._sent(it, provider.manifest, away)
        except ProviderError as error:
            # The step meets the same trouble, and the table decides what follows from it.
            log.warning("nobody can be sent there", connection_id=it.id, reason=error.reason.value)
            await self._answered(away, {})
            return None

    async def back(self, provider_id: str, query: Mapping[str, str], browser: str) -> str | None:
        """The window that goes on; None where this browser did not leave for that provider so."""
        left = await self.departures.take(_digest(query.get("state", "")))
        if left is None or left.provider_id != provider_id or left.browser != browser:
            log.warning("a stranger came back", provider_id=provider_id, known=left is not None)
            return None
        if self.connections.now() > left.at + AWAY:
            return left.window
        back = {name: value for name, value in came_back(query).items() if name != "state"}
        try:
            departure = self.vault.open_values(left.place, Sealed.of(left.sealed))
        except SealBroken as broken:
            log.critical("a departure does not open", connection_id=left.connection, why=str(broken))
            return left.window
        await self._answered(left, {"back": back, "departure": departure})
        return left.window

    async def _sent(self, it: Connection, manifest: Manifest, away: Left) -> str:
        there = await registered(manifest, self._values(it), self.reach)
        address, state, departure = depart(there, f"{self.public_url}/oauth/callback/{it.provider_id}")
        left = replace(away, id=_digest(state))
        sealed = self.vault.seal_values(left.place, departure.plain()).document()
        await self.departures.add(replace(left, sealed=sealed))
        return address

    async def _answered(self, left: Left, returned: Mapping[str, Any]) -> None:
        answer = Answer(
            account=left.account,
            connection_id=left.connection,
            challenge_id=left.challenge_id,
            answer_id=str(uuid.uuid4()),
            action="answer",
            browser=left.browser,
            returned=returned,
        )
        try:
            await self.answer(answer)
        except Refused as refused:  # the window shows what is so now
            log.info("an answer came too late", connection_id=left.connection, reason=refused.reason.value)

    def _values(self, it: Connection) -> dict[str, Any]:
        """What the login asked before, such as the shop that is part of the address."""
        if it.login.machine is None:
            return {}
        place = machine_place(it, it.login.machine_fence)
        values: dict[str, Any] = self.vault.open_values(place, Sealed.of(it.login.machine))["values"]
        return values

    async def _one(self, connection_id: str) -> Connection | None:
        kept = (await self.connections.read((connection_id,))).get(connection_id)
        return kept.thing if kept else None


def _digest(state: str) -> str:
    """What is stored of a `state`. It has 256 bits, so that a plain hash is enough."""
    return hashlib.sha256(state.encode()).hexdigest()
