"""Whether stored secrets may go where a newer manifest sends them. It reads providers and changes nothing."""

from __future__ import annotations

from connections.handlers.ports import Providers
from schemas.manifest import Manifest

_HOW = frozenset(
    {"atomic_put", "case_sensitive", "concurrency", "conditional", "create_only", "forbidden_characters"}
)
"""Settings of drivers that say how files are written. Any other one may say where secrets go."""


async def held(providers: Providers, provider_id: str, revision: int) -> bool:
    """Whether secrets that were stored under `revision` are held back: they would go elsewhere now."""
    newest = (await providers.newest((provider_id,))).get(provider_id)
    if newest is None or newest.revision == revision:
        return False
    stored = await providers.at(provider_id, revision)
    return stored is None or _places(stored.manifest) != _places(newest.manifest)


def _places(manifest: Manifest) -> object:
    """The driver, its settings but those that say how, and which fields say where secrets go."""
    settings = {name: value for name, value in manifest.driver.settings.items() if name not in _HOW}
    return manifest.driver.kind, settings, {spec.name for spec in manifest.credentials if spec.destination}
