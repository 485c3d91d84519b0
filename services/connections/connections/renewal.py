"""Staying connected: takes tokens that are due, renews them, gives old grants back. The table decides.

One worker at a time renews one connection, however many run: a lease by the server's clock, then the attempt
is written down, then the provider is asked. What it gave is tried to be stored until it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from connections.handlers.destinations import AS_STORED, Using
from connections.handlers.ports import Connections, Providers
from connections.lifecycle.case import Case
from connections.lifecycle.deciding import decide
from connections.lifecycle.messages import (
    GrantGivenBack,
    GrantKept,
    RenewalClaimed,
    RenewalDelayed,
    RenewalPutOff,
    RenewalRefused,
    RenewalWanted,
    Renewed,
    TokenEnded,
)
from connections.lifecycle.renewal import again_after, ends_nothing_else
from connections.lifecycle.things import LOGIN_BROKEN, Connection
from connections.lifecycle.tokens import OldGrant, Token, TokenState
from connections.tokens import digest_of, opened_token, sealed_token
from connections.vault import SealBroken, Vault
from kit.logs import logger
from kit.transitions import Decision
from kit.trouble import is_trouble, wait_for
from providers.errors import ProviderError
from providers.login.oauth.tokens import Tokens
from schemas.manifest import Manifest
from schemas.oauth import TokenLife
from schemas.reasons import Reason

FULL_FOR = 0.15
"""Seconds for which a provider is not asked for a turn again that had none."""
MOST_TRIES_BACK = 20
"""Tries to give a grant back; then it is left to the provider."""
ASKING_SECONDS = 25.0
"""A renewal ends by then: whoever does it holds a lease of 30 s."""
ASKED_PATIENCE = 15.0
"""Seconds that somebody who needs newer tokens waits for them."""
YOUNG = timedelta(minutes=5)
"""A token that is refused within this time has not ended early: another one would be refused as well."""

log = logger(__name__)


class Renewing(Protocol):
    """Who may renew, and when a provider bears it."""

    async def claim(self, connection_id: str) -> int | None:
        """The fence for renewing; None where another worker does. By the server's clock."""

    async def release(self, connection_id: str, fence: int) -> None:
        """It is renewed: the next worker need not wait for the lease's end."""

    async def turn(self, provider_id: str, per_second: float) -> bool:
        """Whether this provider bears one more request now; it is then counted."""

    async def holders(self, it: Connection) -> set[tuple[str, int]]:
        """The providers, by id and revision, of other connections that hold tokens of its account there."""

    async def due(self, at: datetime, most: int, but: Collection[str] = ()) -> list[str]:
        """What is to be looked at by `at`, the longest due first, without that of the providers in `but`."""


class Asking(Protocol):
    """The way to providers, see `providers.login.renewing` and `providers.login.oauth.renewal`."""

    async def renew(self, manifest: Manifest, at: Mapping[str, Any], old: Tokens) -> Tokens: ...

    async def give_back(self, manifest: Manifest, at: Mapping[str, Any], tokens: Tokens) -> bool: ...


