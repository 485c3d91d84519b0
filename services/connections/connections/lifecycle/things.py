"""A connection and the login that is its part, as plain values. No table and no decision is here."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field as Member

from connections.lifecycle.tokens import OldGrant, Sealed, Token, TokenState
from schemas.base import Model, Moment
from schemas.connections import AuthChallengeIssued
from schemas.fields import Field
from schemas.filters import Filters, Start
from schemas.manifest import Limits
from schemas.reasons import AnswerBy, Direction, Locale, Purpose, Reason, SessionResult
from schemas.schedules import Schedule

PROOF_LASTS = timedelta(minutes=10)
"""How long a login that the provider accepted waits for the platform's proof: coming back takes a while."""
TRY_LASTS = timedelta(seconds=31)
"""A worker's lease (30 s) and a moment: then somebody looks what became of its try."""
ONBOARDING_LASTS = timedelta(days=7)
TRIES = 20
"""Tries of one session that no answer was to blame for, such as a dead host: an end to trying hosts."""
PAST_CHALLENGES = 50
"""How many challenges are remembered, so that an answer that comes late is told what became of its own."""

LOAN_LASTS = timedelta(minutes=6)
"""How long what was lent may be in use: five minutes, and a moment."""
ANNOUNCED = (timedelta(days=7), timedelta(days=1))
"""How long before a login ends by the calendar its customer is told."""

LOGIN_BROKEN = frozenset(
    {
        Reason.CREDENTIALS_WRONG,
        Reason.PASSWORD_EXPIRED,
        Reason.CHALLENGE_NEEDED,
        Reason.CONSENT_EXPIRED,
        Reason.LOCKED,
        Reason.IDENTITY_CHANGED,
    }
)
"""Trouble that only a new login mends: trying again with the same credentials could lock the account."""


class Status(StrEnum):
    """Where a connection stands; `new` is none yet, and is never stored."""

    NEW = "new"
    CONNECTING = "connecting"
    CONFIGURING = "configuring"
    ACTIVE = "active"
    ATTENTION = "attention"
    REJECTED = "rejected"
    REMOVED = "removed"


_IN_USE = (Status.CONFIGURING, Status.ACTIVE, Status.ATTENTION)


class LoginState(StrEnum):
    """Where a connection's login session stands; `idle` is between sessions."""

    IDLE = "idle"
    OPEN = "open"
    TRYING = "trying"
    PROVING = "proving"


class ChallengeEnd(StrEnum):
    """What became of a challenge that is no longer open."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    INTERRUPTED = "interrupted"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class Given(Model):
    """An answer that is being tried. What was answered is sealed."""

    answer_id: str
    action: str
    via: AnswerBy
    sealed: Sealed | None
    """None for a look at the provider, which nobody answered."""


class Found(Model):
    """What a login that the provider accepted brought. It counts once the session ends as authorized."""

    identity: str
    credentials: Sealed
    known: dict[str, Any]
    """The values that are no secrets, to be offered at the next login."""
    options: tuple[Field, ...]
    token: Token | None = None
    ends_at: Moment | None = None
    """When the customer has to agree again, whatever is renewed."""
    same_as: tuple[str, ...] = ()
    """Saved connections of this customer to the same account at the same place."""


class Ended(Model):
    """How a session ended."""

    session_id: str
    purpose: Purpose
    result: SessionResult
    reason: Reason | None = None
    message: str | None = None
    retry_at: Moment | None = None

    told: str | None = None
    """What the window says of it: more than may be told outside. None: the browser goes back at once."""


class Login(Model):
    """The login session of a connection: at most one, with at most one challenge."""

    state: LoginState = LoginState.IDLE
    sessions: int = 0
    session_id: str = ""
    purpose: Purpose = "connect"
    answer_by: AnswerBy = "window"
    locale: Locale = "en"
    provider_revision: int = 0
    limits: Limits = Limits()
    """What the provider bears, by the pinned revision of its manifest."""
    expires_at: Moment | None = None
    blamed: str | None = None
    """The field of the challenge that its error is about; for the window."""
    challenge: AuthChallengeIssued | None = None
    """The open one, and while `trying` the one that was answered."""
    tells_values: bool = False
    """Whether its title or message hold what was typed, or told by the provider."""
    asked: int = 0
    """Challenges of this session so far."""
    wrong: int = 0
    tries: int = 0
    resent: int = 0
    """How often a code was sent again in this session."""
    sent_at: Moment | None = None
    """When the last code was sent."""
    polls: int = 0
    poll_at: Moment | None = None
    """When the provider is looked at next, while it is waited for."""
    browser: str | None = None
    """The digest of the browser that answered first in a window: no other one goes on with the session, and
    the platform's proof must come from it. None where nothing was answered in a window."""
    given: Given | None = None
    try_at: Moment | None = None
    """While `trying`: when a worker is to look at it."""
    fence: int = 0
    """Of the worker that tries; 0 while none does."""
    machine: Sealed | None = None
    """The step machine's state, as the worker with `machine_fence` left it."""
    machine_fence: int = 0
    found: Found | None = None
    past: dict[str, ChallengeEnd] = Member(default_factory=dict)
    spent: tuple[str, ...] = ()
    """Answer ids that were used."""
    ended: Ended | None = None


