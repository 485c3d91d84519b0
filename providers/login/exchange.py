"""A declared request: filled in, signed, sent through the guard, its cookies kept. It reads no meaning.

Cookies are kept as they came (`Set-Cookie` with its address) in the login's sealed state, and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from aiohttp import CookieJar
from yarl import URL

from providers.drivers.sigv4 import Keys, query_string
from providers.egress import url_parts
from providers.errors import ProviderError
from providers.login.outcomes import LoginState
from providers.moments import moment
from providers.reach import Reach
from providers.templates import fill
from providers.words import words
from schemas.calls import Hmac, Request
from schemas.reasons import Reason

MOST_BYTES = 1024 * 1024
"""Of an answer; what comes after is not read."""
MOST_COOKIES = 50
LONGEST_COOKIE = 4096
FORGIVEN = 30
"""Seconds that a provider's clock may differ from ours without a code of an app noticing (RFC 6238 §5.2)."""


Jar = Sequence[Sequence[str]]
"""Cookies as they came: the address that set it, and its `Set-Cookie`."""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole answer, and the address that gave it."""

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    jar: Jar = field(repr=False)

    @property
    def cookies(self) -> Mapping[str, str]:
        """Those that would be sent to this address now."""
        return _cookies(self.jar, self.url)


@dataclass(frozen=True, slots=True)
class Sent:
    """A page, and the state with the cookies that came."""

    page: Page
    state: LoginState = field(repr=False)


def known(state: LoginState) -> dict[str, Any]:
    """What a template may hold: what was typed, confirmed and taken."""
    return {**state["values"], **state["pins"], **state.get("taken", {})}


def _sayable(state: LoginState) -> dict[str, Any]:
    """What a request may hold: also the token that an earlier step brought."""
    tokens = state.get("tokens")
    return {**known(state), **({"access_token": tokens["access_token"]} if tokens else {})}


async def send(request: Request, state: LoginState, reach: Reach) -> Sent:
    """Send it; follow redirects within the same origin.

    Raises:
        ProviderError: as `Http.exchange`; `provider_changed` for redirects in a circle.
    """
    values = _sayable(state)
    url = _address(request, values)
    headers, body = _signed(request, url, values, reach)
    call = _Call(request.method, url, headers, body)
    sent = await _once(call, state, reach)
    bare = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    seen = set()
    for _ in range(request.follow):
        following = _following(sent.page)
        if following is None:
            break
        if following in seen:
            raise ProviderError("config", Reason.PROVIDER_CHANGED, words("elsewhere"))
        seen.add(following)
        again = sent.page.status in (307, 308)  # RFC 9110 §15.4: what was sent is sent there once more
        call = replace(call, url=following) if again else _Call("GET", following, bare, b"")
        sent = await _once(call, sent.state, reach)
    return sent


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


async def _once(call: _Call, state: LoginState, reach: Reach) -> Sent:
    jar: Jar = state.get("cookies", ())
    cookie = "; ".join(f"{name}={value}" for name, value in _cookies(jar, call.url).items())
    headers = {**call.headers, **({"Cookie": cookie} if cookie else {})}
    answer = await reach.http.exchange(
        call.method, call.url, headers=headers, content=call.body or None, most=MOST_BYTES
    )
    jar = _kept(jar, call.url, answer.headers)
    state = {**state, "cookies": jar, "ahead": _ahead(answer.headers, reach.clock())}
    return Sent(Page(call.url, answer.status, answer.headers, answer.body, jar), state)


def _ahead(headers: Mapping[str, str], now: datetime) -> int:
    """Seconds that the provider's clock is ahead of ours, by its `Date`; 0 where that makes no difference.

    What a cache has kept for a while (`Age`, RFC 9111 §5.1) tells no time.
    """
    at = moment(headers.get("Date"))
    ahead = int((at - now).total_seconds()) if at else 0
    return 0 if abs(ahead) <= FORGIVEN or headers.get("Age", "0") != "0" else ahead


def _address(request: Request, values: Mapping[str, Any]) -> str:
    url = fill(request.url, values, is_address=True)
    url_parts(url)
    pairs = {name: fill(text, values, is_address=False) for name, text in request.query.items()}
    if request.aws_v4 is not None:  # what is signed is sent just so
        url, _, own = url.partition("?")
        query = query_string(dict(parse_qsl(own, keep_blank_values=True)) | pairs)
    else:
        query = urlencode(pairs)
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _signed(
    request: Request, url: str, values: Mapping[str, Any], reach: Reach
) -> tuple[dict[str, str], bytes]:
    """The headers and the body."""
    body, media_type = _body(request, values)
    moment = {"now": str(int(reach.clock().timestamp())), "nonce": secrets.token_hex(16)}
    if request.hmac is not None:
        parts = urlsplit(url)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        told = {"method": request.method, "path": path, "body": body.decode()}
        moment["signature"] = _signature(request.hmac, {**values, **moment, **told})
    headers = {"Accept": "application/json, text/html;q=0.9, */*;q=0.8"}
    headers |= {"Content-Type": media_type} if media_type else {}
    if request.basic is not None:
        pair = f"{_plain(request.basic.username, values)}:{_plain(request.basic.password, values)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    headers |= {name: _plain(text, {**values, **moment}) for name, text in request.headers.items()}
    if request.aws_v4 is not None:
        filled = {name: _plain(text, values) for name, text in request.aws_v4.wire().items()}
        plain = {name.lower(): value for name, value in headers.items()}
        digest = hashlib.sha256(body).hexdigest()
        headers = Keys(**filled).signed(request.method, url, plain, digest, reach.clock())
    return headers, body


def _body(request: Request, values: Mapping[str, Any]) -> tuple[bytes, str | None]:
    if request.form is not None:
        pairs = {name: fill(text, values, is_address=False) for name, text in request.form.items()}
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if request.json_ is not None:
        return json.dumps(_filled(request.json_, values), separators=(",", ":")).encode(), "application/json"
    return b"", None


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A JSON value with every text in it filled in."""
    if isinstance(value, str):
        return fill(value, values, is_address=False)
    if isinstance(value, Mapping):
        return {name: _filled(below, values) for name, below in value.items()}
    return [_filled(below, values) for below in value] if isinstance(value, list) else value


