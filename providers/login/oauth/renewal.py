"""Newer tokens for a grant, and its end: what a renewal asks of a provider. When is not decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from providers.login.oauth.registered import registered
from providers.login.oauth.tokens import Tokens, by_own_right, by_refresh_token, revoke
from schemas.login import Grant
from schemas.manifest import Manifest

if TYPE_CHECKING:
    from providers.reach import Reach


async def renew(manifest: Manifest, at: Mapping[str, Any], old: Tokens, reach: Reach) -> Tokens:
    """Newer tokens.

    Args:
        manifest: the revision that the customer logged in with.
        at: what the server's addresses are filled from.
        old: the tokens there are.
        reach: the guarded way out.

    Raises:
        ProviderError: kind `auth` where the provider lets us in no longer; anything else may work later.
    """
    there = await registered(manifest, at, reach)
    if any(isinstance(step, Grant) for step in manifest.login):
        return await by_own_right(there)
    return await by_refresh_token(there, old)


async def give_back(manifest: Manifest, at: Mapping[str, Any], tokens: Tokens, reach: Reach) -> bool:
    """End the grant at the provider (RFC 7009). False: it has no way to.

    Raises:
        ProviderError: it cannot be asked now.
    """
    return await revoke(await registered(manifest, at, reach), tokens)