@dataclass(frozen=True, slots=True)
class Renewals:
    """Looks after the tokens of connections."""

    connections: Connections
    providers: Providers
    renewing: Renewing
    vault: Vault
    asking: Asking
    using: Using = AS_STORED
    """Whether secrets are held back, and where they go."""
    rings: list[Callable[[], None]] = field(default_factory=list)
    """Called once a provider may bear more again."""
    full: dict[str, float] = field(default_factory=dict)
    """Providers that bear no more, until when (the loop's clock)."""

    async def due(self, at: datetime, most: int) -> list[str]:
        """What is to be looked at by `at`; one provider's many tokens never keep those of others waiting."""
        now = asyncio.get_running_loop().time()
        for provider_id in [id_ for id_, until in self.full.items() if until <= now]:
            del self.full[provider_id]
        return await self.renewing.due(at, most, self.full.keys())

    async def look(self, connection_id: str) -> None:
        """Do what is due for this connection."""
        it = await self._one(connection_id)
        now = self.connections.now()
        if it is None or it.renew_at is None or it.renew_at > now:
            return
        for old in it.old_grants:
            if old.revoke_at <= now:
                await self._give_back(it, old)
        it = await self._one(connection_id)
        if it is not None and it.token is not None and it.renew_at is not None and it.renew_at <= now:
            await self._renew(it, it.token)

    async def fresh(self, connection_id: str, refused: str | None = None) -> Connection | None:
        """The connection with an access token that is not due for renewal: renewed now where it is.

        It is returned with an older one where the provider cannot be asked: whoever needs it decides.
        `refused` is the digest of an access token that the provider takes no longer, before its time.
        """
        it = await self._one(connection_id)
        if it is not None and refused is not None and self._ended_early(it, refused):
            it = await self._tell(connection_id, TokenEnded())
        if it is None or not _is_due(it, self.connections.now()):
            return it
        await self._tell(connection_id, RenewalWanted())
        try:
            async with asyncio.timeout(ASKED_PATIENCE):
                await self.look(connection_id)
                while (it := await self._one(connection_id)) and _is_being_renewed(it):  # noqa: ASYNC110 - elsewhere
                    await asyncio.sleep(0.2)
        except TimeoutError:
            it = await self._one(connection_id)
        return it

    def _ended_early(self, it: Connection, refused: str) -> bool:
        """Whether this is its present token, and old enough to have ended."""
        if it.token is None or it.token.state is not TokenState.FRESH:
            return False
        tokens, _ = opened_token(self.vault, it, it.token)
        since = datetime.fromisoformat(tokens.since)
        return digest_of(tokens.access_token) == refused and since + YOUNG <= self.connections.now()

    async def _renew(self, it: Connection, token: Token) -> None:
        revision = await self.using.in_use(it.provider_id, it.provider_revision)
        provider = await self.providers.at(it.provider_id, revision)
        if provider is None or provider.manifest.renewal is None or await self._is_held(it, token):
            return
        if not await self._may_go(it.provider_id, provider.manifest.renewal.requests_per_second):
            return
        fence = await self.renewing.claim(it.id)
        if fence is None:
            return
        claimed = await self._tell(it.id, RenewalClaimed(fence))
        if claimed is None or claimed.token is None or claimed.token.fence != fence:
            return
        outcome = await self._asked(claimed, claimed.token, provider.manifest, provider.manifest.renewal.life)
        await self._kept(it.id, outcome)
        await self.renewing.release(it.id, fence)

    async def _is_held(self, it: Connection, token: Token) -> bool:
        """Secrets wait until an operator approved where they would go; the token is looked at again then."""
        if not await self.using.held(it.provider_id, it.provider_revision):
            return False
        if token.state is TokenState.FRESH:
            await self._tell(it.id, RenewalDelayed(self.connections.now() + timedelta(minutes=5)))
        return True

    async def _may_go(self, provider_id: str, per_second: float) -> bool:
        """Whether the provider bears this renewal now; if not, it stays due, and is looked at again soon."""
        loop = asyncio.get_running_loop()
        if self.full.get(provider_id, 0.0) > loop.time():
            return False
        if await self.renewing.turn(provider_id, per_second):
            return True
        self.full[provider_id] = loop.time() + FULL_FOR
        for ring in self.rings:
            loop.call_later(FULL_FOR, ring)
        return False

    async def _asked(
        self, it: Connection, token: Token, manifest: Manifest, life: TokenLife
    ) -> Renewed | RenewalPutOff | RenewalRefused:
        """What the provider says."""
        try:
            old, at = opened_token(self.vault, it, token)
            async with asyncio.timeout(ASKING_SECONDS):
                new = await self.asking.renew(manifest, at, old)
        except TimeoutError:
            return RenewalPutOff(token.fence, self.connections.now() + again_after(token.failures))
        except ProviderError as error:
            if error.kind == "auth":
                log.info("a grant is over", connection_id=it.id, reason=error.reason.value)
                # Whatever it is called, only a new login mends it.
                over = error.reason if error.reason in LOGIN_BROKEN else Reason.CONSENT_EXPIRED
                return RenewalRefused(token.fence, over)
            wait = max(timedelta(seconds=error.retry_after or 0), again_after(token.failures))
            log.warning("a renewal is put off", connection_id=it.id, reason=error.reason.value)
            return RenewalPutOff(token.fence, self.connections.now() + wait)
        except Exception as bug:  # noqa: BLE001 - one connection's trouble is not the others'
            # No traceback: its values could be tokens.
            log.error("a renewal failed", connection_id=it.id, bug=type(bug).__name__)  # noqa: TRY400
            return RenewalPutOff(token.fence, self.connections.now() + again_after(token.failures))
        of = (life, token.credentials_revision, token.renewals + 1)
        return Renewed(token.fence, sealed_token(self.vault, it, new, at, of))

    async def _kept(self, connection_id: str, outcome: Renewed | RenewalPutOff | RenewalRefused) -> None:
        """Store it, however long the store is away: with a rotated token lost, the customer is asked."""
        failures = 0
        while True:
            try:
                await self._tell(connection_id, outcome)
            except Exception as error:
                if not is_trouble(error):
                    raise
                failures += 1
                log.warning("newer tokens wait for the store", connection_id=connection_id, tries=failures)
                await asyncio.sleep(wait_for(failures))
            else:
                return

    async def _give_back(self, it: Connection, old: OldGrant) -> None:
        provider = await self.providers.at(it.provider_id, old.provider_revision)
        gone: GrantGivenBack | GrantKept = GrantGivenBack(old.credentials_revision)
        try:
            if provider is not None and not await self.using.held(it.provider_id, old.provider_revision):
                done = await self._ended(it, old, provider.manifest)
                log.info("a grant was given back", connection_id=it.id, taken=done)
        except SealBroken as broken:
            log.critical("an old grant does not open", connection_id=it.id, why=str(broken))
        except ProviderError as error:
            if error.later and old.tries < MOST_TRIES_BACK:
                later = self.connections.now() + again_after(old.tries)
                gone = GrantKept(old.credentials_revision, later)
            log.warning("a grant was not given back", connection_id=it.id, reason=error.reason.value)
        await self._tell(it.id, gone)

    async def _ended(self, it: Connection, old: OldGrant, manifest: Manifest) -> bool:
        """End an old grant at its provider, unless that ends tokens in use: their last holder does it."""
        named = [await self.providers.at(*holder) for holder in await self.renewing.holders(it)]
        others = [one.manifest.oauth for one in named if one is not None and one.manifest.oauth is not None]
        if manifest.oauth is None or not ends_nothing_else(it, manifest.oauth, others):
            return False
        tokens, at = opened_token(self.vault, it, old)
        return await self.asking.give_back(manifest, at, tokens)

    async def _one(self, connection_id: str) -> Connection | None:
        kept = (await self.connections.read((connection_id,))).get(connection_id)
        return kept.thing if kept else None

    async def _tell(self, connection_id: str, message: object) -> Connection | None:
        def decided(connection: Connection | None) -> Decision[Connection] | None:
            return None if connection is None else decide(Case(self.connections.now(), connection), message)

        return await self.connections.alter(connection_id, decided)


