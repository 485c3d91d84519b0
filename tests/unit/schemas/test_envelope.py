"""Bytes become one event, or say why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from schemas import connections
from schemas.envelope import MAX_EVENT_BYTES, InvalidData, NotAnEvent, Reader, UnknownType, Unreadable
from tests.sentences import says_what_to_do

ID = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10"
CANARY = "canary-7d1f"
READER = Reader(connections.REQUESTS)


def an_envelope(name: str = "ConnectionPauseRequested", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/platform",
        "type": f"paperbus.{name}.v1",
        "time": "2026-11-22T10:00:00+01:00",
        "subject": ID,
        "accountid": "a-1",
        "data": {"connection_id": ID, **data},
    }


def read(envelope: dict[str, Any]) -> Any:
    return READER.read(json.dumps(envelope).encode())


def test_two_events_with_the_same_members_are_told_apart_by_their_type() -> None:
    """A plain union would read a removal as a pause."""
    assert (
        type(read(an_envelope("ConnectionRemovalRequested")).data) is connections.ConnectionRemovalRequested
    )
    assert type(read(an_envelope("ConnectionPauseRequested")).data) is connections.ConnectionPauseRequested


def test_times_are_kept_in_utc_to_the_millisecond() -> None:
    assert read(an_envelope()).time.isoformat() == "2026-11-22T09:00:00+00:00"
    assert json.loads(read(an_envelope()).encoded())["time"] == "2026-11-22T09:00:00.000Z"


def test_members_that_are_not_known_are_ignored() -> None:
    assert read({**an_envelope(new="x"), "newer": 1}).data.connection_id == ID


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"specversion":"0.3"}',
        b"[" * 10_000,
        b"x" * (MAX_EVENT_BYTES + 1),
    ],
    ids=["tombstone", "empty", "binary", "null", "list", "no members", "old version", "deep", "too large"],
)
def test_what_is_no_cloud_event_is_said_to_be_none(raw: bytes | None) -> None:
    with pytest.raises(NotAnEvent) as refused:
        READER.read(raw)

    assert says_what_to_do(str(refused.value)), str(refused.value)


def test_an_event_of_exactly_the_largest_size_is_read() -> None:
    raw = json.dumps(an_envelope()).encode()

    assert READER.read(raw + b" " * (MAX_EVENT_BYTES - len(raw))).subject == ID


@pytest.mark.parametrize("name", ["Nothing", "ConnectionSaved"])
def test_a_type_that_this_topic_does_not_carry_is_unknown(name: str) -> None:
    with pytest.raises(UnknownType) as unknown:
        read(an_envelope(name))
    assert unknown.value.envelope.type == f"paperbus.{name}.v1"


def test_another_version_is_another_type() -> None:
    with pytest.raises(UnknownType) as refused:
        read({**an_envelope(), "type": "paperbus.ConnectionPauseRequested.v2"})

    assert says_what_to_do(str(refused.value)), str(refused.value)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"direction": CANARY, "provider_id": "x"}, "direction"),
        ({"direction": "export", "provider_id": f"../{CANARY}"}, "provider_id"),
        ({"direction": "export", "provider_id": "x", "schedule": {"every": "PT10S"}}, "schedule.every"),
        ({"direction": "export", "provider_id": "x", "schedule": {"every": "P1000Y"}}, "schedule.every"),
        ({"direction": "export", "provider_id": "x", "schedule": {"every": "PT0M"}}, "schedule.every"),
        (
            {"direction": "export", "provider_id": "x", "schedule": {"at": "02:30", "timezone": "Mars/Base"}},
            "schedule.timezone",
        ),
        ({"direction": "export", "provider_id": "x", "schedule": {}}, "schedule"),
        ({"direction": "export", "provider_id": "x", "start": CANARY}, "start"),
        ({"direction": "export", "provider_id": "x", "connection_id": CANARY}, "connection_id"),
    ],
)
def test_data_that_breaks_a_rule_names_the_field_and_never_shows_the_value(
    data: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidData) as invalid:
        read(an_envelope("ConnectionRequested", **data))

    assert [error.field for error in invalid.value.errors] == [field]
    assert CANARY not in str(invalid.value) + repr(invalid.value.errors)


def test_a_subject_that_is_not_the_connection_is_refused() -> None:
    with pytest.raises(InvalidData) as invalid:
        read({**an_envelope(), "subject": "another"})
    assert invalid.value.errors[0].field == "subject"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_whatever_is_sent_nothing_but_unreadable_is_raised(value: Any) -> None:
    for raw in (
        json.dumps(value).encode(),
        json.dumps({**an_envelope("ConnectionRequested"), "data": value}).encode(),
    ):
        with pytest.raises(Unreadable):
            READER.read(raw)
