"""When a schedule is due: every form, daylight saving both ways by hand, quiet hours, the delay."""

# ruff: noqa: E501 - tables

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from schemas.schedules import Schedule
from sync_runner.lifecycle.times import MOST_JITTER, delay, following, missed, out_of_quiet, upcoming


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(text: str, zone: str = "UTC", **more: object) -> Schedule:
    """`every P1D`, `at 02:30 mo,fr`, `at 02:30 1,31`, `cron 30 2 * * *`."""
    form, _, rest = text.partition(" ")
    members: dict[str, object] = {"timezone": zone, **more}
    if form == "at":
        clock, _, days = rest.partition(" ")
        members["at"] = clock
        if days:
            members["on"] = [int(day) if day.isdigit() else day for day in days.split(",")]
    else:
        members[form] = rest
    return Schedule.model_validate(members)


# All times UTC. What the clocks do: Paris 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00; New York 8 March
# 02:00 -> 03:00, 1 November 02:00 -> 01:00; Lord Howe 4 October 02:00 -> 02:30, 5 April 02:00 -> 01:30.
DAYLIGHT_SAVING = """
Europe/Paris        | at 02:30          | 2026-03-28 00:00 | 2026-03-28 01:30, 2026-03-29 01:00, 2026-03-30 00:30
Europe/Paris        | at 02:30          | 2026-10-24 00:00 | 2026-10-24 00:30, 2026-10-25 00:30, 2026-10-26 01:30
Europe/Paris        | at 02:30          | 2026-10-25 01:10 | 2026-10-26 01:30, 2026-10-27 01:30
Europe/Paris        | at 12:00          | 2026-03-28 12:00 | 2026-03-29 10:00, 2026-03-30 10:00
Europe/Paris        | cron */30 * * * * | 2026-03-29 00:30 | 2026-03-29 01:00, 2026-03-29 01:30, 2026-03-29 02:00
Europe/Paris        | cron */30 * * * * | 2026-10-25 00:00 | 2026-10-25 00:30, 2026-10-25 01:00, 2026-10-25 01:30
Europe/Paris        | cron 0 2-3 * * *  | 2026-03-28 23:00 | 2026-03-29 01:00, 2026-03-30 00:00, 2026-03-30 01:00
Europe/Paris        | every P1D         | 2026-03-28 02:00 | 2026-03-29 01:00, 2026-03-30 00:30, 2026-03-31 00:30
Europe/Paris        | every P1D         | 2026-10-24 01:00 | 2026-10-25 00:30, 2026-10-26 01:30, 2026-10-27 01:30
Europe/Paris        | every PT24H       | 2026-03-28 02:00 | 2026-03-29 01:30, 2026-03-30 01:30
Europe/Paris        | every PT1H        | 2026-10-25 00:00 | 2026-10-25 00:30, 2026-10-25 01:30, 2026-10-25 02:30
America/New_York    | at 02:30          | 2026-03-07 08:00 | 2026-03-08 07:00, 2026-03-09 06:30
America/New_York    | at 01:30          | 2026-10-31 06:00 | 2026-11-01 05:30, 2026-11-02 06:30
America/New_York    | cron */30 * * * * | 2026-11-01 05:00 | 2026-11-01 05:30, 2026-11-01 06:00, 2026-11-01 06:30
Australia/Lord_Howe | at 02:15          | 2026-10-02 16:00 | 2026-10-03 15:30, 2026-10-04 15:15
Australia/Lord_Howe | at 01:45          | 2026-04-03 15:00 | 2026-04-04 14:45, 2026-04-05 15:15
Australia/Lord_Howe | cron */15 * * * * | 2026-10-03 15:00 | 2026-10-03 15:15, 2026-10-03 15:30, 2026-10-03 15:45
"""
ANCHOR = at("2026-01-01 01:30")


@pytest.mark.parametrize("line", DAYLIGHT_SAVING.strip().splitlines())
def test_daylight_saving_is_right_in_both_directions(line: str) -> None:
    zone, form, after, times = (part.strip() for part in line.split("|"))
    expected = [at(time.strip()) for time in times.split(",")]

    assert upcoming(schedule(form, zone), ANCHOR, at(after), len(expected)) == expected


FORMS = """
every PT15M           | 2026-11-22 10:00 | 2026-11-22 10:00 | 2026-11-22 10:15, 2026-11-22 10:30
every PT15M           | 2026-11-22 10:00 | 2026-11-22 13:01 | 2026-11-22 13:15, 2026-11-22 13:30
every P1D             | 2026-11-22 10:00 | 2026-11-22 10:00 | 2026-11-23 10:00, 2026-11-24 10:00
every P7D             | 2026-11-22 10:00 | 2026-12-01 10:00 | 2026-12-06 10:00, 2026-12-13 10:00
every P1DT12H         | 2026-11-22 10:00 | 2026-11-22 10:00 | 2026-11-23 22:00, 2026-11-25 10:00
at 02:30              | 2026-11-22 02:30 | 2026-11-22 02:30 | 2026-11-23 02:30, 2026-11-24 02:30
at 02:30 mo,fr        | 2026-11-22 00:00 | 2026-11-22 00:00 | 2026-11-23 02:30, 2026-11-27 02:30
at 02:30 su           | 2026-11-22 00:00 | 2026-11-22 00:00 | 2026-11-22 02:30, 2026-11-29 02:30
at 02:30 1,15         | 2026-11-22 00:00 | 2026-11-22 00:00 | 2026-12-01 02:30, 2026-12-15 02:30
at 02:30 31           | 2026-01-31 03:00 | 2026-01-31 03:00 | 2026-02-28 02:30, 2026-03-31 02:30, 2026-04-30 02:30
at 02:30 30           | 2026-01-30 03:00 | 2026-01-30 03:00 | 2026-02-28 02:30, 2026-03-30 02:30
at 02:30 29           | 2028-01-30 03:00 | 2028-01-30 03:00 | 2028-02-29 02:30, 2028-03-29 02:30
cron 30 2 * * 1-5     | 2026-11-21 00:00 | 2026-11-21 00:00 | 2026-11-23 02:30, 2026-11-24 02:30
"""


