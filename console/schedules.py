"""Schedules as people choose and read them: a form's fields into a schedule, a schedule into words. Pure.

Computing times is sync-runner's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError

from console.spoken import Spoken
from schemas.fields import FieldError
from schemas.schedules import WEEKDAYS, Schedule
from web.forms import Form, first
from web.languages import _

RHYTHMS = {
    "manual": _("Only when I ask for it"),
    "minutes": _("Every few minutes"),
    "hours": _("Every few hours"),
    "days": _("Every few days"),
    "daily": _("Every day"),
    "weekly": _("On days of the week"),
    "monthly": _("On days of the month"),
    "cron": _("As a cron expression"),
    "other": _("As it is now"),
}
ZONES = (
    "UTC", "Europe/Paris", "Europe/Berlin", "Europe/London", "Europe/Zurich", "Europe/Vienna",
    "Europe/Madrid", "Europe/Rome", "Europe/Brussels", "Europe/Amsterdam", "Europe/Luxembourg",
    "Europe/Lisbon", "Europe/Dublin", "Europe/Warsaw", "Europe/Prague", "Europe/Stockholm",
    "Europe/Copenhagen", "Europe/Oslo", "Europe/Helsinki", "Europe/Athens", "Europe/Bucharest",
    "Europe/Istanbul", "Africa/Casablanca", "Africa/Tunis", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Montreal", "America/Sao_Paulo", "Asia/Dubai",
    "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip
"""Offered in the list; the one that a schedule or a browser has is offered too."""
MINUTES = (5, 10, 15, 20, 30, 45)
DAYS = (1, 2, 3, 7, 14, 28)
HOURS = (1, 2, 3, 4, 6, 8, 12)
QUIET = ("quiet_from", "quiet_to", "quiet_on")
"""A quiet period's fields, each as often as there are periods; its days are joined by blanks."""
MOST_QUIET = 20
USUAL = {
    "rhythm": "daily",
    "at": "02:30",
    "minutes": "15",
    "hours": "1",
    "days": "1",
    "every": "",
    "weekdays": ["mo"],
    "monthdays": "1",
}
UNFIT = {
    "at": _("Give a time of day, such as 02:30."),
    "weekdays": _("Choose at least one day."),
    "monthdays": _("Give days from 1 to 31, such as 1, 15."),
    "cron": _("Give a cron expression of five fields, such as 30 2 * * 1-5."),
    "timezone": _("Choose a time zone."),
    "quiet_from": _("Give both times, such as 22:00 and 06:00, or none."),
}
"""What is wrong with a field, in words of ours."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a form says about the interval: a schedule, or what is wrong with it."""

    schedule: Schedule | None
    errors: tuple[FieldError, ...]


def read(form: Form, spoken: Spoken) -> Chosen:
    """The schedule that a form says; its errors name the form's own fields."""
    rhythm = first(form, "rhythm")
    members: dict[str, Any] = {"timezone": first(form, "timezone") or "UTC"}
    if rhythm in ("daily", "weekly", "monthly"):
        members["at"] = first(form, "at")
    elif rhythm == "cron":
        members["cron"] = " ".join(first(form, "cron").split())
    else:
        members["every"] = _length(form, rhythm)
    if rhythm == "weekly":
        members["on"] = [day for day in form.get("weekdays", []) if day]
    if rhythm == "monthly":
        members["on"] = [int(day) for day in re.findall(r"\d{1,4}", first(form, "monthdays"))]
    if quiet := _quiet(form, rhythm):
        members["quiet"] = quiet
    try:
        return Chosen(Schedule.model_validate(members), ())
    except ValidationError as invalid:
        fields = dict.fromkeys(_field(error["loc"], rhythm) for error in invalid.errors(include_input=False))
        return Chosen(None, tuple(_unfit(field, spoken) for field in fields))


def _length(form: Form, rhythm: str) -> str:
    """The ISO 8601 duration that a form says; `other` is one that only an event could say before."""
    match rhythm:
        case "minutes":
            return f"PT{first(form, 'minutes')}M"
        case "hours":
            return f"PT{first(form, 'hours')}H"
        case "days":
            return f"P{first(form, 'days')}D"
        case "other":
            return first(form, "every")
        case _:
            return "manual"


def _quiet(form: Form, rhythm: str) -> list[dict[str, Any]]:
    """Every quiet period that a form says; a row without times is none. By hand, half a one is too."""
    rows = zip_longest(*(form.get(name, []) for name in QUIET), fillvalue="")
    enough = all if rhythm == "manual" else any
    return [
        {"from": begin, "to": end} | ({"on": days.split()} if days else {})
        for begin, end, days in rows
        if enough((begin, end))
    ]


def refused(errors: Sequence[FieldError], spoken: Spoken) -> list[FieldError]:
    """What a service says about a schedule, beside the form's field that it is about."""
    return [
        _unfit(_field(tuple(error.field.split(".")[1:]), ""), spoken)
        for error in errors
        if error.field.split(".")[0] == "schedule"
    ]


def _field(loc: Sequence[int | str], rhythm: str) -> str:
    """The form's field that a member of a schedule was filled in at."""
    member = str(loc[0]) if loc else ""
    if member == "on" or not member:
        return "weekdays" if rhythm == "weekly" else "monthdays"
    return {"quiet": "quiet_from", "every": "rhythm"}.get(member, member)


