"""Events about connections: what is asked (`.requests`, `.answers`), what is so (`.events`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field as Member, StringConstraints, model_validator

from schemas.base import ConnectionId, Maybe, Model, Moment, ProviderId, Text
from schemas.envelope import Data, RequestRefused
from schemas.fields import Fact, Field
from schemas.filters import Filters, Start
from schemas.reasons import AnswerBy, By, ChallengeKind, Direction, Locale, Purpose, Reason, SessionResult
from schemas.schedules import Schedule, TimeZone

ConnectionName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Values = Annotated[dict[str, Any], Member(max_length=100)]
"""Field values by field name."""


class ConnectionRequested(Data):
    """A customer wants an account of theirs connected. The asker chooses the id."""

    connection_id: ConnectionId
    direction: Direction
    """`import` brings documents in, `export` moves them out."""
    provider_id: ProviderId
    """An `id` of the catalogue."""
    answer_by: AnswerBy = "window"
    """How this onboarding is answered: in the login window, or by sealed answers."""
    schedule: Maybe[Schedule] = None
    """When it runs. Exports run daily where nothing is said."""
    timezone: Maybe[TimeZone] = None
    """Whose clock the usual schedule and its quiet hours go by, where no schedule is given. Unset is UTC."""
    filters: Maybe[Filters] = None
    """Which documents are moved out. Nothing said is all of them."""
    start: Maybe[Start] = None
    """`now` (the default: what comes from now on), `all`, or a day: received since then."""
    locale: Maybe[Locale] = None
    """The language of texts for the customer."""
    name: Maybe[ConnectionName] = None
    """What the customer calls it; made of the provider's name where nothing is said."""


class ConnectionOptionsSubmitted(Data):
    """The options of an authorized connection: the last step before it is saved."""

    connection_id: ConnectionId
    options: Values
    """Values by the names of the fields in `ConnectionAuthorized`."""
    schedule: Maybe[Schedule] = None
    """As in `ConnectionRequested`, as are `filters` and `start`; what is said here counts more."""
    filters: Maybe[Filters] = None
    start: Maybe[Start] = None
    name: Maybe[ConnectionName] = None


class ConnectionChangeRequested(Data):
    """A saved connection shall change: each member that is given replaces the whole old one."""

    connection_id: ConnectionId
    expected_revision: Annotated[int, Member(ge=1)]
    """The revision that you read; where it is older than ours, nothing changes."""
    schedule: Maybe[Schedule] = None
    options: Maybe[Values] = None
    filters: Maybe[Filters] = None
    name: Maybe[ConnectionName] = None

    @model_validator(mode="after")
    def _changes_something(self) -> ConnectionChangeRequested:
        if all(getattr(self, member) is None for member in ("schedule", "options", "filters", "name")):
            raise ValueError("must give at least one of `schedule`, `options`, `filters` and `name`")
        return self


class ReauthenticationRequested(Data):
    """Log in again on the same connection, or take up an unfinished onboarding."""

    connection_id: ConnectionId
    answer_by: AnswerBy = "window"
    locale: Maybe[Locale] = None


class ConnectionPauseRequested(Data):
    """Let nothing move until it is resumed."""

    connection_id: ConnectionId


class ConnectionResumeRequested(Data):
    """Let documents move again."""

    connection_id: ConnectionId


class ConnectionRemovalRequested(Data):
    """End it: credentials are shredded, what was delivered stays, its ledger stays readable."""

    connection_id: ConnectionId


class AuthChallengeAnswerSubmitted(Data):
    """The sealed answer of a headless service to an open challenge."""

    connection_id: ConnectionId
    challenge_id: Annotated[str, StringConstraints(max_length=64)]
    sealed: Annotated[str, StringConstraints(max_length=90_000)]


class Medium(Model):
    """Where a code was sent, such as `sms` to `+33 6 •• •• •• 12`."""

    type: str
    label: str


class Image(Model):
    """A picture to read, base64."""

    media_type: str
    data: Annotated[str, StringConstraints(max_length=90_000)]


class Resend(Model):
    """How often, and from when, the code may be asked for again."""

    left: int
    not_before: Moment


class Trouble(Model):
    """What went wrong with the last try."""

    reason: Reason
    message: Text


