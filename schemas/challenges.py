"""What is asked of a customer, before it becomes a challenge with an id and an end. A plain value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from schemas.connections import Image, Medium
from schemas.fields import Fact, Field
from schemas.reasons import ChallengeKind


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked next: the same shape for every kind; a member that a kind has no use for stays None."""

    kind: ChallengeKind
    step: int
    title: str
    message: str
    tells_values: bool = False
    """Whether title or message hold what was typed, or told by the provider."""
    fields: tuple[Field, ...] = ()
    lasts: timedelta | None = None
    """None is as long as the session."""
    window_only: bool = False
    resends: bool = False
    """Whether a code was sent that can be sent again: an answer's action may then be `resend`."""
    medium: Medium | None = None
    image: Image | None = None
    facts: tuple[Fact, ...] | None = None
    poll_after: int | None = None
    """Seconds."""
