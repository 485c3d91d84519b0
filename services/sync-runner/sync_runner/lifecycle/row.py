"""A row of the ledger: one version of one document for one connection. Pure.

What is final is never touched again, save by somebody who asks for it (`Redone`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from kit.transitions import Row, Table
from schemas.reasons import RowStatus

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 6 * 60, 24 * 60))
"""After the first, second … failed try of a document; the last one from then on."""
LOOK_AGAIN = timedelta(minutes=1)
"""After which an `unknown` row is looked up."""


@dataclass(frozen=True, slots=True)
class Intended:
    """A worker is about to put it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """It is at the target, with the same bytes."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The target does not take it, however often it is asked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not go this time."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """It was withdrawn, or a newer version took its place, before it was sent."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """The intent is taken back: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Redone:
    """Somebody asks for it again."""


S = RowStatus
TABLE: Table[RowStatus] = {
    (S.PENDING, Intended): Row(S.SENDING),
    (S.PENDING, Dropped): Row(S.SKIPPED),
    (S.PENDING, Redone): Row(S.PENDING),
    (S.SENDING, Intended): Row(S.SENDING),
    (S.SENDING, Arrived): Row(S.DONE),
    (S.SENDING, Declined): Row(S.REJECTED),
    (S.SENDING, Failed): Row(S.FAILED),
    (S.SENDING, Unclear): Row(S.UNKNOWN),
    (S.SENDING, Dropped): Row(S.SKIPPED),
    (S.SENDING, Unsent): Row(S.PENDING),
    (S.DONE, Unclear): Row(S.UNKNOWN),
    (S.DONE, Redone): Row(S.PENDING),
    (S.FAILED, Intended): Row(S.SENDING),
    (S.FAILED, Dropped): Row(S.SKIPPED),
    (S.FAILED, Redone): Row(S.PENDING),
    (S.UNKNOWN, Intended): Row(S.SENDING),
    (S.UNKNOWN, Redone): Row(S.UNKNOWN),
    (S.REJECTED, Redone): Row(S.PENDING),
    (S.SKIPPED, Redone): Row(S.PENDING),
}
"""A row that is sending or unknown may have arrived: it is never dropped or redone without a look."""

MESSAGES = {
    S.DONE: Arrived(),
    S.REJECTED: Declined(),
    S.FAILED: Failed(),
    S.UNKNOWN: Unclear(),
    S.SKIPPED: Dropped(),
    S.PENDING: Unsent(),
}
"""What a result of this status says."""
OPEN = (S.PENDING, S.SENDING, S.FAILED, S.UNKNOWN)
"""What is still to be moved."""
FINAL = (S.DONE, S.REJECTED, S.SKIPPED)
DOUBTFUL = (S.SENDING, S.UNKNOWN)
"""It may have arrived."""


def from_states(message: type) -> tuple[RowStatus, ...]:
    """The states that a message moves on from: what guards its write."""
    return tuple(state for state, heard in TABLE if heard is message)


def wait(status: RowStatus, attempts: int, retry_after: timedelta | None) -> timedelta | None:
    """How long until a row in `status` is taken again by itself, after `attempts` tries; None is never."""
    if status is S.UNKNOWN:
        return retry_after or LOOK_AGAIN
    if status is not S.FAILED:
        return None
    return max(WAITS[min(max(attempts, 1), len(WAITS)) - 1], retry_after or timedelta(0))
