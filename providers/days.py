"""Days that an import may begin with, each with how many things a source then lists. What is imported is
decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from providers.sources import Source
from schemas.fields import Choice


async def days(source: Source, query: str, today: date) -> list[Choice]:
    """The day of `query` (ISO 8601), else usual ones, newest first; no number where counting is too dear.

    Raises:
        ProviderError: as `Source.count`.
    """
    found = []
    for day in _asked(query) or _usual(today):
        number = await source.count(datetime.combine(day, time.min, UTC))
        said = "" if number is None else f" ({number})"
        found.append(Choice(value=day.isoformat(), label=f"{day.isoformat()}{said}"))
    return found


def _asked(query: str) -> Sequence[date]:
    with suppress(ValueError):
        return [date.fromisoformat(query)]
    return []


def _usual(today: date) -> Sequence[date]:
    """Today, a month ago, the beginning of this year and of the last one."""
    usual = {today, today - timedelta(days=30), date(today.year, 1, 1), date(today.year - 1, 1, 1)}
    return sorted(usual, reverse=True)
