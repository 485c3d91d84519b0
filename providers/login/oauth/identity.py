"""Whose account it is: by the ID token, or by a call with the access token. It decides about nobody.

OpenID Connect Core 1.0 §3.1.3.7; RFC 7519, RFC 7517.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonpointer import JsonPointer, JsonPointerException

from providers.errors import ProviderError
from providers.http import Http
from providers.login.oauth import texts
from providers.login.oauth.registered import Registered
from providers.login.oauth.server import Server, filled
from providers.login.oauth.tokens import Tokens
from schemas.oauth import IdentityAt
from schemas.reasons import Reason

LEEWAY = 360
"""Seconds by which a provider's clock may differ from ours: five minutes, and a moment for the way."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
"""By a key pair; never `none`, never a shared secret."""
KEYS_BYTES = 256 * 1024
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Who:
    """Whose account it is, and what else was said that the driver needs."""

    name: str
    kept: Mapping[str, str] = field(default_factory=dict)


async def who(there: Registered, tokens: Tokens, nonce: str | None, values: Mapping[str, Any]) -> Who | None:
    """Whose tokens these are; None where the manifest names no way to learn it and there is no ID token.

    An ID token that is there is checked, also where the name is learnt elsewhere.

    Raises:
        ProviderError: `provider_changed` for an ID token that is not for us, or not by that server.
    """
    claims = None
    if tokens.id_token is not None and there.server.jwks_url is not None:
        claims = await claims_of(there, tokens.id_token, nonce)
    at = there.spec.identity or IdentityAt()
    if at.url is not None:
        return _named(at, await _called(at, there.http, tokens, values))
    if claims is None:
        return None
    if _at(claims, at.name) is None and there.server.userinfo_url is not None:
        told = await _called(at.model_copy(update={"url": there.server.userinfo_url}), there.http, tokens, {})
        if told.get("sub") != claims.get("sub"):  # OpenID Connect Core §5.3.2
            raise _not_ours()
        claims |= told
    named = there.spec.identity is not None or _at(claims, at.name) is not None
    return _named(at if named else IdentityAt(name="/sub"), claims)


async def claims_of(there: Registered, token: str, nonce: str | None) -> dict[str, Any]:
    """The claims of an ID token, checked: signature, issuer, audience, times, nonce.

    Raises:
        ProviderError: `provider_changed`; or the keys cannot be had.
    """
    from joserfc import jwt
    from joserfc.jwk import KeySet

    keys = await _keys(there)
    try:
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
    except Exception:  # noqa: BLE001 - a hostile token makes the library raise KeyError and more; none may pass
        raise _not_ours() from None
    now = there.http.clock().timestamp()
    issuer = filled_issuer(there.server, claims)
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    good = (
        (issuer is None or claims.get("iss") == issuer)
        and there.client.client_id in several
        and (len(several) == 1 or claims.get("azp") == there.client.client_id)
        and isinstance(claims.get("exp"), int | float)
        and isinstance(claims.get("iat"), int | float)
        and now <= claims["exp"] + LEEWAY
        and claims["iat"] - LEEWAY <= now
        and (nonce is None or claims.get("nonce") == nonce)
    )
    if not good:
        raise _not_ours()
    return dict(claims)


def filled_issuer(server: Server, claims: Mapping[str, Any]) -> str | None:
    """What the ID token must name as its issuer."""
    pattern = server.spec.id_token_issuer
    return server.issuer if pattern is None else filled(pattern, claims)


async def _keys(there: Registered) -> Any:
    answer = await there.http.exchange("GET", there.server.jwks_url or "", most=KEYS_BYTES)
    if answer.status != 200:
        raise ProviderError("transient", Reason.PROVIDER_DOWN, texts.ODD)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ProviderError("transient", Reason.PROVIDER_DOWN, texts.ODD) from None


async def _called(at: IdentityAt, http: Http, tokens: Tokens, values: Mapping[str, Any]) -> dict[str, Any]:
    bearer = f"Bearer {tokens.access_token}" if at.header.lower() == "authorization" else tokens.access_token
    answer = await http.exchange(
        at.method,
        filled(at.url or "", values),
        headers={at.header: bearer, "Accept": "application/json"},
        content=b"" if at.method == "POST" else None,
        most=KEYS_BYTES,
    )
    if answer.status != 200:
        raise answer.error((), http.clock())
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ProviderError("transient", Reason.PROVIDER_DOWN, texts.ODD) from None
    return {"": said} if not isinstance(said, dict) else said


def _named(at: IdentityAt, said: Mapping[str, Any]) -> Who:
    """The name and what is kept. A list at the top of an answer is found by `/0/…`."""
    top: Any = said[""] if set(said) == {""} else said
    name = _at(top, at.name)
    if not name:
        raise ProviderError("config", Reason.PROVIDER_CHANGED, texts.NOBODY)
    return Who(
        name[:LONGEST_NAME], {field: value for field, place in at.keep.items() if (value := _at(top, place))}
    )


def _at(said: Any, pointer: str) -> str | None:
    try:
        value = JsonPointer(pointer).resolve(said)
    except JsonPointerException:
        return None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _not_ours() -> ProviderError:
    return ProviderError("auth", Reason.PROVIDER_CHANGED, texts.ANOTHER_SERVER)
