"""What can be chosen for an option that only the provider knows: a login for somebody who fills in a form."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from connections.handlers.destinations import held, in_use
from connections.handlers.ports import Providers
from connections.lifecycle.things import Connection
from connections.renewal import lent_credentials
from connections.vault import Sealed, Vault, credentials_place
from kit.http import Problem
from providers.days import days
from providers.drivers import Driver
from providers.errors import ProviderError
from providers.reach import utc_now
from providers.sources import Source
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

REMEMBERED = timedelta(minutes=15)
"""For so long what was refused is not tried again by whoever fills in a form; runs say what became of it."""
MOST_REMEMBERED = 1000

OpenDriver = Callable[[Manifest, Mapping[str, Any], Mapping[str, Any]], AbstractAsyncContextManager[Driver]]
OpenSource = Callable[[Manifest, Mapping[str, Any], Mapping[str, Any]], AbstractAsyncContextManager[Source]]
Ask = Callable[[Manifest, Mapping[str, Any]], Awaitable[list[Choice]]]


@dataclass(frozen=True, slots=True)
class LiveChoices:
    """Asks providers, with one login at a time for each connection. It never tries what is known to fail."""

    providers: Providers
    vault: Vault
    open_driver: OpenDriver
    open_source: OpenSource
    seconds: float = 20.0
    """How long somebody waits for an answer, his turn included."""
    fresh: Callable[[str], Awaitable[Connection | None]] | None = None
    """The connection with an access token that is not due for renewal; unset, as it is."""
    now: Callable[[], datetime] = utc_now
    turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    refused: dict[tuple[str, int, int], tuple[datetime, ProviderError]] = field(default_factory=dict)
    """Logins that the provider refused, and when."""

    async def of(self, it: Connection, option: str, query: str, parent: str | None) -> list[Choice]:
        """The values of an option.

        Raises:
            Problem: 409 nobody can log in now, 502 or 503 the provider does not say.
        """

        async def asked(manifest: Manifest, credentials: Mapping[str, Any]) -> list[Choice]:
            async with self.open_driver(manifest, credentials, it.options) as driver:
                return await driver.choices(option, query, parent)

        return await self._logged_in(it, asked)

    async def days(self, it: Connection, query: str) -> list[Choice]:
        """Days to import from, with how many things the provider then lists.

        Raises:
            Problem: as `of`.
        """

        async def asked(manifest: Manifest, credentials: Mapping[str, Any]) -> list[Choice]:
            async with self.open_source(manifest, credentials, it.options) as source:
                return await days(source, query, self.now().date())

        return await self._logged_in(it, asked)

    async def _logged_in(self, it: Connection, ask: Ask) -> list[Choice]:
        if self.fresh is not None and it.token is not None:
            it = await self.fresh(it.id) or it
        manifest = await self._manifest(it)
        turn = self.turns.setdefault(it.id, asyncio.Lock())
        try:
            async with asyncio.timeout(self.seconds), turn:
                self._refused_before(it)
                return await ask(manifest, self._credentials(it))
        except TimeoutError:
            text = "The provider did not answer in time: try again."
            raise Problem(503, text, reason=Reason.PROVIDER_DOWN, retry_after=5) from None
        except ProviderError as error:
            if error.kind == "auth":
                self._remember(it, error)
            wait = None if error.retry_after is None else int(error.retry_after) + 1
            status = 503 if error.later else 502
            raise Problem(status, error.message, reason=error.reason, retry_after=wait) from None

    def _refused_before(self, it: Connection) -> None:
        """Nobody looks so often that the provider locks the account.

        Raises:
            Problem: 409; these credentials were refused a while ago.
        """
        at, error = self.refused.get(_login_of(it), (None, None))
        if at is not None and error is not None and self.now() < at + REMEMBERED:
            raise Problem(409, error.message, reason=error.reason)

    def _remember(self, it: Connection, error: ProviderError) -> None:
        if len(self.refused) >= MOST_REMEMBERED:
            self.refused.clear()
        self.refused[_login_of(it)] = (self.now(), error)

    async def _manifest(self, it: Connection) -> Manifest:
        """How to log in, where that makes sense."""
        revision = await in_use(self.providers, it.provider_id, it.provider_revision)
        provider = await self.providers.at(it.provider_id, revision)
        if it.credentials is None or provider is None:
            raise Problem(409, "The login comes first.", reason=Reason.NOT_YET)
        if it.trouble is not None and it.login_broken:
            raise Problem(409, "Log in again first.", reason=it.trouble.reason)
        why = await held(self.providers, it.provider_id, it.provider_revision)
        if why is not None:
            text = "An operator has to approve the provider's new address, or to resume it, first."
            raise Problem(409, text, reason=why)
        return provider.manifest

    def _credentials(self, it: Connection) -> dict[str, Any]:
        place = credentials_place(it.account, it.id, it.credentials_revision)
        kept = self.vault.open_values(place, Sealed.of(it.credentials or {}))
        return lent_credentials(self.vault, it, kept, self.now())


def _login_of(it: Connection) -> tuple[str, int, int]:
    """A connection with its present credentials: newer ones may be tried."""
    return it.id, it.credentials_revision, it.token.renewals if it.token else 0
