"""What goes into a step of a login, and what comes out of it. Plain values; the state between is JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.challenges import Challenge
from schemas.connections import Trouble
from schemas.reasons import Reason

LoginState = dict[str, Any]
"""Where a login stands: JSON, with secrets in it. Whoever stores it seals it."""


def aside(state: LoginState) -> Mapping[str, Any]:
    """What the window alone shows of the open challenge, and no event tells.

    Attributes of it, each where there is one: `link` (where the browser goes on), `code` (what is typed or
    compared there), `image` and `audio` ({`media_type`, `data` base64}).
    """
    shown: Mapping[str, Any] = state["here"].get("aside") or {}
    return shown


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered: `fields` keep the challenge's rules already.

    `action`: `answer`, `resend` where the challenge `resends`, or `poll`: nobody answered, and what the
    provider waits for is looked at (`Challenge.poll_after`).
    """

    fields: Mapping[str, Any] = field(repr=False)
    action: str = "answer"


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
class Waiting:
    """What the provider waits for, such as an approval, has not happened: the challenge stays open."""

    state: LoginState = field(repr=False)
    poll_after: int | None = None
    """Seconds until the next look, where the provider wants other ones than `Challenge.poll_after`."""


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
        tokens: what a provider's OAuth gave (`oauth.tokens.Tokens.plain`); None where it gave none.
        state: where the login stood at its end, for who must know every secret that passed.
    """

    credentials: Mapping[str, Any] = field(repr=False)
    identity: str
    known: Mapping[str, Any]
    tokens: Mapping[str, Any] | None = field(default=None, repr=False)
    state: LoginState = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The login cannot go on, whatever is answered."""

    reason: Reason
    message: str


Outcome = Asked | Waiting | Unreached | Authorized | Failed
