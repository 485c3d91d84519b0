"""What was filled in, held against its fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from connections.lifecycle.values import checked
from kit.endings import Refused
from schemas.fields import Choice, Field, FieldType

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def field(kind: str = "text", **members: Any) -> Field:
    return Field(name="x", label="X", type=FieldType(kind), **members)


@pytest.mark.parametrize(
    ("shape", "raw", "kept"),
    [
        (field(), "  a ", "a"),
        (field("password", secret=True), "  a ", "  a "),
        (field("integer", min=1, max=9), "7", 7),
        (field("number"), "1.5", 1.5),
        (field("boolean"), "on", True),
        (field("date"), "2026-01-31", "2026-01-31"),
        (field("url"), "https://dav.example.org:8443/x", "https://dav.example.org:8443/x"),
        (field("code"), "12 34-56", "123456"),
        (field("folder"), "Invoices/2026", "/Invoices/2026"),
        (field("choice", choices=(Choice(value="a", label="A"),)), "a", "a"),
        (field("choices", choices=(Choice(value="a", label="A"),)), ["a"], ["a"]),
        (field(default="d"), None, None),
        (field(pattern=r"\d+"), "42", "42"),
        (field(pattern=r"\d+"), "4" * 500, "4" * 500),
    ],
)
def test_what_keeps_its_rules_is_kept(shape: Field, raw: Any, kept: Any) -> None:
    assert checked([shape], {"x": raw}, "en") == ({} if kept is None else {"x": kept})


def test_what_is_left_out_has_its_default() -> None:
    assert checked([field(default="d")], {}, "en") == {"x": "d"}


@pytest.mark.parametrize(
    ("shape", "raw", "code"),
    [
        (field(required=True), "", "missing"),
        (field(required=True), "   ", "missing"),
        (field(), 7, "text"),
        (field(), "a" * 20_001, "long"),
        (field(pattern="a+b?"), "a" * 501, "long"),
        (field("integer"), "1.5", "number"),
        (field("integer"), True, "number"),
        (field("number"), "nan", "number"),
        (field("integer", min=1, max=65535), 70_000, "range"),
        (field("boolean", required=True), False, "missing"),
        (field("date"), "31.1.2026", "date"),
        (field("url"), "ftp://x", "url"),
        (field("url"), "https://jane:secret@x", "url_plain"),
        (field("url"), "https://[::1", "url"),
        (field("folder"), "/a/../b", "folder"),
        (field("choice", choices=(Choice(value="a", label="A"),)), "b", "choice"),
        (field(pattern=r"\d+"), "4x", "pattern"),
    ],
)
def test_what_breaks_its_rules_is_told_by_field_and_not_repeated(shape: Field, raw: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked([shape], {"x": raw}, "en")

    (error,) = refused.value.errors
    assert (error.field, error.code) == ("x", code)
    assert "jane:secret" not in error.message


def test_the_manifests_own_message_is_said() -> None:
    shape = field(pattern=r"\d+", pattern_message="Digits only, please.")
    with pytest.raises(Refused) as refused:
        checked([shape], {"x": "no"}, "de")
    assert refused.value.errors[0].message == "Digits only, please."


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ({}, {"after": "nothing"}),
        ({"after": "move", "to": "7"}, {"after": "move", "to": "7"}),
        ({"after": "nothing", "to": "not a number"}, {"after": "nothing"}),
        ({"after": "nothing", "key": "k", "word": "w"}, {"after": "nothing", "key": "k", "word": "w"}),
        ({"after": "nothing", "word": "w"}, {"after": "nothing"}),
    ],
)
def test_what_does_not_go_with_the_other_values_is_neither_asked_for_nor_read(
    given_: dict[str, Any], kept: dict[str, Any]
) -> None:
    fields = [
        Field(name="after", label="After", default="nothing"),
        field("integer", required=True, depends_on=("after",), shown_when={"after": ("move",)}).model_copy(
            update={"name": "to"}
        ),
        Field(name="key", label="Key"),
        Field(name="word", label="Word", depends_on=("key",)),
    ]
    values = checked(fields, given_, "en")

    assert {name: str(value) for name, value in values.items()} == kept


def test_a_field_that_counts_beside_the_value_given_is_asked_for() -> None:
    to = Field(name="to", label="To", required=True, depends_on=("after",), shown_when={"after": ("move",)})
    with pytest.raises(Refused) as refused:
        checked([Field(name="after", label="After"), to], {"after": "move"}, "en")

    assert [error.field for error in refused.value.errors] == ["to"]


@given(kind=st.sampled_from(list(FieldType)), raw=ANYTHING, required=st.booleans())
def test_whatever_is_filled_in_it_is_kept_or_refused(kind: FieldType, raw: Any, required: bool) -> None:  # noqa: FBT001 - hypothesis fills it in
    shape = Field(name="x", label="X", type=kind, required=required)
    try:
        values = checked([shape], {"x": raw}, "fr")
    except Refused:
        return
    assert set(values) <= {"x"}
    assert not required or values
