"""When a schedule is due: every form, any time zone, quiet hours, a stable delay. Pure; time is an argument.

Clock times follow Debian's cron: one that a change of clocks skips comes when the gap ends, one that comes
twice counts the first time; what runs every few minutes runs on through both. Whole days of `every` keep
the time of day; shorter ones keep the distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import count, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim

from schemas.schedules import WEEKDAYS, Quiet, Schedule, interval

JITTER = 0.05
MOST_JITTER = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_CHAIN = timedelta(days=8)
"""Quiet hours repeat weekly: what they cover for longer than this, they cover for ever."""
_SAMPLE = 10


def following(schedule: Schedule, anchor: datetime, after: datetime) -> datetime | None:
    """The first time after `after` (UTC) at which it is due; None where it never is by itself.

    `anchor` is when the schedule was saved: `every` counts from there, and never before one interval later.
    Times within quiet hours come when those end, several of them once.
    """
    if schedule.every is not None:
        found = None if schedule.manual else _every(schedule, anchor, after)
    else:
        found = _clock(schedule, after.replace(second=0, microsecond=0))
    return found and out_of_quiet(schedule, found)


def upcoming(schedule: Schedule, anchor: datetime, after: datetime, most: int = 2) -> list[datetime]:
    """The next `most` due times after `after`, soonest first."""
    found: list[datetime] = []
    while len(found) < most and (after_ := following(schedule, anchor, after)):
        found.append(after := after_)
    return found


def missed(schedule: Schedule, anchor: datetime, due_at: datetime, now: datetime) -> bool:
    """Whether a due time after `due_at` has passed too, so that this one catches up for several."""
    later = following(schedule, anchor, due_at)
    return later is not None and later <= now


def delay(connection_id: str, schedule: Schedule, anchor: datetime) -> timedelta:
    """How much later than due this connection is woken: always the same, ≤ 5 % of its shortest gap, ≤ 5 min.

    It spreads those that are due at the same minute.
    """
    times = upcoming(schedule, anchor, anchor, _SAMPLE)
    gaps = [after - before for before, after in pairwise(times)]
    if not gaps:
        return timedelta(0)
    share = int.from_bytes(blake2b(connection_id.encode(), digest_size=4).digest()) / 2**32
    most = min(JITTER * min(gaps), MOST_JITTER)
    return timedelta(milliseconds=int(share * most / timedelta(milliseconds=1)))


def out_of_quiet(schedule: Schedule, at: datetime) -> datetime | None:
    """`at`, or the end of the quiet hours that it falls in; None where these never end."""
    moved: datetime | None = at
    while moved is not None and (end := _quiet_end(schedule, moved)):
        moved = end if end - at <= _CHAIN else None
    return moved


def _every(schedule: Schedule, anchor: datetime, after: datetime) -> datetime:
    step = _step(schedule.every or "")
    if step % DAY or "T" in (schedule.every or ""):
        return anchor + max((after - anchor) // step + 1, 1) * step
    zone = ZoneInfo(schedule.timezone)
    begin = anchor.astimezone(zone).replace(tzinfo=None)
    passed = (after.astimezone(zone).replace(tzinfo=None) - begin) // step
    return next(at for k in count(max(passed, 1)) if (at := _instant(begin + k * step, zone)) > after)


_step = lru_cache(1024)(interval)


@lru_cache(4096)
def _clock(schedule: Schedule, after: datetime) -> datetime | None:
    """The next time by the clock. `after` is a whole minute, as these times are: many ask for the same."""
    local = after.astimezone(ZoneInfo(schedule.timezone))
    found = [at for cron in _crons(schedule) if (at := _next_of(cron, local)) is not None]
    return min(found, default=None)


def _next_of(cron: str, local: datetime) -> datetime | None:
    # In the hour that comes twice, CronSim goes on from the first one: skip what is past.
    later = (at.astimezone(UTC) for at in CronSim(cron, local))
    return next((at for at in later if at > local), None)


def _crons(schedule: Schedule) -> Iterator[str]:
    """As cron expressions. Where a month has no 29th, 30th or 31st, its last day stands in."""
    if schedule.cron is not None:
        yield schedule.cron
        return
    hour, minute = (int(part) for part in (schedule.at or "").split(":"))
    on = schedule.on or ()
    weekdays = [str(WEEKDAYS.index(day) + 1) for day in on if isinstance(day, str)]
    days = [day for day in on if isinstance(day, int)]
    months = ",".join("L" if day == 31 else str(day) for day in days)
    yield f"{minute} {hour} {months or '*'} * {','.join(weekdays) or '*'}"
    if not {29, 30}.isdisjoint(days):
        yield f"{minute} {hour} L 2 *"


def _quiet_end(schedule: Schedule, at: datetime) -> datetime | None:
    if not schedule.quiet:
        return None
    zone = ZoneInfo(schedule.timezone)
    local = at.astimezone(zone).replace(tzinfo=None)
    ends = [
        end
        for quiet in schedule.quiet
        for day in (local.date(), local.date() - DAY)
        if (end := _end_of(quiet, day, local))
    ]
    if not ends:
        return None
    end = _instant(max(ends), zone)
    return end if end > at else max(ends).replace(tzinfo=zone, fold=1).astimezone(UTC)


def _end_of(quiet: Quiet, day: date, local: datetime) -> datetime | None:
    """When the quiet hours that begin on `day` end, if `local` is within them."""
    if quiet.on and WEEKDAYS[day.weekday()] not in quiet.on:
        return None
    begin = datetime.combine(day, time.fromisoformat(quiet.from_))
    end = datetime.combine(day, time.fromisoformat(quiet.to))
    end += DAY if end <= begin else timedelta(0)
    return end if begin <= local < end else None


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a clock time: the end of the gap if it is skipped, the first one if it comes twice."""
    while (found := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(
        tzinfo=None
    ) != local:
        local = local.replace(second=0, microsecond=0) + MINUTE
    return found
