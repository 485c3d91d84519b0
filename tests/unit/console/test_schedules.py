"""Intervals in words, in three languages, and back and forth between a form and a schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.schedules import in_words, read, values
from console.spoken import Spoken
from schemas.reasons import Locale
from schemas.schedules import Schedule
from web.languages import language

PARIS: dict[str, Any] = {"timezone": "Europe/Paris"}


def spoken(locale: Locale = "en") -> Spoken:
    return Spoken(language(locale), ZoneInfo("Europe/Paris"), datetime(2026, 11, 22, tzinfo=UTC))


GRID: list[tuple[dict[str, Any], str, str, str]] = [
    ({"every": "manual"}, "only when you ask for it", "seulement à votre demande", "nur auf Ihren Wunsch"),
    ({"every": "P1D"}, "every day", "tous les jours", "jeden Tag"),
    ({"every": "PT1H"}, "every hour", "toutes les heures", "jede Stunde"),
    ({"every": "PT15M"}, "every 15 minutes", "toutes les 15 minutes", "alle 15 Minuten"),
    ({"every": "P2W"}, "every 14 days", "tous les 14 jours", "alle 14 Tage"),
    (
        {"at": "02:30", **PARIS},
        "every day at 02:30, Paris time",
        "tous les jours à 02:30, heure de Paris",
        "jeden Tag um 02:30, Zeit von Paris",
    ),
    (
        {"at": "06:00", "on": ["fr", "mo"], **PARIS},
        "on Monday and Friday at 06:00, Paris time",
        "le lundi et vendredi à 06:00, heure de Paris",
        "am Montag und Freitag um 06:00, Zeit von Paris",
    ),
    (
        {"at": "06:00", "on": [1, 15]},
        "on day 1 and 15 of the month at 06:00, UTC time",
        "le 1 et 15 du mois à 06:00, heure de UTC",
        "am Tag 1 und 15 des Monats um 06:00, Zeit von UTC",
    ),
    (
        {"every": "PT2H", "quiet": [{"from": "22:00", "to": "06:00"}]},
        "every 2 hours, quiet from 22:00 to 06:00",
        "toutes les 2 heures, silence de 22:00 à 06:00",
        "alle 2 Stunden, Ruhe von 22:00 bis 06:00",
    ),
]


@pytest.mark.parametrize(("members", "english", "french", "german"), GRID)
def test_a_schedule_is_said_in_words(members: dict[str, Any], english: str, french: str, german: str) -> None:
    schedule = Schedule.model_validate(members)

    assert in_words(schedule, spoken("en")) == english
    assert in_words(schedule, spoken("fr")) == french
    assert in_words(schedule, spoken("de")) == german


@pytest.mark.parametrize(
    "members",
    [
        {"every": "manual"},
        {"every": "PT20M"},
        {"every": "PT6H"},
        {"every": "P1D"},
        {"every": "P1DT12H"},
        {"at": "02:30", **PARIS},
        {"at": "02:30", "on": ["mo", "su"]},
        {"at": "02:30", "on": [1, 31]},
        {"cron": "30 2 * * 1-5", **PARIS},
        {"at": "02:30", "quiet": [{"from": "22:00", "to": "06:00"}]},
        {
            "every": "PT1H",
            "quiet": [
                {"from": "22:00", "to": "06:00"},
                {"from": "12:00", "to": "14:00", "on": ["sa", "su"]},
                {"from": "08:00", "to": "09:00"},
            ],
        },
        {"every": "manual", "quiet": [{"from": "22:00", "to": "06:00"}]},
    ],
)
def test_a_form_that_is_sent_as_it_was_filled_in_says_the_same_schedule(members: dict[str, Any]) -> None:
    schedule = Schedule.model_validate(members)
    filled = values(schedule, "UTC")
    form = {name: value if isinstance(value, list) else [str(value)] for name, value in filled.items()}

    assert read(form, spoken()).schedule == schedule
