"""One request by somebody who is signed in: who they are, what they may, how their page speaks. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request

from console.sessions import Session
from console.spoken import Spoken
from schemas.reasons import Locale
from web.languages import LOCALES, language, preferred
from web.security import form_token

LANGUAGE = "paperbus-language"
ZONE = "paperbus-zone"
"""Cookies without a secret: the language that was chosen, the browser's time zone."""


def locale_of(request: Request) -> Locale:
    """The language that was chosen, else the one that the browser prefers."""
    chosen = request.cookies.get(LANGUAGE)
    return next(
        (locale for locale in LOCALES if locale == chosen),
        preferred(request.headers.get("accept-language", "")),
    )


def zone_of(cookies: Mapping[str, str]) -> ZoneInfo:
    """The browser's time zone, as a script of ours has told it; UTC until then."""
    try:
        return ZoneInfo(cookies.get(ZONE, "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class Visit:
    """Somebody who is signed in asks for something."""

    request: Request
    session: Session
    secret: str
    now: datetime

    @property
    def account(self) -> str:
        return self.session.account

    @property
    def may_change(self) -> bool:
        """Admins change, everybody else looks."""
        return self.session.role == "admin"

    @cached_property
    def locale(self) -> Locale:
        return locale_of(self.request)

    @cached_property
    def spoken(self) -> Spoken:
        """The page's language, its times and its numbers."""
        return Spoken(language(self.locale), zone_of(self.request.cookies), self.now)

    @property
    def form_token(self) -> str:
        """What every form of this session carries."""
        return form_token(self.secret, "console")

    def state(self, connection_id: str) -> str:
        """What a login window of this connection gives back: it was opened in this very session."""
        return form_token(self.secret, f"window:{connection_id}")
