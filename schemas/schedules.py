"""Schedules: when a connection is due. Shapes and their limits; computing the next time is sync-runner's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field as Member, StringConstraints, model_validator

from schemas.base import Maybe, Model

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=366)
WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")

Weekday = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
MonthDay = Annotated[int, Member(ge=1, le=31)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day: `02:30`."""

_DURATION = re.compile(r"^P(?:(\d{1,4})W|(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?)?)$")


def interval(every: str) -> timedelta:
    """The length of an ISO 8601 duration of weeks, days, hours and minutes: `PT15M`, `P1D`, `P1DT12H`.

    Raises:
        ValueError: not such a duration, or under 5 minutes or over 366 days.
    """
    found = _DURATION.match(every)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not SHORTEST <= length <= LONGEST:
        raise ValueError("must be `manual` or an ISO 8601 duration from 5 minutes (PT5M) to 366 days (P366D)")
    return length


def _every(value: str) -> str:
    if value != "manual":
        interval(value)
    return value


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA list, such as Europe/Paris") from None
    return name


def _runs_some_day(expression: str) -> str:
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise ValueError(
            "must be a cron expression of five fields that comes true, such as 30 2 * * 1-5"
        ) from None
    if len(expression.split()) != 5:
        raise ValueError("must be a cron expression of five fields; seconds are not offered")
    return expression


TimeZone = Annotated[str, Member(max_length=64), AfterValidator(_known_zone)]


class Quiet(Model):
    """Hours in which nothing runs, in the schedule's zone; over midnight where `to` is not after `from`."""

    from_: Clock = Member(alias="from")
    to: Clock
    on: Maybe[tuple[Weekday, ...]] = None
    """The days on which it begins; unset is every day."""


class Schedule(Model):
    """When it is due: one of `every`, `at` (with `on`), `cron`, in a time zone, but for quiet hours."""

    every: Maybe[Annotated[str, Member(max_length=20), AfterValidator(_every)]] = None
    at: Maybe[Clock] = None
    on: Maybe[tuple[Weekday, ...] | tuple[MonthDay, ...]] = None
    cron: Maybe[Annotated[str, Member(max_length=100), AfterValidator(_runs_some_day)]] = None
    timezone: TimeZone = "UTC"
    quiet: tuple[Quiet, ...] = Member(default=(), max_length=20)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Schedule:
        said = [name for name in ("every", "at", "cron") if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError("must say exactly one of `every`, `at` and `cron`")
        if self.on is not None and (self.at is None or not self.on):
            raise ValueError("`on` goes with `at` and names at least one day")
        return self

    @property
    def manual(self) -> bool:
        """Whether nothing runs by itself."""
        return self.every == "manual"


NIGHT = Quiet.model_validate({"from": "21:00", "to": "07:00"})
"""Hours in which nobody is asked for a code, in the customer's zone. Long enough for Europe where that is not
known, and the schedule is in UTC."""
DAILY = Schedule(every="P1D")
"""What a connection gets when nothing is said, and its provider has no schedule of its own for imports."""
