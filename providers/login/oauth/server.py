"""Where a provider's authorization server is: named by its manifest, or found by its issuer. No tokens.

RFC 8414, OpenID Connect Discovery 1.0 §4. What was found is kept for ten minutes.
"""

from __future__ import annotations

import json
import string
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from providers.errors import ProviderError
from providers.http import Http
from providers.login.oauth import texts
from schemas.manifest import Manifest
from schemas.oauth import OAuth
from schemas.reasons import Reason

METADATA_BYTES = 256 * 1024
FOUND_LASTS = 600.0
MOST_FOUND = 500
_found: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()
"""By issuer. It is public, the same for all accounts, and never holds more than `MOST_FOUND`."""


@dataclass(frozen=True, slots=True)
class Server:
    """One authorization server, its addresses filled in. An endpoint that it does not have is None."""

    spec: OAuth
    token_url: str
    authorize_url: str | None = None
    device_url: str | None = None
    revoke_url: str | None = None
    jwks_url: str | None = None
    userinfo_url: str | None = None
    issuer: str | None = None
    says_issuer: bool = False
    """It promised to name itself on the way back (RFC 9207): an answer that does not is somebody else's."""


async def server_of(manifest: Manifest, values: Mapping[str, Any], http: Http) -> Server:
    """The authorization server for this login.

    Args:
        manifest: one with `oauth`.
        values: what the login asked before, such as the shop that is part of the address.
        http: the guarded way out.

    Raises:
        ProviderError: it cannot be reached, or says what cannot be; `provider_changed`: an endpoint is where
            the manifest knows none of its own.
    """
    spec = spec_of(manifest)
    named = {
        name: filled(address, values) if (address := getattr(spec, name)) else None
        for name in ("issuer", "token_url", "authorize_url", "device_url", "revoke_url", "jwks_url")
    }
    known = await _metadata(named["issuer"], http) if named["issuer"] else {}
    at = {_origin(filled(address, values)) for address in (spec.issuer, *spec.endpoint_origins) if address}
    token_url = named["token_url"] or _endpoint(known, "token_endpoint", at)
    if token_url is None:
        raise _odd()
    return Server(
        spec=spec,
        token_url=token_url,
        authorize_url=named["authorize_url"] or _endpoint(known, "authorization_endpoint", at),
        device_url=named["device_url"] or _endpoint(known, "device_authorization_endpoint", at),
        revoke_url=named["revoke_url"] or _endpoint(known, "revocation_endpoint", at),
        jwks_url=named["jwks_url"] or _endpoint(known, "jwks_uri", at),
        userinfo_url=_endpoint(known, "userinfo_endpoint", at),
        issuer=named["issuer"],
        says_issuer=known.get("authorization_response_iss_parameter_supported") is True,
    )


def spec_of(manifest: Manifest) -> OAuth:
    """The manifest's `oauth`.

    Raises:
        ProviderError: `not_set_up`; it has none.
    """
    if manifest.oauth is None:
        raise ProviderError("config", Reason.NOT_SET_UP, texts.not_set_up(manifest.name.en))
    return manifest.oauth


def filled(address: str, values: Mapping[str, Any]) -> str:
    """`address` with each `{field}` filled in, percent-encoded, so that none can leave its place."""
    text = ""
    for literal, name, _, _ in string.Formatter().parse(address):
        text += literal + (quote(str(values.get(name) or ""), safe="") if name else "")
    return text


def forget() -> None:
    """Ask every issuer anew, as a process does that has just begun."""
    _found.clear()


async def _metadata(issuer: str, http: Http) -> dict[str, Any]:
    """What the issuer says of itself, by RFC 8414 or, where it knows only that, by OpenID Connect."""
    kept = _found.get(issuer)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    said = await _first_said(issuer, http)
    if said.get("issuer") != issuer:
        raise _odd()
    methods = said.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise _odd()
    _found[issuer] = (time.monotonic() + FOUND_LASTS, said)
    while len(_found) > MOST_FOUND:
        _found.popitem(last=False)
    return said


async def _first_said(issuer: str, http: Http) -> dict[str, Any]:
    from authlib.oauth2.rfc8414 import get_well_known_url

    places = (
        get_well_known_url(issuer, external=True),
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )
    answer = None
    for place in places:
        answer = await http.exchange(
            "GET", place, headers={"Accept": "application/json"}, most=METADATA_BYTES
        )
        if answer.status == 200:
            try:
                said = json.loads(answer.body)
            except (ValueError, RecursionError):
                raise _odd() from None
            if isinstance(said, dict):
                return said
            raise _odd()
    if answer is not None and (answer.status >= 500 or answer.status == 429):
        raise answer.error((), http.clock())
    raise _odd()


def _endpoint(known: Mapping[str, Any], name: str, at: Collection[tuple[str, str]]) -> str | None:
    """An endpoint that was found; secrets go to the origins `at` alone, whatever the issuer says now."""
    address = known.get(name)
    if not isinstance(address, str):
        return None
    if urlsplit(address).scheme not in ("https", "http"):  # plain http gets no further than the guard lets it
        raise _odd()
    if _origin(address) not in at:
        raise ProviderError("config", Reason.PROVIDER_CHANGED, texts.CHANGED)
    return address


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.casefold()


def _odd() -> ProviderError:
    return ProviderError("transient", Reason.PROVIDER_DOWN, texts.ODD)