class AuthChallengeIssued(Data):
    """The provider asks for something. It replaces any challenge before it."""

    connection_id: ConnectionId
    session_id: str
    purpose: Purpose
    challenge_id: str
    """What an answer names. A new try has a new one."""
    kind: ChallengeKind
    step: int
    title: Text
    message: Text
    """For the customer: what to do."""
    fields: tuple[Field, ...]
    """What is asked for, in order."""
    answer_by: tuple[AnswerBy, ...]
    """Who may answer: the login window, a sealed answer."""
    expires_at: Moment
    """An answer after it is refused."""
    attempts_left: int
    """How often it may still be answered wrongly."""
    resend: Resend | None = None
    """Whether and when the code can be sent again."""
    error: Trouble | None = None
    """Why the last answer did not do."""
    medium: Maybe[Medium] = None
    image: Maybe[Image] = None
    facts: Maybe[tuple[Fact, ...]] = None
    poll_after: Maybe[int] = None
    """Seconds between two looks at the provider."""


class AuthChallengeAnswered(Data):
    """Somebody answered, and the answer is being tried. What they answered is nowhere in here."""

    connection_id: ConnectionId
    session_id: str
    challenge_id: str
    answer_id: str | None
    via: AnswerBy
    action: str


class AuthChallengeExpired(Data):
    """Nobody answered in time."""

    connection_id: ConnectionId
    session_id: str
    challenge_id: str
    reason: Reason


class AuthSessionEnded(Data):
    """A login session is over."""

    connection_id: ConnectionId
    session_id: str
    purpose: Purpose
    result: SessionResult
    reason: Reason | None
    message: Text | None
    retry_at: Moment | None = None


class ConnectionAuthorized(Data):
    """The login succeeded, completed by who asked for it. Next: options, unless it was a re-login."""

    connection_id: ConnectionId
    session_id: str
    purpose: Purpose
    identity: str
    """As whom, to show to the customer: `jane@firm.example`."""
    options: tuple[Field, ...]
    """What is to be chosen and sent by `ConnectionOptionsSubmitted`."""
    provider_revision: int
    same_as: Maybe[tuple[ConnectionId, ...]] = None
    """Saved connections of this customer to the same account at the same place."""


class ConnectionRejected(Data):
    """Final, and only before the first save."""

    connection_id: ConnectionId
    reason: Reason
    message: Text


class _Settled(Data):
    """What a saved connection is."""

    connection_id: ConnectionId
    direction: Direction
    provider_id: ProviderId
    provider_revision: int
    name: str
    identity: str
    schedule: Schedule
    options: dict[str, Any]
    filters: Filters
    start: Start
    revision: int
    saved_at: Moment


class ConnectionSaved(_Settled):
    """Onboarding is complete; from now on it runs."""


class ConnectionChanged(_Settled):
    """A saved connection is different from now on."""


class _Said(Data):
    connection_id: ConnectionId
    by: By
    reason: Reason | None = None


class ConnectionPaused(_Said):
    """Nothing moves until it is resumed."""


class ConnectionResumed(_Said):
    """Documents move again."""


class ConnectionRemoved(_Said):
    """It is over; its credentials are shredded."""


class _Attention(Data):
    connection_id: ConnectionId
    reason: Reason
    title: Text
    message: Text
    action: str | None
    """What mends it, such as `reauthenticate`, `change_options` or `wait`."""
    expires_at: Maybe[Moment] = None


class ConnectionNeedsAttention(_Attention):
    """Something only a person can mend. Said once per trouble, in the connection's language."""


class ConnectionRecovered(_Attention):
    """The trouble is over."""


class ConnectionExpiring(_Attention):
    """The consent or password ends soon."""


REQUESTS: tuple[type[Data], ...] = (
    ConnectionRequested, ConnectionOptionsSubmitted, ConnectionChangeRequested, ReauthenticationRequested,
    ConnectionPauseRequested, ConnectionResumeRequested, ConnectionRemovalRequested,
)  # fmt: skip
ANSWERS: tuple[type[Data], ...] = (AuthChallengeAnswerSubmitted,)
EVENTS: tuple[type[Data], ...] = (
    AuthChallengeIssued, AuthChallengeAnswered, AuthChallengeExpired, AuthSessionEnded,
    ConnectionAuthorized, ConnectionRejected, ConnectionSaved, ConnectionChanged, ConnectionPaused,
    ConnectionResumed, ConnectionRemoved, ConnectionNeedsAttention, ConnectionRecovered, ConnectionExpiring,
    RequestRefused,
)  # fmt: skip
