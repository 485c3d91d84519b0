"""Whether stored secrets may go where a newer manifest sends them. It reads providers and changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from connections.handlers.ports import Providers
from connections.lifecycle.case import Provider
from providers.login.rules import requests
from schemas.manifest import Manifest
from schemas.reasons import Reason

_HOW = frozenset(
    {"atomic_put", "case_sensitive", "concurrency", "conditional", "create_only", "forbidden_characters"}
)
"""Settings of drivers that say how files are written. Any other one may say where secrets go."""


@dataclass(frozen=True, slots=True)
class Using:
    """`held` and `in_use` of one store of providers."""

    held: Callable[[str, int], Awaitable[Reason | None]]
    in_use: Callable[[str, int], Awaitable[int]]


async def _nothing_is_held(_: str, __: int) -> Reason | None:
    return None


async def _as_stored(_: str, revision: int) -> int:
    return revision


AS_STORED = Using(_nothing_is_held, _as_stored)
"""Where no manifest ever changes."""


async def held(providers: Providers, provider_id: str, revision: int) -> Reason | None:
    """Why secrets that were stored under `revision` are held back: they would go elsewhere now, until an
    operator approves of it; or an operator paused the provider. None: they are not.
    """
    newest = (await providers.newest((provider_id,))).get(provider_id)
    if newest is None:
        return None
    if newest.paused:
        return Reason.PAUSED
    if await _goes_elsewhere(providers, newest, revision) and not await _is_approved(providers, newest):
        return Reason.PROVIDER_CHANGED
    return None


async def in_use(providers: Providers, provider_id: str, revision: int) -> int:
    """The revision that says where secrets stored under `revision` go: a newer one once approved of."""
    newest = (await providers.newest((provider_id,))).get(provider_id)
    if newest is None or newest.approved is None or not await _goes_elsewhere(providers, newest, revision):
        return revision
    return newest.revision if await _is_approved(providers, newest) else revision


async def _goes_elsewhere(providers: Providers, newest: Provider, revision: int) -> bool:
    if newest.revision == revision:
        return False
    stored = await providers.at(newest.manifest.id, revision)
    return stored is None or _places(stored.manifest) != _places(newest.manifest)


async def _is_approved(providers: Providers, newest: Provider) -> bool:
    """Whether an operator approved of where the newest revision sends secrets."""
    if newest.approved is None:
        return False
    approved = await providers.at(newest.manifest.id, newest.approved)
    return approved is not None and _places(approved.manifest) == _places(newest.manifest)


def _places(manifest: Manifest) -> object:
    """The driver, its settings but those that say how, where tokens and what renews them go, which fields say
    where secrets go.
    """
    settings = {name: value for name, value in manifest.driver.settings.items() if name not in _HOW}
    fields = {spec.name for spec in manifest.credentials if spec.destination}
    asked = tuple(call.url for _, call in requests(manifest)) if manifest.own_token else ()
    return manifest.driver.kind, settings, fields, manifest.oauth.addresses if manifest.oauth else asked
