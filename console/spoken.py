"""Times, numbers and lists in words, in one language and one time zone. Pure; the time of day is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale as BabelLocale
from babel.dates import (
    format_date,
    format_skeleton,
    format_timedelta,
    get_day_names,
    get_timezone_location,
)
from babel.lists import format_list
from babel.numbers import format_decimal

from web.languages import Language, _

LONG_AGO = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One language, one zone, one moment."""

    language: Language
    zone: ZoneInfo
    now: datetime

    @property
    def locale(self) -> str:
        """How Babel writes times and numbers: English as in Europe."""
        return "en_GB" if self.language.locale == "en" else self.language.locale

    def said(self, message: str, /, **values: object) -> str:
        """A text of the catalogs."""
        return self.language.said(message, **values)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """A text that holds a number, `%(num)s`."""
        words = self.language.translations.ngettext(singular, plural, number)
        return words % {"num": self.number(number)}

    def number(self, number: float) -> str:
        return format_decimal(number, locale=self.locale)

    def listed(self, names: list[str]) -> str:
        """`a, b and c`."""
        return format_list(names, locale=self.locale)

    def moment(self, at: str | datetime) -> str:
        """`22 Nov 2026, 16:40`, in the zone of the page."""
        return f"{self._as(at, 'yMMMd')}, {self._as(at, 'Hm')}"

    def day(self, day: date) -> str:
        return str(format_date(day, "long", locale=self.locale))

    def clock(self, at: time) -> str:
        """`02:30`, in all our languages."""
        return f"{at:%H:%M}"

    def ago(self, at: str | datetime) -> str:
        """`5 minutes ago`, `in 3 hours`; a date where it is far."""
        local = self._local(at)
        apart = local - self.now.astimezone(self.zone)
        if abs(apart) > LONG_AGO:
            return str(format_date(local, "medium", locale=self.locale))
        if abs(apart) < timedelta(seconds=45):
            return (
                self.language.said(_("just now")) if apart <= timedelta(0) else self.language.said(_("now"))
            )
        return str(format_timedelta(apart, add_direction=True, locale=self.locale))

    def coming(self, at: str | datetime) -> str:
        """`Sunday 02:30`: a moment to come, as one says it."""
        return f"{self._as(at, 'MMMEd')}, {self._as(at, 'Hm')}"

    def weekday(self, index: int) -> str:
        """The name of a weekday, Monday being 0."""
        return str(get_day_names("wide", locale=self.locale)[index])

    def place(self, zone: str) -> str:
        """A time zone by its city: `Paris`."""
        if zone in ("UTC", "Etc/UTC"):
            return "UTC"
        return str(get_timezone_location(zone, locale=self.locale, return_city=True))

    def country(self, code: str) -> str:
        """A country's name."""
        return str(_countries(self.locale).get(code.upper(), code.upper()))

    def size(self, number: int | None) -> str:
        """`12 kB`."""
        if number is None:
            return ""
        for unit, step in (("MB", 1_000_000), ("kB", 1_000)):
            if number >= step:
                return f"{format_decimal(round(number / step, 1), locale=self.locale)}\u00a0{unit}"
        return f"{number}\u00a0B"

    def _as(self, at: str | datetime, skeleton: str) -> str:
        return str(format_skeleton(skeleton, self._local(at), locale=self.locale))

    def _local(self, at: str | datetime) -> datetime:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return moment.astimezone(self.zone)


@cache
def _countries(locale: str) -> Mapping[str, str]:
    """Countries' names by their codes; a page of providers asks for dozens."""
    found: Mapping[str, str] = BabelLocale.parse(locale).territories
    return found
