"""Whatever is said of schedules, filters and patterns, it is taken within its limits or refused in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from schemas.filters import Filters
from schemas.patterns import WrongPattern, complaint, parse_filename, parse_folder
from schemas.schedules import LONGEST, SHORTEST, Schedule, interval
from sync_runner.lifecycle.times import upcoming

ANYTHING = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            -1,
            10**30,
            1.5,
            "",
            "x",
            "P1D",
            "manual",
            "02:30",
            "24:00",
            "* * * * *",
            "UTC",
            "\x00",
        ),
        *(
            [],
            [1],
            [32],
            ["mo"],
            ["mo", 1],
            [[]],
            {},
            {"from": "22:00"},
            {"from": "22:00", "to": "06:00"},
            [{}],
        ),
        *([{"from": "22:00", "to": "22:00", "on": ["su"]}], [{"from": "x", "to": None}], "2026-02-30"),
    ]
)
DURATIONS = st.from_regex(r"\AP(\d{0,5}[YMWD]){0,2}(T(\d{0,7}[HMS]){0,2})?\Z", fullmatch=True)
CRONS = st.lists(
    st.from_regex(r"\A(\*|\d{1,3}|[a-zA-Z]{1,3}|L|W|\?|#)([-/,#](\d{1,3}|\*|L))?\Z", fullmatch=True),
    min_size=0,
    max_size=7,
).map(" ".join)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Paris",
        "Mars/Base",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/\x00",
        "",
        "posixrules",
        "EUROPE/PARIS",
    ]
) | st.text(max_size=70)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def told(model: type[Any], members: Any) -> Any | None:
    """What it becomes; None where it is refused, in words."""
    try:
        return model.model_validate(members)
    except ValidationError as refused:
        said = refused.errors(include_input=False)
    assert all(error["msg"] for error in said)
    return None


@pytest.mark.parametrize(
    "every",
    [
        "PT0S",
        "PT0M",
        "P0D",
        "PT10S",
        "PT4M",
        "P1000Y",
        "P367D",
        "P99999D",
        "PT",
        "P",
        "",
        "-P1D",
        "P1M",
        "1 day",
    ],
)
def test_an_interval_of_nothing_of_seconds_or_of_centuries_is_refused_with_the_limits(every: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Schedule.model_validate({"every": every})

    assert "from 5 minutes (PT5M) to 366 days (P366D)" in str(refused.value)


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "", "../../etc/passwd", "/etc/localtime", "Europe/\x00", "E" * 65]
)
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Schedule.model_validate({"every": "P1D", "timezone": zone})

    (error,) = refused.value.errors()
    assert error["loc"] == ("timezone",)
    assert re.search("of the IANA list, such as Europe/Paris|at most 64 characters", error["msg"])


@given(DURATIONS)
def test_a_duration_that_is_taken_lies_within_the_limits(every: str) -> None:
    schedule = told(Schedule, {"every": every})

    if schedule is not None:
        assert SHORTEST <= interval(every) <= LONGEST


@settings(deadline=timedelta(seconds=2), max_examples=40)
@given(CRONS | st.text(max_size=30), ZONES)
def test_a_schedule_that_is_taken_comes_true(cron: str, zone: str) -> None:
    schedule = told(Schedule, {"cron": cron, "timezone": zone})

    if schedule is not None:
        assert all(time > NOW for time in upcoming(schedule, NOW, NOW, 2))


@given(
    st.dictionaries(st.sampled_from(["every", "at", "on", "cron", "timezone", "quiet"]), ANYTHING) | ANYTHING
)
def test_whatever_a_schedule_is_said_to_be_it_is_one_or_refused(members: Any) -> None:
    schedule = told(Schedule, members)

    if schedule is not None:
        assert told(Schedule, schedule.wire()) == schedule


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from([*Filters.model_fields, "other"]), ANYTHING) | ANYTHING)
def test_whatever_filters_are_said_to_be_they_are_some_or_refused(members: Any) -> None:
    filters = told(Filters, members)

    if filters is not None and filters.issued_from is not None:
        assert isinstance(filters.issued_from, date)


@given(st.text(max_size=60) | st.text(alphabet="{}/.~\\ filenmyear\x00", max_size=40))
def test_a_pattern_is_read_or_its_fault_is_told(pattern: str) -> None:
    for option, reads in (("filename", parse_filename), ("folder", parse_folder)):
        if complaint(option, pattern) is None:
            reads(pattern)
        else:
            with pytest.raises(WrongPattern, match=r"."):
                reads(pattern)