class Trouble(Model):
    """Why a connection needs attention."""

    reason: Reason
    title: str
    message: str
    action: str | None
    since: Moment


class Connection(Model):
    """A customer's account at a provider: what was asked, what is so, and its login."""

    id: str
    account: str
    asked: dict[str, Any]
    """What was requested, to tell the same request from another one for the same id."""
    direction: Direction
    provider_id: str
    provider_revision: int
    locale: Locale
    name: str
    status: Status
    paused: bool = False
    reason: Reason | None = None
    message: str | None = None
    identity: str | None = None
    schedule: Schedule
    options: dict[str, Any] = Member(default_factory=dict)
    option_fields: tuple[Field, ...] = ()
    same_as: tuple[str, ...] = ()
    filters: Filters = Filters()
    start: Start = "now"
    revision: int = 0
    created_at: Moment
    saved_at: Moment | None = None
    credentials: Sealed | None = None
    credentials_revision: int = 0
    known: dict[str, Any] = Member(default_factory=dict)
    token: Token | None = None
    ends_at: Moment | None = None
    """When the customer has to log in again, by the calendar; None is never."""
    old_grants: tuple[OldGrant, ...] = ()
    """Those of logins before and of its end, until they were given back."""
    announced: int = 0
    """How many of the announcements of that end (`ANNOUNCED`) have been made, or came too late."""
    failed_logins: int = 0
    blocks: int = 0
    """How often too many logins in a row have failed, since one went through."""
    blocked_until: Moment | None = None
    trouble: Trouble | None = None
    healed: Trouble | None = None
    """The last trouble that is over."""
    login: Login = Login()
    removed_at: Moment | None = None
    """When it was removed or rejected."""

    @property
    def unfinished(self) -> bool:
        """Whether it was never saved and still may be."""
        return self.status in (Status.CONNECTING, Status.CONFIGURING)

    @property
    def login_broken(self) -> bool:
        """Whether its credentials are of no use until somebody logs in again."""
        return self.trouble is not None and self.trouble.reason in LOGIN_BROKEN

    @property
    def abandoned_at(self) -> datetime | None:
        """When it is given up, unless it is saved before."""
        return self.created_at + ONBOARDING_LASTS if self.unfinished else None

    @property
    def wake_at(self) -> datetime | None:
        """When it is to be looked at next without anybody asking: a try is due at once."""
        times = [self.abandoned_at, self.login_ends_at, self.login.poll_at, self.announce_at]
        return min((time for time in times if time is not None), default=None)

    @property
    def announce_at(self) -> datetime | None:
        """When its end by the calendar is to be announced next, or is there."""
        if self.ends_at is None or self.status not in (Status.ACTIVE, Status.ATTENTION):
            return None
        if self.announced > len(ANNOUNCED):
            return None
        return self.ends_at - (*ANNOUNCED, timedelta(0))[self.announced]

    @property
    def renew_at(self) -> datetime | None:
        """When its tokens are to be renewed, looked after or given back; None where nothing is to be done."""
        times = [self._token_due, *(old.revoke_at for old in self.old_grants)]
        return min((time for time in times if time is not None), default=None)

    @property
    def _token_due(self) -> datetime | None:
        token = self.token
        if token is None or token.state is TokenState.DEAD or self.login_broken or self.status not in _IN_USE:
            return None
        if token.state is TokenState.RENEWING:
            return token.look_at
        due = [token.keep_due] if self.paused else [token.keep_due, token.access_due]
        times = [time for time in due if time is not None]
        if not times:
            return None
        return max(min(times), token.not_before) if token.not_before else min(times)

    @property
    def login_ends_at(self) -> datetime | None:
        """A challenge ends no later than its session; a try is looked at until it has an outcome."""
        login = self.login
        if login.state is LoginState.IDLE:
            return None
        if login.state is LoginState.TRYING:
            return login.try_at
        return login.expires_at if login.challenge is None else login.challenge.expires_at

    @property
    def looking(self) -> bool:
        """Whether the provider is looked at though nobody answered: its challenge is open all the while."""
        login = self.login
        return login.state is LoginState.TRYING and login.given is not None and login.given.action == "poll"
