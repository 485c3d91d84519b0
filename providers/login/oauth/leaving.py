"""The way by the browser: the address it is sent to, and what it comes back with. It stores nothing.

RFC 6749 §4.1, RFC 7636 (PKCE, always S256), RFC 9207 (`iss`), RFC 9700.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from providers.errors import ProviderError
from providers.login.oauth import texts
from providers.login.oauth.registered import Registered
from providers.login.oauth.server import Server
from schemas.oauth import OAuth
from schemas.reasons import Reason

LONGEST_PARAM = 8192
"""Characters of one thing that comes back by the browser; a longer one is not taken."""
MOST_PARAMS = 30
_SAID_NO = partial(ProviderError, "auth", Reason.CANCELLED, texts.SAID_NO)
_NOT_SET_UP = partial(ProviderError, "config", Reason.NOT_SET_UP, texts.CLIENT_REFUSED)
_DOWN = partial(ProviderError, "transient", Reason.PROVIDER_DOWN, texts.ODD)
_ERRORS = {
    "temporarily_unavailable": _DOWN,
    "server_error": _DOWN,
    "invalid_scope": _NOT_SET_UP,
    "invalid_request": _NOT_SET_UP,
    "unauthorized_client": _NOT_SET_UP,
    "unsupported_response_type": _NOT_SET_UP,
}
"""What comes back in place of a code (RFC 6749 §4.1.2.1); any other error is a no."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What has to be known when the browser comes back. Secret; `state` itself is not in it."""

    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str

    def plain(self) -> dict[str, str]:
        return asdict(self)


def depart(there: Registered, redirect_uri: str) -> tuple[str, str, Departure]:
    """Where to send the browser, the `state` that it brings back (256 bits), and what to keep until then.

    Raises:
        ProviderError: `not_set_up`; this provider has no page to send anybody to.
    """
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    if there.server.authorize_url is None:
        raise ProviderError("config", Reason.NOT_SET_UP, texts.CHANGED)
    state = secrets.token_urlsafe(32)
    departure = Departure(secrets.token_urlsafe(48), secrets.token_urlsafe(24), redirect_uri)
    spec = there.spec
    asked = {
        "scope": _scope(spec),
        "code_challenge": create_s256_code_challenge(departure.verifier),
        "code_challenge_method": "S256",
        "nonce": departure.nonce if "openid" in (*spec.scopes, *spec.optional_scopes) else None,
        **spec.authorize_params,
    }
    kind = asked.pop("response_type", None) or "code"
    address = prepare_grant_uri(
        there.server.authorize_url,
        there.client.client_id,
        kind,
        redirect_uri=redirect_uri,
        state=state,
        **asked,
    )
    return str(address), state, departure


def came_back(query: Mapping[str, str]) -> dict[str, str]:
    """What a browser brought back, as far as it is taken at all: few and short."""
    short = {name: value for name, value in query.items() if len(name) <= 100 and len(value) <= LONGEST_PARAM}
    return dict(list(short.items())[:MOST_PARAMS])


def code_of(server: Server, back: Mapping[str, Any]) -> str:
    """The authorization code, from the server that was asked.

    Raises:
        ProviderError: `cancelled` where the customer said no, `provider_changed` from another server.
    """
    issuer = back.get("iss")
    if server.issuer is not None and (issuer is not None or server.says_issuer) and issuer != server.issuer:
        raise ProviderError("auth", Reason.PROVIDER_CHANGED, texts.ANOTHER_SERVER)
    if (said := back.get("error")) is not None:
        error: ProviderError = _ERRORS.get(str(said), _SAID_NO)()
        raise error
    code = back.get(server.spec.code_param)
    if not isinstance(code, str) or not code:
        raise ProviderError("auth", Reason.SESSION_EXPIRED, texts.CODE_OVER)
    return code


def _scope(spec: OAuth) -> str | None:
    separator = "," if spec.scope_separator == "comma" else " "
    return separator.join((*spec.scopes, *spec.optional_scopes)) or None