def _signature(spec: Hmac, values: Mapping[str, Any]) -> str:
    key, over = (fill(text, values, is_address=False).encode() for text in (spec.key, spec.over))
    digest = hmac.digest(key, over, spec.hash)
    return digest.hex() if spec.encoding == "hex" else base64.b64encode(digest).decode()


def _plain(text: str, values: Mapping[str, Any]) -> str:
    """On one line: what was typed cannot begin another header."""
    return "".join(sign for sign in fill(text, values, is_address=False) if sign >= " ")


def _following(page: Page) -> str | None:
    """Where a redirect leads, if it stays at the same origin."""
    target = page.headers.get("Location")
    if page.status not in (301, 302, 303, 307, 308) or not target:
        return None
    try:
        url = urljoin(page.url, target).partition("#")[0]
        here, there = urlsplit(page.url), urlsplit(url)
    except ValueError:  # no address at all: the page is what came
        return None
    return url if (here.scheme, here.netloc) == (there.scheme, there.netloc) else None


def _cookies(kept: Jar, url: str) -> dict[str, str]:
    """Those that are sent to an address."""
    if not kept:
        return {}
    jar = CookieJar(unsafe=True)  # hosts without a name have cookies too
    for setter, header in kept:
        jar.update_cookies_from_headers([header], URL(setter))
    found = jar.filter_cookies(URL(url, encoded=True))
    return {morsel.key: morsel.value for morsel in found.values()}


def _kept(jar: Jar, url: str, headers: Mapping[str, str]) -> Jar:
    """The cookies there were, newer ones in the place of older ones."""
    every: list[str] = getattr(headers, "getall", lambda _, __: [])("Set-Cookie", [])
    if not every:
        return jar
    came = {_name(header): [url, header] for header in every if len(header) <= LONGEST_COOKIE}
    host = URL(url).host
    older = [one for one in jar if _name(one[1]) not in came or URL(one[0]).host != host]
    return [*older, *came.values()][-MOST_COOKIES:]


def _name(header: str) -> tuple[str, str]:
    """What tells one cookie from another: its name and path."""
    try:
        morsels = SimpleCookie(header)
    except CookieError:
        return header.partition("=")[0], ""
    return next(((name, one["path"]) for name, one in morsels.items()), (header.partition("=")[0], ""))
