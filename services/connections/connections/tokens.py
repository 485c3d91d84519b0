"""Tokens between the vault and a connection: sealed with their times, and opened. It asks nobody.

Beside the tokens a record holds what their server's addresses are filled from, or the login that brings
another token, so that a renewal, and giving the grant back, need nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connections.lifecycle.renewal import Lasts, due
from connections.lifecycle.things import Connection
from connections.lifecycle.tokens import OldGrant, Token
from connections.places import token_place
from connections.vault import Sealed, Vault
from providers.login.oauth.tokens import Tokens
from providers.templates import placeholders
from schemas.manifest import Manifest
from schemas.oauth import OAuth, TokenLife

_CUSTOMERS = ("client_id", "client_secret")


def fresh_token(
    vault: Vault,
    it: Connection,
    manifest: Manifest,
    tokens: Mapping[str, Any] | None,
    credentials: Mapping[str, Any],
) -> Token | None:
    """What a login brought, as it is kept with the connection; None where it brought no tokens."""
    if tokens is None or manifest.renewal is None:
        return None
    at = {name: value for name, value in credentials.items() if name in _asked_again(manifest)}
    revision = it.credentials_revision + 1
    return sealed_token(vault, it, Tokens.of(tokens), at, (manifest.renewal.life, revision, 0))


def for_runs(manifest: Manifest, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """What runs are lent beside an access token: where there is one, no secret that only renews it."""
    if manifest.own_token is None:
        return dict(credentials)
    used = {name for text in manifest.driver.settings.values() for name in placeholders(text)}
    kept = {spec.name for spec in manifest.credentials if spec.secret} - used
    return {name: value for name, value in credentials.items() if name not in kept}


def _asked_again(manifest: Manifest) -> set[str]:
    """What a renewal needs of what was typed."""
    if manifest.oauth is None:
        return {spec.name for spec in manifest.credentials}
    customers = _CUSTOMERS if manifest.oauth.client == "customer" else ()
    return {*manifest.oauth.fields_in_addresses, *customers}


def sealed_token(
    vault: Vault, it: Connection, tokens: Tokens, at: Mapping[str, Any], of: tuple[TokenLife, int, int]
) -> Token:
    """Tokens with their times; `of` is how long they last, their login's revision, and how often renewed."""
    life, revision, renewals = of
    access_until = _moment(tokens.access_until)
    lasts = Lasts(datetime.fromisoformat(tokens.since), access_until, _moment(tokens.refresh_until))
    access, keep = due(it.id, life, lasts)
    place = token_place(it.account, it.id, revision, renewals)
    return Token(
        sealed=vault.seal_values(place, {"tokens": tokens.plain(), "at": dict(at)}).document(),
        renewals=renewals,
        credentials_revision=revision,
        access_until=access_until,
        access_due=access,
        keep_due=keep,
    )


def opened_token(vault: Vault, it: Connection, kept: Token | OldGrant) -> tuple[Tokens, dict[str, Any]]:
    """The tokens, and what it takes to ask for others.

    Raises:
        SealBroken: they do not open here.
    """
    place = token_place(it.account, it.id, kept.credentials_revision, kept.renewals)
    record = vault.open_values(place, Sealed.of(kept.sealed))
    return Tokens.of(record["tokens"]), record["at"]


def digest_of(access_token: str) -> str:
    """What tells which token was refused, without saying it."""
    return hashlib.sha256(access_token.encode()).hexdigest()


def ends_at(manifest: Manifest, tokens: Mapping[str, Any] | None, now: datetime) -> datetime | None:
    """When the customer has to log in again by the calendar, whatever is renewed; None is never."""
    ends = []
    if manifest.lifetimes.credentials_days is not None:
        ends.append(now + timedelta(days=manifest.lifetimes.credentials_days))
    if tokens is not None and manifest.oauth is not None:
        ends += _consent_ends(manifest.oauth, Tokens.of(tokens), now)
    return min(ends, default=None)


def _consent_ends(spec: OAuth, tokens: Tokens, now: datetime) -> list[datetime]:
    ends = [] if spec.life.consent_days is None else [now + timedelta(days=spec.life.consent_days)]
    until = _moment(tokens.refresh_until)
    return ends if until is None or spec.life.refresh_slides else [*ends, until]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
