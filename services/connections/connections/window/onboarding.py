"""What the window asks of a login, and what it is shown. No pages, no HTTP, no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from schemas.connections import AuthChallengeIssued
from schemas.fields import Words
from schemas.reasons import AnswerBy, Locale, Purpose, Reason, SessionResult

LoginState = Literal["preparing", "open", "trying", "verified", "ended"]
"""`preparing`: no challenge yet; `trying`: an answer is with the provider; `verified`: the provider said yes,
the platform has not handed in the proof yet."""
Action = Literal["answer", "resend", "cancel"]


@dataclass(frozen=True, slots=True)
class Login:
    """The newest login session of a connection, as it may be shown."""

    session_id: str
    purpose: Purpose
    state: LoginState
    expires_at: datetime | None
    """When the session ends by itself; None once it is over."""
    locale: Locale = "en"
    """Of the texts of its challenges."""
    browser: str | None = None
    """The digest of the browser that answered first in a window: the login is its alone."""
    challenge: AuthChallengeIssued | None = None
    """The one to answer; while `trying` the one that was answered."""
    aside: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What this window alone shows of the challenge, see `providers.login.outcomes.aside`."""
    blamed: str | None = None
    """The field that the challenge's error is about."""
    told: str | None = None
    """Why it ended, for this window alone, where the customer is to read it before going back."""
    result: SessionResult | None = None
    reason: Reason | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A connection as far as its window needs it."""

    connection_id: str
    account: str
    provider_id: str
    provider_name: Words
    login: Login | None
    answer_by: AnswerBy = "window"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one challenge, from the window or out of a sealed answer. `fields` may hold secrets."""

    account: str
    connection_id: str
    challenge_id: str
    answer_id: str
    """A UUID; the same id again is the same answer again."""
    action: Action
    browser: str | None = None
    """The digest of the browser that answered in a window; None for a sealed answer."""
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    returned: Mapping[str, Any] | None = field(default=None, repr=False)
    """What a browser brought back from a provider's page; None for anything that somebody filled in."""
    actor: str | None = None
    """The `sub` of the token, where there is one."""

    @property
    def via(self) -> AnswerBy:
        return "sealed" if self.browser is None else "window"


class Onboarding(Protocol):
    """What the handlers of this service offer to the window."""

    async def look(self, connection_id: str) -> Onboarded | None:
        """The connection and its newest login as they are now; None where there is no such connection."""

    async def answer(self, answer: Answer) -> None:
        """Take an answer: from here on a worker tries it. Returns before the provider is asked.

        Raises:
            kit.endings.Refused: `invalid` with `errors` by field (the challenge stays open),
                `already_answered` (also: by another browser), `session_expired`, `unknown_connection` and
                what else the table refuses.
        """

    async def speak(self, connection_id: str, session_id: str, locale: Locale) -> Locale:
        """Speak this language where nothing was answered yet. The language that the login speaks now."""

    async def complete(self, connection_id: str, session_id: str, browser: str, actor: str) -> None:
        """The platform handed in this browser's proof: a verified login counts from now on. Twice is once.

        Raises:
            kit.endings.Refused: the session is over, superseded, another browser's, or was never verified.
        """
