"""Which documents a connection wants, and from when. Shapes; judging a document by them is sync-runner's."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    Field as Member,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from schemas.base import Maybe, Model

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Filters(Model):
    """What an export lets through. An empty or unset member lets everything through."""

    document_types: Maybe[tuple[Word, ...]] = Member(default=None, max_length=50)
    """Any of these types."""
    tags: Maybe[tuple[Word, ...]] = Member(default=None, max_length=50)
    """At least one of these tags."""
    issued_from: Maybe[date] = None
    """Issued on this day or later; a document without an issue date does not pass."""
    approved_only: bool = False


def _start(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value)
    except ValidationError:
        raise ValueError("must be `now`, `all` or a day such as 2026-01-31") from None


Start = Annotated[Literal["now", "all"] | date, WrapValidator(_start)]
"""From when on: what is received after the save, all, or what was received since a day (in UTC)."""
