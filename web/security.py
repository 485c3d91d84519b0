"""What keeps pages safe in a browser: headers, the origin of forms, cookies. It knows no page.

Content Security Policy Level 3, RFC 6265bis (`__Host-`), Fetch Metadata.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMON = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex",
}

A_DRAWING = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""Of an SVG: opened by itself it could otherwise act in our origin's name."""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers write them: `https://app.example`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def policy(form_action: Sequence[str] = (), frame_ancestors: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page: our own files and nothing inline.

    `form_action` are further origins that a form's answer may redirect to: browsers check those too.
    """
    sources = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "media-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(("'self'", *form_action)),
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in sources.items())


class SecureHeaders:
    """Adds the headers that every answer to a browser carries, unless the answer has its own."""

    def __init__(self, app: ASGIApp, *, https: bool, frame_ancestors: Sequence[str] = ()) -> None:
        self._app = app
        self._headers = COMMON | {
            "Content-Security-Policy": policy(frame_ancestors=frame_ancestors),
            "Cache-Control": "no-store",
        }
        if https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"
        if not frame_ancestors:
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that scripts and other origins never see: `__Host-` over https, its plain name on loopback."""

    name: str
    https: bool
    framed: bool = False
    """Whether it is sent within other sites' frames too (https only)."""

    @property
    def key(self) -> str:
        return f"__Host-{self.name}" if self.https else self.name

    def read(self, cookies: Mapping[str, str]) -> str | None:
        """The value that the browser sent, if it can be one of ours."""
        value = cookies.get(self.key, "")
        return value if 32 <= len(value) <= 128 and value.isascii() else None

    def write(self, response: Response, value: str, max_age: int | None = None) -> None:
        """Keep `value` in the browser for `max_age` seconds; None until it is closed."""
        response.set_cookie(
            self.key, value, max_age=max_age, path="/", secure=self.https, httponly=True, samesite=self._site
        )

    def forget(self, response: Response) -> None:
        response.delete_cookie(self.key, path="/", secure=self.https, httponly=True, samesite=self._site)

    @property
    def _site(self) -> Literal["lax", "none"]:
        return "none" if self.framed and self.https else "lax"


def form_token(secret: str, purpose: str) -> str:
    """The token of one form in one browser: nobody makes it without the cookie's `secret`."""
    return hmac.new(secret.encode(), f"form:{purpose}".encode(), hashlib.sha256).hexdigest()


def is_own_form(
    headers: Mapping[str, str], own_origin: str, secret: str | None, purpose: str, token: str
) -> bool:
    """Whether a POST comes from our own page in the browser that holds `secret`.

    With `Referrer-Policy: no-referrer` browsers send `Origin: null` along with our own forms, so the token
    decides; what a browser says besides can only make it stricter.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    if headers.get("origin", "null") not in ("null", own_origin):
        return False
    return secret is not None and hmac.compare_digest(token.encode(), form_token(secret, purpose).encode())