def _unfit(field: str, spoken: Spoken) -> FieldError:
    words = UNFIT.get(field, _("This interval cannot be used."))
    return FieldError(field=field, code="schedule", message=spoken.said(words))


def values(schedule: Schedule | None, zone: str) -> dict[str, Any]:
    """What a form about this schedule is filled in with; None is one that was never chosen."""
    if schedule is None:
        return USUAL | {"timezone": zone, "cron": "", "quiet_from": [], "quiet_to": [], "quiet_on": []}
    told = USUAL | {
        "timezone": schedule.timezone,
        "cron": schedule.cron or "",
        "at": schedule.at or USUAL["at"],
        "quiet_from": [quiet.from_ for quiet in schedule.quiet],
        "quiet_to": [quiet.to for quiet in schedule.quiet],
        "quiet_on": [" ".join(quiet.on or ()) for quiet in schedule.quiet],
    }
    return told | _rhythm(schedule)


def of_form(form: Form) -> dict[str, Any]:
    """What was filled in, as it was."""
    several = {name: list(form.get(name, [])) for name in ("weekdays", *QUIET)}
    return {name: first(form, name) for name in values(None, "UTC")} | several


def quiet_rows(values: Mapping[str, Any], spoken: Spoken) -> list[tuple[str, str, str, str]]:
    """A form's quiet periods: times, days as they are sent back, and in words; and a blank one."""
    filled = [row for row in zip_longest(*(values[name] for name in QUIET), fillvalue="") if any(row[:2])]
    rows = [*filled, ("", "", "")] if len(filled) < MOST_QUIET else filled
    return [(begin, end, days, _days(days.split(), spoken)) for begin, end, days in rows]


def _days(days: Sequence[str], spoken: Spoken) -> str:
    known = sorted(WEEKDAYS.index(day) for day in days if day in WEEKDAYS)
    return spoken.listed([spoken.weekday(index) for index in known])


def _rhythm(schedule: Schedule) -> dict[str, Any]:
    if schedule.cron is not None:
        return {"rhythm": "cron"}
    if schedule.at is not None:
        on = schedule.on or ()
        if not on:
            return {"rhythm": "daily"}
        if isinstance(on[0], str):
            return {"rhythm": "weekly", "weekdays": list(on)}
        return {"rhythm": "monthly", "monthdays": ", ".join(map(str, on))}
    return _lasts(schedule.every or "manual")


def _lasts(every: str) -> dict[str, Any]:
    """The rhythm of a duration."""
    if every == "manual":
        return {"rhythm": "manual"}
    found = re.fullmatch(r"P(?:T(\d+)([MH])|(\d+)([DW]))", every)
    if found is None:
        return {"rhythm": "other", "every": every}
    if found[1]:
        rhythm = "minutes" if found[2] == "M" else "hours"
        return {"rhythm": rhythm, rhythm: found[1]}
    return {"rhythm": "days", "days": str(int(found[3]) * (7 if found[4] == "W" else 1))}


def in_words(schedule: Schedule, spoken: Spoken) -> str:
    """`every day at 02:30, Paris time`."""
    told = _when(schedule, spoken)
    if schedule.manual:
        return told
    if schedule.at is not None or schedule.cron is not None:
        place = spoken.place(schedule.timezone)
        told = spoken.said(_("%(when)s, %(place)s time"), when=told, place=place)
    for quiet in schedule.quiet:
        times = {"begin": _clock(quiet.from_, spoken), "end": _clock(quiet.to, spoken)}
        told = spoken.said(_("%(when)s, quiet from %(begin)s to %(end)s"), when=told, **times)
    return told


def _when(schedule: Schedule, spoken: Spoken) -> str:
    if schedule.cron is not None:
        return spoken.said(_("by the cron expression %(cron)s"), cron=schedule.cron)
    if schedule.at is None:
        return _every(schedule.every or "manual", spoken)
    at = _clock(schedule.at, spoken)
    on = schedule.on or ()
    if not on:
        return spoken.said(_("every day at %(at)s"), at=at)
    if isinstance(on[0], str):
        days = [spoken.weekday(WEEKDAYS.index(str(day))) for day in sorted(on, key=_weekday)]
        return spoken.said(_("on %(days)s at %(at)s"), days=spoken.listed(days), at=at)
    days = [str(day) for day in on]
    return spoken.said(_("on day %(days)s of the month at %(at)s"), days=spoken.listed(days), at=at)


def _weekday(day: int | str) -> int:
    return WEEKDAYS.index(str(day))


def _every(every: str, spoken: Spoken) -> str:
    if every == "manual":
        return spoken.said(_("only when you ask for it"))
    found = re.fullmatch(r"P(?:(\d+)W|(\d+)D|T(\d+)H|T(\d+)M)", every)
    if found is None:
        return spoken.said(_("every %(length)s"), length=every)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    if days or weeks:
        return spoken.ngettext("every day", "every %(num)s days", days + 7 * weeks)
    if hours:
        return spoken.ngettext("every hour", "every %(num)s hours", hours)
    return spoken.ngettext("every minute", "every %(num)s minutes", minutes)


def _clock(text: str, spoken: Spoken) -> str:
    return spoken.clock(time.fromisoformat(text))
