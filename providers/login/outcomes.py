"""What goes into a step of a login, and what comes out of it. Plain values; the state between is JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from schemas.connections import Image, Medium, Trouble
from schemas.fields import Fact, Field
from schemas.reasons import ChallengeKind, Reason

LoginState = dict[str, Any]
"""Where a login stands: JSON, with secrets in it. Whoever stores it seals it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered: `fields` keep the challenge's rules already."""

    fields: Mapping[str, Any] = field(repr=False)
    action: str = "answer"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked next: the same shape for every kind; a member that a kind has no use for stays None."""

    kind: ChallengeKind
    step: int
    title: str
    message: str
    fields: tuple[Field, ...] = ()
    lasts: timedelta | None = None
    """None is as long as the session."""
    window_only: bool = False
    medium: Medium | None = None
    image: Image | None = None
    facts: tuple[Fact, ...] | None = None
    poll_after: int | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The login goes on with a challenge; with `error` because the last answer was not accepted.

    `blamed` names the field that is to blame, where one is.
    """

    state: LoginState = field(repr=False)
    challenge: Challenge
    error: Trouble | None = None
    blamed: str | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    """The provider could not be asked: an outage, a dead host, a rate limit. The state is what it was.

    No answer is to blame, so it never counts as a failed login. `retry_after`: seconds that were asked for.
    """

    error: Trouble
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Authorized:
    """The provider accepted the login.

    Attributes:
        credentials: what later runs need, pins included: secret, for the vault alone.
        identity: whose account it is, as shown to the customer.
        known: the values that are no secrets, with the pins: they prefill a later login.
    """

    credentials: Mapping[str, Any] = field(repr=False)
    identity: str
    known: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """The login cannot go on, whatever is answered."""

    reason: Reason
    message: str


Outcome = Asked | Unreached | Authorized | Failed
