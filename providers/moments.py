"""Dates as HTTP writes them (RFC 9110 §5.6.7). It knows no other form."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def moment(text: str | None) -> datetime | None:
    """A date of HTTP, in UTC; None where it is none, also none that fits into a calendar."""
    try:
        at = parsedate_to_datetime(text or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