@pytest.mark.parametrize("line", FORMS.strip().splitlines())
def test_every_form_is_due_when_it_says(line: str) -> None:
    form, anchor, after, times = (part.strip() for part in line.split("|"))
    expected = [at(time.strip()) for time in times.split(",")]

    assert upcoming(schedule(form), at(anchor), at(after), len(expected)) == expected


def test_a_manual_schedule_is_never_due_by_itself() -> None:
    now = at("2026-11-22 10:00")

    assert following(schedule("every manual"), now, now) is None


NIGHT = [{"from": "22:00", "to": "06:00"}]
QUIET = """
every PT1H   | 22:00-06:00    |       | 2026-11-22 20:30 | 2026-11-22 21:00, 2026-11-23 06:00, 2026-11-23 07:00
at 23:00     | 22:00-06:00    |       | 2026-11-22 20:30 | 2026-11-23 06:00, 2026-11-24 06:00
every PT1H   | 12:00-13:00    | su    | 2026-11-22 11:30 | 2026-11-22 13:00, 2026-11-22 14:00
every PT1H   | 12:00-13:00    | mo    | 2026-11-22 11:30 | 2026-11-22 12:00, 2026-11-22 13:00
every PT1H   | 22:00-06:00    | sa    | 2026-11-22 04:30 | 2026-11-22 06:00, 2026-11-22 07:00
"""


@pytest.mark.parametrize("line", QUIET.strip().splitlines())
def test_what_falls_in_quiet_hours_comes_when_they_end_and_once(line: str) -> None:
    form, hours, days, after, times = (part.strip() for part in line.split("|"))
    begin, end = hours.split("-")
    quiet = {"from": begin, "to": end} | ({"on": days.split(",")} if days else {})
    expected = [at(time.strip()) for time in times.split(",")]

    found = upcoming(schedule(form, quiet=[quiet]), at("2026-11-01 00:00"), at(after), len(expected))

    assert found == expected


def test_quiet_hours_that_never_end_are_never_left() -> None:
    always = schedule("every PT1H", quiet=[{"from": "00:00", "to": "00:00"}])

    assert following(always, at("2026-11-22 10:00"), at("2026-11-22 10:00")) is None


def test_quiet_hours_end_by_the_clock_of_the_schedule_when_it_is_put_back() -> None:
    night = schedule("every PT1H", "Europe/Paris", quiet=NIGHT)

    assert out_of_quiet(night, at("2026-10-24 23:00")) == at("2026-10-25 05:00")


def test_a_due_that_was_followed_by_another_while_nobody_looked_catches_up() -> None:
    hourly, anchor = schedule("every PT1H"), at("2026-11-22 10:00")

    assert missed(hourly, anchor, at("2026-11-22 11:00"), at("2026-11-22 12:00"))
    assert not missed(hourly, anchor, at("2026-11-22 11:00"), at("2026-11-22 11:59"))


ZONES = ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
FORM = st.one_of(
    st.sampled_from(["every PT5M", "every PT7H", "every P1D", "every P3D", "every P1W", "cron 15 */2 * * *"]),
    st.builds("at {:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
    st.builds("at {:02}:30 {}".format, st.integers(0, 23), st.sampled_from(["mo", "sa,su", "1", "29,31"])),
)
QUIETS = st.lists(
    st.builds(
        lambda b, e: {"from": f"{b:02}:00", "to": f"{e:02}:30"}, st.integers(0, 23), st.integers(0, 23)
    ),
    max_size=2,
)
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - it wants them so


@given(FORM, st.sampled_from(ZONES), QUIETS, TIMES, st.timedeltas(timedelta(0), timedelta(days=500)))
def test_the_next_time_is_later_is_no_quiet_hour_and_nothing_lies_between(
    form: str, zone: str, quiet: list[dict[str, str]], anchor: datetime, passed: timedelta
) -> None:
    chosen, after = schedule(form, zone, quiet=quiet), anchor + passed

    found = following(chosen, anchor, after)

    assert found == following(chosen, anchor, after)
    if found is not None:
        assert found > after
        assert out_of_quiet(chosen, found) == found
        between = after + (found - after) / 2
        if out_of_quiet(chosen, between) == between:
            assert following(chosen, anchor, between) == found


@given(FORM, st.uuids(), TIMES)
def test_the_delay_is_stable_and_small(form: str, id_: object, anchor: datetime) -> None:
    chosen = schedule(form)
    wait = delay(str(id_), chosen, anchor)

    assert wait == delay(str(id_), chosen, anchor)
    assert timedelta(0) <= wait <= MOST_JITTER
    first, second = upcoming(chosen, anchor, anchor)
    assert wait <= (second - first) * 0.05


def test_delays_spread_those_that_are_due_together() -> None:
    anchor = at("2026-11-22 10:00")
    waits = [delay(f"connection-{n}", schedule("every PT1H"), anchor) for n in range(300)]

    assert max(waits) > timedelta(minutes=2, seconds=30)
    assert min(waits) < timedelta(seconds=10)
    assert len(set(waits)) > 290
