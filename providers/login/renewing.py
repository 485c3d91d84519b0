"""A newer token for a connection: by OAuth, or by the login's own steps. When is not decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.login import machine
from providers.login.oauth import renewal
from providers.login.oauth.tokens import Tokens
from providers.reach import Reach
from schemas.manifest import Manifest


async def renew(manifest: Manifest, at: Mapping[str, Any], old: Tokens, reach: Reach) -> Tokens:
    """Newer tokens.

    Args:
        manifest: the revision that the customer logged in with.
        at: what the login stored for this.
        old: the tokens there are.
        reach: the guarded way out.

    Raises:
        ProviderError: kind `auth` where the provider lets us in no longer; anything else may work later.
    """
    if manifest.own_token is None:
        return await renewal.renew(manifest, at, old, reach)
    return Tokens.of((await machine.renewed(manifest, at, reach))["tokens"])
