"""A login window: who may open it, which browser it is bound to, how it ends. No pages and no store.

The address is a secret for five minutes and binds nothing by being opened; a button binds the browser. What
the login achieved counts only once the platform hands in the proof for its signed-in user, and only
the browser that answered gets one: whoever lures somebody into a window attaches nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connections.window.onboarding import Login, Onboarded
from schemas.reasons import Locale, SessionResult
from web.security import origin_of

OPENS_FOR = timedelta(minutes=5)
PROOF_LASTS = timedelta(minutes=5)
RESERVED = frozenset({"connection_id", "result", "state", "proof"})

Result = Literal["authorized", "cancelled", "failed", "expired"]
Stage = Literal["waiting", "asking", "done"]
Address = Literal["fresh", "mine", "elsewhere", "replaced", "late"]


def fresh_secret() -> str:
    """256 random bits, for addresses, browsers and proofs."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret. It has 256 bits, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Window:
    """One window: for one login session, of one connection, opened by one browser."""

    id: str
    ticket: str
    """The digest of the secret in its address."""
    connection: str
    account: str
    session: str
    return_url: str
    state: str
    label: str
    """How the platform calls the account that is connected to, for its customer."""
    locale: Locale
    made_at: datetime
    replaced: bool = False
    browser: str | None = None
    returned_at: datetime | None = None
    proof: str | None = None
    proof_until: datetime | None = None
    proven_at: datetime | None = None
    typed: Mapping[str, Any] = field(default_factory=dict)
    """What was typed and is no secret, so that nobody types it twice."""

    @property
    def opens_until(self) -> datetime:
        return self.made_at + OPENS_FOR

    def address_for(self, browser: str | None, now: datetime) -> Address:
        """What its address is to somebody with this browser's digest."""
        if self.browser is not None:
            return "mine" if self.browser == browser else "elsewhere"
        if self.replaced:
            return "replaced"
        return "fresh" if now < self.opens_until else "late"


class WindowStore(Protocol):
    """Where windows are kept."""

    async def add(self, window: Window) -> None:
        """Keep a new window; unopened older ones of its connection are replaced."""

    async def by_ticket(self, ticket: str) -> Window | None: ...

    async def by_id(self, id_: str) -> Window | None: ...

    async def by_proof(self, connection: str, proof: str) -> Window | None: ...

    async def bind(self, id_: str, browser: str, now: datetime) -> bool:
        """Bind a window that is still fresh to a browser. False where it is not: nothing changed."""

    async def remember(self, id_: str, typed: Mapping[str, Any]) -> None:
        """What was typed and is no secret."""

    async def end(self, id_: str, now: datetime, proof: str | None) -> None:
        """It was sent back; a newer proof replaces an older one."""

    async def proven(self, id_: str, now: datetime) -> None:
        """Its proof was handed in."""


def stage(window: Window, seen: Onboarded) -> Stage:
    """What this window shows now."""
    login = login_of(window, seen)
    if login is None or login.state in ("verified", "ended"):
        return "done"
    return "asking" if login.state == "open" and login.challenge is not None else "waiting"


def result(window: Window, seen: Onboarded) -> Result:
    """How a window that is done ended. A login that a newer one or another browser took over is cancelled."""
    login = login_of(window, seen)
    if login is None:
        return "cancelled"
    if login.state == "verified" or login.result is SessionResult.AUTHORIZED:
        return "authorized"
    match login.result:
        case SessionResult.CANCELLED:
            return "cancelled"
        case SessionResult.EXPIRED:
            return "expired"
        case _:
            return "failed"


def wants_proof(window: Window, seen: Onboarded) -> bool:
    """Whether the login counts only once the platform hands in a proof."""
    login = login_of(window, seen)
    return login is not None and login.state == "verified"


def wants_telling(window: Window, seen: Onboarded) -> bool:
    """Whether the customer is to read how it ended before the browser goes back."""
    login = login_of(window, seen)
    return login is not None and login.state == "ended" and login.told is not None


def login_of(window: Window, seen: Onboarded) -> Login | None:
    """The login that this window is for, if it still is the connection's newest and no other browser's."""
    login = seen.login
    if login is None or login.session_id != window.session or login.browser not in (None, window.browser):
        return None
    return login


def way_back(window: Window, ended: Result, proof: str | None) -> str:
    """Where the browser is sent: the platform's address with what it is told (CONTRACT §6)."""
    parts = urlsplit(window.return_url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in RESERVED]
    told = [("connection_id", window.connection), ("result", ended), ("state", window.state)]
    told += [("proof", proof)] if proof else []
    return urlunsplit(parts._replace(query=urlencode(kept + told)))


def wrong_return_url(url: str, allowed: Sequence[str]) -> str | None:
    """Why browsers may not be sent back to `url`, as a sentence; None if they may."""
    try:
        parts = urlsplit(url)
        origin = origin_of(url)
    except ValueError:
        return "`return_url` is no address."
    plain = all("!" <= letter <= "~" and letter != "\\" for letter in url)
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        return "`return_url` must be an absolute http or https address."
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "`return_url` must hold no user name."
    if parts.fragment or url.endswith("#"):
        return "`return_url` must hold no fragment."
    if origin not in {origin_of(one) for one in allowed}:
        return "`return_url` is of an origin that is not in PAPERBUS_RETURN_ORIGINS."
    return None
