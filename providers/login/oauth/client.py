"""Who asks: the client that an operator registered with a provider, how it proves itself. It keeps nothing.

RFC 6749 §2.3, RFC 7523 §2.2 (`private_key_jwt`).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from providers.errors import ProviderError
from providers.login.oauth import texts
from schemas.manifest import Manifest
from schemas.oauth import OAuth
from schemas.reasons import Reason

ASSERTION_LASTS = timedelta(minutes=10)
"""Long enough for a clock that is five minutes off, theirs or ours."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}


@dataclass(frozen=True, slots=True)
class Client:
    """One registration with one provider: with a `secret` or a `key` (a private JWK), or neither."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    key: Mapping[str, Any] | None = field(default=None, repr=False)
    addresses: frozenset[str] | None = field(default=None, compare=False)
    """Of `oauth`, those that it was set up for; None is any. A newer manifest may name others."""


class Clients(Protocol):
    """Where the operator's clients are kept."""

    async def of(self, provider_id: str) -> Client | None:
        """The client for this provider; None where the operator has set none up."""


class NoClients:
    """Nothing was set up: what a process has that keeps no clients."""

    async def of(self, provider_id: str) -> Client | None:  # noqa: ARG002 - the promise of `Clients`
        return None


async def client_for(manifest: Manifest, values: Mapping[str, Any], clients: Clients) -> Client:
    """The client that this login goes by: the operator's, or the customer's own.

    Raises:
        ProviderError: `not_set_up`; also where its secret would go elsewhere now, until an operator approves.
    """
    if manifest.oauth is not None and manifest.oauth.client == "customer":
        return Client(str(values.get("client_id") or ""), str(values.get("client_secret") or ""))
    client = await clients.of(manifest.id)
    if client is None or not _is_for(client, manifest):
        raise ProviderError("config", Reason.NOT_SET_UP, texts.not_set_up(manifest.name.en))
    return client


def _is_for(client: Client, manifest: Manifest) -> bool:
    named = manifest.oauth.addresses if manifest.oauth else ()
    return client.addresses is None or client.addresses.issuperset(named)


def proof(spec: OAuth, client: Client, audience: str, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """How `client` proves itself at the token endpoint: headers and parameters to add.

    Args:
        spec: says by which method.
        client: who asks.
        audience: the token endpoint, which an assertion is made out to.
        now: the time of day in UTC.
    """
    match spec.client_auth:
        case "basic":
            pair = f"{quote(client.client_id, safe='')}:{quote(client.secret or '', safe='')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
        case "post":
            return {}, {"client_id": client.client_id, "client_secret": client.secret or ""}
        case "private_key_jwt":
            assertion = _assertion(client, audience, now)
            return {}, {
                "client_id": client.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        case "none":
            return {}, {"client_id": client.client_id}


def _assertion(client: Client, audience: str, now: datetime) -> str:
    """RFC 7523 §3; it names no time of issue, which a clock that is behind would call the future."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        key = import_key(dict(client.key or {}))
        algorithm = str((client.key or {}).get("alg") or _ALGORITHMS[key.key_type])
        claims = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": audience,
            "jti": str(uuid.uuid4()),
            "exp": int((now + ASSERTION_LASTS).timestamp()),
        }
        return jwt.encode({"alg": algorithm, "kid": key.kid} if key.kid else {"alg": algorithm}, claims, key,
                          algorithms=[algorithm])  # fmt: skip
    except (JoseError, KeyError, ValueError, TypeError):
        raise ProviderError("config", Reason.NOT_SET_UP, texts.CLIENT_REFUSED) from None
