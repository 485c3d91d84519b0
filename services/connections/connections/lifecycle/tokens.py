"""What a provider's OAuth gave to a connection, as plain values. `renewal` decides when it is renewed."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from schemas.base import Model, Moment

Sealed = dict[str, Any]
"""What the vault sealed, as it is stored. Only the vault looks inside."""


class TokenState(StrEnum):
    """Where a connection's tokens stand; `none` is a login that brought none."""

    NONE = "none"
    FRESH = "fresh"
    RENEWING = "renewing"
    DEAD = "dead"


class Token(Model):
    """What a provider's OAuth gave, sealed, and when it is to be renewed."""

    sealed: Sealed
    """Access and refresh token; bound to the credentials' revision and to `renewals`."""
    state: TokenState = TokenState.FRESH
    renewals: int = 0
    """How often it was renewed since the login."""
    access_until: Moment | None = None
    """When the access token ends; None is not known."""
    access_due: Moment | None = None
    """When the access token is to be renewed."""
    keep_due: Moment | None = None
    """When it is to be renewed though nobody uses it: unused refresh tokens die."""
    not_before: Moment | None = None
    """A renewal that did not work out is not tried again before this, nor one that is held back."""
    failures: int = 0
    """Renewals in a row that did not work out."""
    fence: int = 0
    """Of the worker that renews, while one does: written before the provider is asked."""
    look_at: Moment | None = None
    """While it is being renewed: when somebody looks what became of it."""
    interrupted: int = 0
    """Renewals that nobody knows the end of: the provider may have taken the old refresh token."""

    credentials_revision: int = 0
    """Of the login that brought it."""

    @property
    def renewable(self) -> bool:
        return self.access_due is not None or self.keep_due is not None


class OldGrant(Model):
    """What is to be given back to the provider, once nobody uses what was lent of it."""

    sealed: Sealed
    credentials_revision: int
    renewals: int
    provider_revision: int
    revoke_at: Moment
    tries: int = 0
