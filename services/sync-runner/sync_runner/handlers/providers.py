"""Where what the catalog published goes. The protocol only; `store.providers` keeps it."""

from __future__ import annotations

from typing import Protocol

from schemas.manifest import Manifest


class Providers(Protocol):
    """Where manifests are kept."""

    async def publish(self, manifest: Manifest, revision: int) -> None:
        """Keep a revision. Keeping it again changes nothing."""
