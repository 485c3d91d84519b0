"""Adding an account: import or export, which provider, how often. The login comes next, elsewhere."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from console import refusing, schedules
from console.asking import Asking
from console.doors import see
from console.looks import CATEGORIES
from console.services import Away, Declined, Json, NotThere, Services
from console.showing import Showing
from console.visits import Visit
from schemas.connections import ConnectionRequested
from schemas.schedules import WEEKDAYS, Schedule
from web.forms import Form, first, whole

DIRECTIONS = ("import", "export")
A_PAGE = 24
AS_TYPED = 12
"""The best of what is being typed: each key asks anew, and the rest is a click away."""
MOST_RECENT = 4
COUNTRIES = ("at", "be", "ch", "de", "dk", "es", "fi", "fr", "gb", "ie", "it", "lu", "nl", "no", "pl", "pt",
             "se", "us")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adding:
    """`/add…`."""

    services: Services
    asking: Asking
    showing: Showing

    async def direction(self, visit: Visit) -> Response:
        """Import or export?"""
        return self.showing.page(visit, "direction.html")

    async def search(self, visit: Visit) -> Response:
        """Which provider? With words, a category or a country; without any, all of them."""
        direction = _direction(visit)
        query = visit.request.query_params
        words = query.get("query", "").strip()[:200]
        asked: dict[str, Any] = {"direction": direction, "query": words, "locale": visit.locale}
        asked |= {name: query[name] for name in ("category", "country", "cursor") if query.get(name)}
        try:
            most = AS_TYPED if words and "cursor" not in asked else A_PAGE
            found = await self.services.search(visit.session, **asked, limit=most)
        except Declined:
            found = {"items": [], "next": None}
        browsing = not words and not query.get("category") and not query.get("cursor")
        return self.showing.page(
            visit,
            "search.html",
            direction=direction,
            words=words,
            category=query.get("category", ""),
            country=query.get("country", ""),
            found=found,
            recent=await self._recent(visit, direction) if browsing else [],
            categories={name: visit.spoken.said(text) for name, text in CATEGORIES.items()},
            countries=sorted((visit.spoken.country(code), code) for code in COUNTRIES),
        )

    async def interval(self, visit: Visit) -> Response:
        """How often? Before the login, so that nothing has to be said twice."""
        return await self._interval(visit, None, str(uuid.uuid4()))

    async def request(self, visit: Visit, form: Form) -> Response:
        """Ask for the connection, under an id that a second click of the same button has too."""
        direction, provider = _direction(visit), visit.request.path_params["provider"]
        connection_id = _id(first(form, "connection_id"))
        chosen = schedules.read(form, visit.spoken)
        if chosen.schedule is None:
            values = schedules.of_form(form)
            return await self._interval(visit, values, connection_id, chosen.errors)
        wanted = ConnectionRequested(
            connection_id=connection_id,
            direction="import" if direction == "import" else "export",
            provider_id=provider,
            schedule=chosen.schedule,
            locale=visit.locale,
        )
        outcome = await self.asking.ask(visit, wanted)
        if outcome.refused is not None:
            values = schedules.of_form(form)
            errors = refusing.errors(outcome.refused, visit.spoken)
            return await self._interval(visit, values, connection_id, errors)
        if outcome.done is None:
            return see("/", "later")
        return see(f"/accounts/{connection_id}/login")

    async def _interval(
        self, visit: Visit, values: Json | None, connection_id: str, errors: Any = ()
    ) -> Response:
        direction = _direction(visit)
        provider = await self.services.provider(
            visit.session, visit.request.path_params["provider"], visit.locale
        )
        if direction not in provider["directions"]:
            raise NotThere
        if values is None:
            values = _usual(visit, provider if direction == "import" else {})
        return self.showing.page(
            visit,
            "interval.html",
            status=422 if errors else 200,
            direction=direction,
            provider=provider,
            connection_id=connection_id,
            interval=interval_values(values, visit, errors),
            coming=await coming(self.services, visit, values),
            trouble=_general(errors),
        )

    async def _recent(self, visit: Visit, direction: str) -> list[Json]:
        """The providers that this account used last."""
        try:
            used = [one["provider_id"] for one in await self.services.connections(visit.session)]
            recent = list(dict.fromkeys(used))[: 2 * MOST_RECENT]
            asked = (self.services.provider(visit.session, id_, visit.locale) for id_ in recent)
            found = await asyncio.gather(*asked)
        except (Away, NotThere, Declined):
            return []
        fitting = [one for one in found if direction in one["directions"] and one["available"]]
        return fitting[:MOST_RECENT]


def interval_values(values: Json, visit: Visit, errors: Any = ()) -> Json:
    """What the template of an interval needs."""
    spoken = visit.spoken
    zones = list(dict.fromkeys((values["timezone"], str(spoken.zone), *schedules.ZONES)))
    return {
        "values": values,
        "errors": {error.field: error.message for error in reversed(list(errors))},
        "rhythms": {
            name: spoken.said(text)
            for name, text in schedules.RHYTHMS.items()
            if name != "other" or values["rhythm"] == "other"
        },
        "days": _offered(schedules.DAYS, values["days"]),
        "minutes": _offered(schedules.MINUTES, values["minutes"]),
        "hours": _offered(schedules.HOURS, values["hours"]),
        "quiet": schedules.quiet_rows(values, spoken),
        "weekdays": [(day, spoken.weekday(n)) for n, day in enumerate(WEEKDAYS)],
        "zones": [(zone, spoken.place(zone)) for zone in zones if _known(zone)],
    }


async def coming(services: Services, visit: Visit, values: Json) -> Json:
    """The interval in words, and its next two times; empty where it cannot be said."""
    form = {name: value if isinstance(value, list) else [str(value)] for name, value in values.items()}
    schedule = schedules.read(form, visit.spoken).schedule
    if schedule is None:
        return {"words": "", "times": []}
    return {
        "words": schedules.in_words(schedule, visit.spoken),
        "times": await next_times(services, visit, schedule),
    }


async def next_times(services: Services, visit: Visit, schedule: Schedule) -> list[str]:
    """The next two times in words; none where nobody can say."""
    try:
        times = await services.coming(visit.session, schedule.model_dump_json(by_alias=True))
    except (Away, Declined):
        return []
    return [visit.spoken.coming(at) for at in times]


def _offered(usual: tuple[int, ...], value: object) -> list[str]:
    """The usual numbers, and the one that is chosen."""
    chosen = whole(str(value))
    return [str(number) for number in sorted({*usual} | (set() if chosen is None else {chosen}))]


def _known(zone: str) -> bool:
    from zoneinfo import available_timezones

    return zone in available_timezones()


def _general(errors: Any) -> str | None:
    """What is about no field of the interval."""
    return next((error.message for error in errors if error.field == ""), None)


def _usual(visit: Visit, provider: Json) -> Json:
    """How often where nothing was chosen yet: as the provider says, else as the form has it."""
    told, zone = provider.get("schedule"), str(visit.spoken.zone)
    return schedules.values(Schedule.model_validate(told | {"timezone": zone}) if told else None, zone)


def _direction(visit: Visit) -> str:
    direction: str = visit.request.path_params["direction"]
    if direction not in DIRECTIONS:
        raise NotThere
    return direction


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())
