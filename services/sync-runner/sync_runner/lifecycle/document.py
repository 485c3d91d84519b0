"""Which of two words about a document holds: versions are of the bytes, times tell metadata apart. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

TOMBSTONE = -1
"""The version of a document that was withdrawn before it was received."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one event says of a document. A withdrawal knows no version and no bytes."""

    at: datetime
    version: int = TOMBSTONE
    sha256: str | None = None
    withdrawn: bool = False


class Verdict(Enum):
    """What to do with a word."""

    TAKE = "take"
    STALE = "stale"
    CONFLICT = "conflict"
    """The same version with other bytes: it can never be taken."""


def judge(known: Word | None, new: Word) -> Verdict:
    """Whether `new` takes the place of what is known. Hearing the same word again is taking it again."""
    if known is None:
        return Verdict.TAKE
    if new.withdrawn:
        return _unless(new.at < known.at)
    if new.version != known.version:
        return _unless(new.version < known.version or (known.withdrawn and new.at < known.at))
    if new.sha256 != known.sha256:
        return Verdict.CONFLICT
    # The same word, heard again after the withdrawal, may bear the withdrawal's very time.
    return _unless(new.at < known.at or (known.withdrawn and new.at == known.at))


def _unless(stale: bool) -> Verdict:  # noqa: FBT001 - names the answer, switches nothing
    return Verdict.STALE if stale else Verdict.TAKE