def _is_due(it: Connection, now: datetime) -> bool:
    return it.token is not None and it.token.access_due is not None and it.token.access_due <= now


def _is_being_renewed(it: Connection) -> bool:
    return it.token is not None and it.token.state is TokenState.RENEWING


def _is_awaited(it: Connection, now: datetime) -> bool:
    """Whether another access token is to come: it is not the customer who keeps it from coming."""
    return _is_due(it, now) or _is_being_renewed(it) or (it.token is not None and it.token.failures > 0)


def lent_credentials(
    vault: Vault, it: Connection, credentials: Mapping[str, Any], now: datetime, refused: str | None = None
) -> dict[str, Any]:
    """What one run needs to log in: the credentials, with the access token and never the refresh token.

    `refused` is the digest of a token that the provider takes no longer.

    Raises:
        ProviderError: `provider_down`; the access token has ended and no newer one could be had.
        SealBroken: it does not open here.
    """
    if it.token is None:
        return dict(credentials)
    if it.token.access_until is not None and it.token.access_until <= now:
        raise ProviderError("transient", Reason.PROVIDER_DOWN, "The provider gives no newer token now.")
    tokens, _ = opened_token(vault, it, it.token)
    if digest_of(tokens.access_token) == refused and _is_awaited(it, now):
        raise ProviderError("transient", Reason.PROVIDER_DOWN, "The provider gives no newer token now.")
    return {**credentials, "access_token": tokens.access_token}
