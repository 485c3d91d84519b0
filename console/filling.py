"""A form about a connection: what it says, what it is filled in with, what is otherwise by now. Pure.

Whether the options are right, connections decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from pydantic import ValidationError

from console import schedules
from console.spoken import Spoken
from schemas.fields import Field, FieldError
from schemas.filters import Filters
from schemas.schedules import Schedule
from web.fields import read
from web.forms import Form, first
from web.languages import _

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Filled:
    """What a form says about a connection, and what is wrong with it already."""

    options: dict[str, Any]
    schedule: Schedule | None
    filters: Filters | None
    name: str
    start: Any
    errors: tuple[FieldError, ...]


def fill(fields: Sequence[Field], form: Form, spoken: Spoken) -> Filled:
    """What a form says; whether the options are right, connections decides."""
    chosen = schedules.read(form, spoken)
    errors = list(chosen.errors)
    start = first(form, "start") or "now"
    if start == "day":
        start = first(form, "start_day")
        if day(start) is None:
            told = spoken.said(_("Choose a day."))
            errors.append(FieldError(field="start_day", code="date", message=told))
    filters = None
    if "document_types" in form:
        try:
            filters = Filters(
                document_types=tuple(words(first(form, "document_types"))) or None,
                tags=tuple(words(first(form, "tags"))) or None,
                issued_from=day(first(form, "issued_from")),
                approved_only=bool(first(form, "approved_only")),
            )
        except ValidationError:
            told = spoken.said(_("Give at most 50 words, separated by commas."))
            errors.append(FieldError(field="document_types", code="long", message=told))
    name = first(form, "name").strip()
    if len(name) > 120:
        told = spoken.said(_("A name has at most 120 characters."))
        errors.append(FieldError(field="name", code="long", message=told))
    return Filled(read(fields, form), chosen.schedule, filters, name, start, tuple(errors))


def differences(now: Json, filled: Filled, fields: Sequence[Field], spoken: Spoken) -> list[tuple[str, str]]:
    """What is otherwise by now than this form says: its label, and what it is now."""
    found = []
    if filled.name and filled.name != now["name"]:
        found.append((spoken.said(_("Name")), now["name"]))
    stored = Schedule.model_validate(now["schedule"])
    if filled.schedule is not None and filled.schedule != stored:
        found.append((spoken.said(_("Interval")), schedules.in_words(stored, spoken)))
    for field in fields:
        value = now["options"].get(field.name)
        if str(filled.options.get(field.name, "")) != str(value if value is not None else ""):
            found.append((field.label, str(value if value is not None else "–")))
    return found


def stored(it: Json) -> Json:
    """What a form is filled in with: what was chosen before."""
    filters, start = it["filters"], it["start"]
    since = start not in ("now", "all")
    return {
        "name": it["name"],
        "start": "day" if since else start,
        "start_day": start if since else "",
        "export_now": False,
        "filters": {
            "document_types": ", ".join(filters.get("document_types") or ()),
            "tags": ", ".join(filters.get("tags") or ()),
            "issued_from": filters.get("issued_from") or "",
            "approved_only": "true" if filters.get("approved_only") else "",
        },
        "interval": schedules.values(Schedule.model_validate(it["schedule"]), it["schedule"]["timezone"]),
    }


def as_form(fields: Sequence[Field], options: Json, values: Json) -> Form:
    """The form as it is first shown, for its preview."""
    chosen = {field.name: options.get(field.name, field.default) for field in fields}
    told = {**chosen, **values["filters"], "start": values["start"], "start_day": values["start_day"]}
    return {name: [str(value)] for name, value in told.items() if value not in (None, "", [])}


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
