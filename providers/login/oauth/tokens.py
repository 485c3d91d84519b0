"""Asking for tokens: by a code, a refresh token, a client's own right; and giving them back. It keeps none.

RFC 6749 §4.1.3, §4.4, §5, §6; RFC 7009. What an error of the token endpoint means is decided in `refusal`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from jsonpointer import JsonPointer, JsonPointerException

from providers.errors import ProviderError
from providers.http import Answer
from providers.login.oauth import texts
from providers.login.oauth.registered import Registered
from schemas.oauth import OAuth, TokenLife
from schemas.reasons import Reason

TOKEN_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
LONGEST = timedelta(days=3650)
"""A token that is said to last longer is taken to last so long."""
_ODD = partial(ProviderError, "transient", Reason.PROVIDER_DOWN, texts.ODD)
_OVER = partial(ProviderError, "auth", Reason.CONSENT_EXPIRED, texts.CONSENT_OVER)
_CLIENT_REFUSED = partial(ProviderError, "config", Reason.NOT_SET_UP, texts.CLIENT_REFUSED)
_CHANGED = partial(ProviderError, "config", Reason.PROVIDER_CHANGED, texts.CHANGED)
_CLIENT_WRONG = ("invalid_client", "unauthorized_client")
_GRANT_OVER = ("invalid_grant", "invalid_code")
"""The book's word, and Zoho's."""
_REFUSALS = {
    "invalid_code": _OVER,
    "invalid_grant": _OVER,
    "interaction_required": _OVER,
    "consent_required": _OVER,
    "login_required": _OVER,
    "invalid_client": _CLIENT_REFUSED,
    "unauthorized_client": _CLIENT_REFUSED,
    "invalid_scope": _CHANGED,
    "invalid_request": _CHANGED,
    "invalid_target": _CHANGED,
    "unsupported_grant_type": _CHANGED,
    "access_denied": partial(ProviderError, "auth", Reason.CANCELLED, texts.SAID_NO),
}
"""What an error of the token endpoint means (RFC 6749 §5.2, OpenID Connect Core §3.1.2.6, RFC 8707)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave. Times are absolute, by our clock; None is not known."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    access_until: str | None = None
    """RFC 3339, as all times here: this travels as JSON in sealed state."""
    refresh_until: str | None = None
    since: str = ""
    scopes: tuple[str, ...] | None = None
    """Those granted; None where the answer does not say (RFC 6749 §5.1: those asked for)."""
    id_token: str | None = field(default=None, repr=False)

    def plain(self) -> dict[str, Any]:
        """As JSON-able members, without the ID token, which has no use any more."""
        return {name: value for name, value in asdict(self).items() if name != "id_token"}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Tokens:
        """What `plain` said."""
        scopes = plain.get("scopes")
        return cls(**{**plain, "scopes": None if scopes is None else tuple(scopes)})


async def by_code(there: Registered, code: str, verifier: str, redirect_uri: str) -> Tokens:
    """Exchange an authorization code.

    Raises:
        ProviderError: see `refusal`.
    """
    asked = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
    return await ask(there, "authorization_code", asked)


async def by_refresh_token(there: Registered, old: Tokens) -> Tokens:
    """Newer tokens; where the answer brings no new refresh token, the old one goes on.

    Raises:
        ProviderError: see `refusal`; `consent_expired` where the refresh token no longer counts.
    """
    if old.refresh_token is None:
        raise _refused("invalid_grant")
    new = await ask(there, "refresh_token", {"refresh_token": old.refresh_token})
    if new.refresh_token is not None:
        return new
    life = there.spec.life
    slides = old.refresh_until if not life.refresh_slides else new.refresh_until or old.refresh_until
    return Tokens(
        new.access_token, old.refresh_token, new.access_until, slides, new.since, new.scopes or old.scopes
    )


async def by_own_right(there: Registered) -> Tokens:
    """The client's own token (`client_credentials`).

    Raises:
        ProviderError: see `refusal`.
    """
    scope = {"scope": " ".join(there.spec.scopes)} if there.spec.scopes else {}
    return await ask(there, "client_credentials", scope)


async def ask(there: Registered, grant: str, asked: Mapping[str, str]) -> Tokens:
    """One request to the token endpoint.

    Raises:
        ProviderError: see `refusal`.
    """
    headers, more = there.proof()
    members = {"grant_type": grant, **asked, **there.spec.token_params, **more}
    answer = await send(there, there.server.token_url, members, headers)
    return given(there, answer, read(answer), grant)


async def revoke(there: Registered, tokens: Tokens) -> bool:
    """Give the grant back (RFC 7009): the refresh token, else the access token. False: there is no way to.

    Raises:
        ProviderError: it cannot be asked now.
    """
    if there.server.revoke_url is None:
        return False
    headers, more = there.proof()
    kind = "refresh_token" if tokens.refresh_token else "access_token"
    asked = {"token": tokens.refresh_token or tokens.access_token, "token_type_hint": kind, **more}
    answer = await send(there, there.server.revoke_url, asked, headers)
    if answer.status >= 500 or answer.status == 429:
        raise answer.error((), there.http.clock())
    return answer.status < 300


