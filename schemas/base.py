"""What every model of the vocabulary has in common. No domain word here."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field as Member,
    PlainSerializer,
    StringConstraints,
)


class Model(BaseModel):
    """Frozen, tolerant of members it does not know, and silent about its input in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    def wire(self) -> dict[str, Any]:
        """As JSON-able members, as they travel. An unset `Maybe` member is left out; others are null."""
        return self.model_dump(mode="json", by_alias=True)


T = TypeVar("T")


def _unset(value: object) -> bool:
    return value is None


Maybe = Annotated[T | None, Member(exclude_if=_unset)]
"""A member that is left out where there is nothing to say."""


class Lenient(StrEnum):
    """A closed list that may grow: readers take a value they do not know as `other`."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls("other") if isinstance(value, str) and value != "other" else None


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC: `2026-11-22T16:30:00.123Z`, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _in_utc(moment: datetime) -> datetime:
    """UTC, to the millisecond: what MongoDB keeps, so that a stored time equals a published one."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[
    AwareDatetime, AfterValidator(_in_utc), PlainSerializer(rfc3339, return_type=str, when_used="json")
]
"""An instant: RFC 3339 with an offset, kept in UTC to the millisecond."""

Day = date
"""A calendar day, not an instant: `2026-11-22`."""

Amount = Annotated[str, StringConstraints(pattern=r"^-?\d{1,18}(\.\d{1,6})?$")]
"""A decimal amount as text: `119.00`."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
"""SHA-256 in lower-case hex."""


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _canonical(value: str) -> str:
    if _UUID.fullmatch(value):  # nearly all are; to take it apart and put it together takes ten times as long
        return value
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a UUID, such as 7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10") from None


ConnectionId = Annotated[str, AfterValidator(_canonical), Member(json_schema_extra={"format": "uuid"})]
"""A connection's id: a UUID chosen by the asker, in canonical lower case."""

AccountId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/]+$")]
"""A customer of the platform. Opaque; holds no slash and no control character."""

DocumentId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/]+$")]
"""A document of the platform. Opaque; holds no slash and no control character."""

_PROVIDER_ID = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
ProviderId = Annotated[str, StringConstraints(pattern=_PROVIDER_ID.pattern, max_length=64)]
"""A provider's id: lower-case words joined by hyphens."""

Text = Annotated[str, StringConstraints(max_length=2000)]
"""A sentence or a few, for people."""
