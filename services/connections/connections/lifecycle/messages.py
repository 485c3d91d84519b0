"""What happens to a connection besides the contract's requests: what a login asks, what a worker found, time.

`Consequence`s are what one table tells the other; they are never published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connections.lifecycle.things import Found
from connections.lifecycle.tokens import Sealed, Token
from schemas.challenges import Challenge
from schemas.connections import Trouble
from schemas.manifest import Limits
from schemas.reasons import AnswerBy, Locale, Purpose, Reason


class Consequence:
    """What one table tells the other."""


@dataclass(frozen=True, slots=True)
class SessionBegun(Consequence):
    """A login session begins with its first question."""

    purpose: Purpose
    answer_by: AnswerBy
    locale: Locale
    provider_revision: int
    limits: Limits
    question: Challenge


@dataclass(frozen=True, slots=True)
class SessionStopped(Consequence):
    """Whatever login is under way ends: superseded, or its connection did."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class LoggedIn(Consequence):
    """The login counts: what it found becomes the connection's."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered. Its fields keep their own rules already; they are sealed."""

    challenge_id: str
    answer_id: str
    action: str
    browser: str | None
    """The digest of the browser that answered in a window; None for a sealed answer."""
    sealed: Sealed = field(repr=False)

    @property
    def via(self) -> AnswerBy:
        return "sealed" if self.browser is None else "window"


@dataclass(frozen=True, slots=True)
class TryClaimed:
    """A worker with this fence is about to ask the provider, or finds that the one before it died."""

    fence: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The provider asks on, or, with `error`, again."""

    fence: int
    question: Challenge
    machine: Sealed = field(repr=False)
    error: Trouble | None = None
    blamed: str | None = None
    """The field that the error is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """The provider could not be asked (an outage, a dead host, a rate limit): the same question again."""

    fence: int
    error: Trouble


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """What the provider waits for, such as an approval elsewhere, has not happened yet."""

    fence: int
    machine: Sealed = field(repr=False)
    poll_after: int | None = None
    """Seconds until the next look, where the provider wants other ones than before."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Whoever is about to answer in a window speaks another language than the login began in."""

    locale: Locale
    question: Challenge
    """The first question, in that language."""


@dataclass(frozen=True, slots=True)
class PollDue:
    """It is time to look at the provider again."""


@dataclass(frozen=True, slots=True)
class TryDelayed:
    """The provider bears no more tries at once: this one's turn comes at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class LoginBlocked:
    """Too many tries of this account name have failed, whoever made them: none is made before `until`."""

    fence: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """The provider accepted the login."""

    fence: int
    found: Found


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """The login cannot go on."""

    fence: int
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The platform handed in the proof for its signed-in user."""

    session_id: str
    browser: str
    """The digest of the browser that the proof was sent to."""


@dataclass(frozen=True, slots=True)
class SessionTimedOut:
    """The open challenge, the session or the wait for the proof is at its end."""


@dataclass(frozen=True, slots=True)
class LoginBroke(Consequence):
    """The provider lets nobody in with what is stored: a person has to log in again."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class LoginMended(Consequence):
    """The provider lets us in after all: newer tokens came later than a refusal of the older ones."""


@dataclass(frozen=True, slots=True)
class ConsentEnds:
    """The end of the login by the calendar is near, or there."""


@dataclass(frozen=True, slots=True)
class RenewalClaimed:
    """A worker with this fence is about to ask for newer tokens. Written before the provider is asked."""

    fence: int


@dataclass(frozen=True, slots=True)
class RenewalWanted:
    """Somebody needs newer tokens now, though their time has not come."""


@dataclass(frozen=True, slots=True)
class TokenEnded:
    """The provider takes the access token no longer, whatever its time: a run was refused with it."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The provider gave newer tokens."""

    fence: int
    token: Token
    """As a fresh one: sealed, with its times."""


@dataclass(frozen=True, slots=True)
class RenewalPutOff:
    """The provider could not be asked, or not now: it is tried again no sooner than `until`."""

    fence: int
    until: datetime


@dataclass(frozen=True, slots=True)
class RenewalDelayed:
    """What would be sent is held back: it is looked at again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GrantGivenBack:
    """The provider took back an old grant, or never will."""

    credentials_revision: int


@dataclass(frozen=True, slots=True)
class GrantKept:
    """The provider could not be asked to take back an old grant: it is asked again at `until`."""

    credentials_revision: int
    until: datetime


@dataclass(frozen=True, slots=True)
class RenewalRefused:
    """The provider takes the refresh token no longer."""

    fence: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class OnboardingTimedOut:
    """Seven days have passed without a save."""