async def send(there: Registered, url: str, asked: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    """POST as the provider takes it, form or JSON; no longer than `TOKEN_SECONDS`.

    Raises:
        ProviderError: `host_unreachable` and what else the way out meets.
    """
    from authlib.common.urls import add_params_to_qs

    plain = there.spec.token_format == "json"  # noqa: S105 - a format, no token
    content = json.dumps(asked) if plain else add_params_to_qs("", list(asked.items()))
    kind = "application/json" if plain else "application/x-www-form-urlencoded"
    try:
        async with asyncio.timeout(TOKEN_SECONDS):
            return await there.http.exchange(
                "POST",
                url,
                headers={"Content-Type": kind, "Accept": "application/json", **headers},
                content=content.encode(),
                most=ANSWER_BYTES,
            )
    except TimeoutError:
        raise ProviderError("transient", Reason.PROVIDER_DOWN, texts.TOO_SLOW) from None


def read(answer: Answer) -> dict[str, Any]:
    """The members of an answer; none where it is no JSON object."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def refusal(spec: OAuth, answer: Answer, said: Mapping[str, Any], grant: str) -> ProviderError | None:
    """What is wrong with an answer of the token endpoint that is no outage; None where nothing is.

    What is not understood may be a proxy's page: it is no refusal either, and is asked again later.
    """
    code = _at(said, spec.answer.error)
    if code is None and _at(said, spec.answer.access_token) is not None and answer.status < 300:
        return None
    if code in _GRANT_OVER and grant != "refresh_token":
        return ProviderError("auth", Reason.SESSION_EXPIRED, texts.CODE_OVER)
    wordless = code is None and (answer.status == 401 or (answer.status == 403 and bool(said)))
    ours = code in _CLIENT_WRONG or wordless
    if ours and spec.client == "customer":
        wrong = "client_secret"
        return ProviderError("auth", Reason.CREDENTIALS_WRONG, texts.LOGIN_REFUSED, field=wrong)
    return _refused(code)


def given(there: Registered, answer: Answer, said: Mapping[str, Any], grant: str) -> Tokens:
    """The tokens in an answer of the token endpoint.

    Raises:
        ProviderError: an outage; else see `refusal`.
    """
    now = there.http.clock()
    if answer.status >= 500 or answer.status == 429:
        raise answer.error((), now)
    if (refused := refusal(there.spec, answer, said, grant)) is not None:
        raise refused
    return _tokens(there.spec, said, now)


def _refused(code: object) -> ProviderError:
    """A fresh error, by the table; what is not in it was not understood."""
    return _REFUSALS.get(str(code), _ODD)()


def lasting(access_token: str, seconds: object, life: TokenLife, now: datetime) -> Tokens:
    """A token that came without OAuth; `seconds` is how long it lasts, as its provider says it."""
    until = _after(now, _seconds(seconds) or life.access_seconds)
    return Tokens(access_token, access_until=until, since=now.isoformat())


def missing_scopes(spec: OAuth, tokens: Tokens) -> tuple[str, ...]:
    """The scopes that are needed and were not granted, whatever their case."""
    if tokens.scopes is None:
        return ()
    granted = {scope.casefold() for scope in tokens.scopes}
    return tuple(scope for scope in spec.scopes if scope.casefold() not in granted)


def _tokens(spec: OAuth, said: Mapping[str, Any], now: datetime) -> Tokens:
    at, life = spec.answer, spec.life
    access, refresh = _text(said, at.access_token), _text(said, at.refresh_token)
    if access is None:
        raise _refused(None)
    seconds = _seconds(_at(said, at.expires_in)) or life.access_seconds
    lasts = _seconds(_at(said, at.refresh_expires_in)) if at.refresh_expires_in else None
    if lasts is None and life.refresh_hours is not None and refresh is not None:
        lasts = int(life.refresh_hours * 3600)
    scope = _at(said, at.scope)
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        access_until=_after(now, seconds),
        refresh_until=_after(now, lasts),
        since=now.isoformat(),
        scopes=tuple(re.split(r"[\s,]+", scope.strip()))
        if isinstance(scope, str) and scope.strip()
        else None,
        id_token=_text(said, "/id_token"),
    )


def _at(said: Mapping[str, Any], pointer: str) -> Any:
    """What is at a JSON pointer; None where nothing is."""
    try:
        return JsonPointer(pointer).resolve(said)
    except JsonPointerException:
        return None


def _text(said: Mapping[str, Any], pointer: str) -> str | None:
    value = _at(said, pointer)
    return value if isinstance(value, str) and value else None


def _seconds(value: Any) -> int | None:
    """A length of time, also where it is written as text; None where it says nothing sensible."""
    try:
        seconds = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return min(seconds, int(LONGEST.total_seconds())) if seconds > 0 else None


def _after(now: datetime, seconds: int | None) -> str | None:
    return None if seconds is None else (now + timedelta(seconds=seconds)).isoformat()
