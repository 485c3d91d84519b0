"""Which documents a connection wants, and from when. Shapes; judging a document by them is sync-runner's."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field as Member, StringConstraints

from schemas.base import Model

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Filters(Model):
    """What an export lets through. An empty or unset member lets everything through."""

    document_types: tuple[Word, ...] | None = Member(default=None, max_length=50)
    """Any of these types."""
    tags: tuple[Word, ...] | None = Member(default=None, max_length=50)
    """At least one of these tags."""
    issued_from: date | None = None
    """Issued on this day or later; a document without an issue date does not pass."""
    approved_only: bool = False


Start = Literal["now", "all"] | date
"""From when on: what is received after the save, everything, or what was received since a day (its start in UTC)."""
