"""Fields in forms: each type has its control, secrets are never shown again, forms are read by name."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from providers.logos import monogram
from schemas.fields import Choice, Field, FieldError, FieldType
from web.fields import read, shown
from web.pages import environment, hue, initials
from web.security import form_token, is_own_form, origin_of, policy

CHOICES = tuple(Choice(value=value, label=value.upper()) for value in "abcd")
CANARY = "canary-s3cret"


def rendered(field: Field, value: Any = None, error: str | None = None) -> str:
    errors = [FieldError(field=field.name, code="x", message=error)] if error else []
    [one] = shown([field], {} if value is None else {field.name: value}, errors)
    source = '{% from "fields.html" import field with context %}{{ field(one) }}'
    return environment(Path(__file__).parent, "en").from_string(source).render(one=one)


@pytest.mark.parametrize(
    ("made", "control"),
    [
        ({}, '<input id="field-x" name="x" type="text"'),
        ({"type": FieldType.PASSWORD, "secret": True}, 'type="password"'),
        ({"type": FieldType.TEXT, "secret": True}, '<textarea id="field-x" name="x"'),
        ({"type": FieldType.INTEGER}, 'inputmode="numeric"'),
        ({"type": FieldType.NUMBER}, 'inputmode="decimal"'),
        ({"type": FieldType.DATE}, 'type="date"'),
        ({"type": FieldType.URL}, 'type="url"'),
        ({"type": FieldType.CODE}, 'autocomplete="one-time-code"'),
        ({"type": FieldType.BOOLEAN}, '<input type="checkbox" id="field-x" name="x" value="true"'),
        ({"type": FieldType.CHOICE, "choices": CHOICES[:3]}, '<input type="radio" name="x" value="a"'),
        ({"type": FieldType.CHOICE, "choices": CHOICES}, '<select id="field-x" name="x"'),
        ({"type": FieldType.CHOICES, "choices": CHOICES}, '<input type="checkbox" name="x" value="d"'),
        ({"type": FieldType.FOLDER}, 'type="text"'),
        ({"type": FieldType.PATTERN}, 'type="text"'),
        ({"type": FieldType.OTHER}, 'type="text"'),
    ],
)
def test_each_type_has_its_control(made: dict[str, Any], control: str) -> None:
    assert control in rendered(Field(name="x", label="X", **made))


@pytest.mark.parametrize("kind", [FieldType.PASSWORD, FieldType.TEXT, FieldType.CODE, FieldType.CHOICE])
def test_a_secret_is_never_shown_again(kind: FieldType) -> None:
    field = Field(name="x", label="X", type=kind, secret=True, default=CANARY, choices=CHOICES)

    assert CANARY not in rendered(field, CANARY, "wrong")


def test_help_and_error_are_said_with_the_field() -> None:
    html = rendered(Field(name="x", label="X", help="Look it up."), error="is <wrong>")

    assert 'aria-describedby="field-x-help field-x-error"' in html
    assert 'aria-invalid="true"' in html
    assert "is &lt;wrong&gt;" in html


def test_what_was_typed_is_text_and_never_markup() -> None:
    html = rendered(Field(name="x", label="<b>X</b>", placeholder='"><script>'), value='"><script>alert(1)')

    assert "<script" not in html
    assert "<b>" not in html


def test_chosen_values_stay_chosen() -> None:
    field = Field(name="x", label="X", type=FieldType.CHOICES, choices=CHOICES)

    assert re.findall(r'value="(.)" checked', rendered(field, ["a", "c"])) == ["a", "c"]
    one = Field(name="x", label="X", type=FieldType.CHOICE, choices=CHOICES, default="b")
    assert re.findall(r'value="(.)" selected', rendered(one)) == ["b"]


FIELDS = (
    Field(name="host", label="Host"),
    Field(name="key", label="Key", secret=True),
    Field(name="agree", label="Agree", type=FieldType.BOOLEAN),
    Field(name="some", label="Some", type=FieldType.CHOICES, choices=CHOICES),
    Field(name="fixed", label="Fixed", read_only=True, default="f"),
)


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ({}, {"agree": False, "some": []}),
        ({"agree": ["true"], "some": ["a", "", "b"]}, {"agree": True, "some": ["a", "b"]}),
        (
            {"host": [" h "], "key": ["-----\r\nA\r\n"]},
            {"host": " h ", "key": "-----\nA\n", "agree": False, "some": []},
        ),
        ({"host": [""], "fixed": ["g"], "other": ["x"], "_form": ["t"]}, {"agree": False, "some": []}),
        ({"host": ["a", "b"]}, {"host": "b", "agree": False, "some": []}),
    ],
)
def test_a_form_is_read_by_the_fields_names(form: dict[str, list[str]], values: dict[str, Any]) -> None:
    assert read(FIELDS, form) == values


def test_what_has_no_end_is_cut() -> None:
    assert len(str(read(FIELDS, {"host": ["x" * 10**6]})["host"])) == 40_000


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://App.Example:443/x?y", "https://app.example"),
        ("http://127.0.0.1:8112/", "http://127.0.0.1:8112"),
        ("http://[::1]:8112/", "http://[::1]:8112"),
    ],
)
def test_origins_are_written_as_browsers_write_them(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_a_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert "unsafe" not in policy()
    assert "frame-ancestors 'none'" in policy()
    assert "frame-ancestors https://a.example;" in policy(frame_ancestors=["https://a.example"])
    assert policy(["https://p.example"]).count("https://") == 1


@pytest.mark.parametrize("kind", ["text", "boolean", "choices"])
def test_a_page_says_beside_which_values_a_field_is_shown(kind: str) -> None:
    needs = {"depends_on": ("after", "key"), "shown_when": {"after": ("move",)}}
    html = rendered(Field(name="x", label="X", type=FieldType(kind), choices=CHOICES, **needs))
    [said] = re.findall(r'data-depends="([^"]*)"', html)

    assert json.loads(unescape(said)) == {"after": ["move"], "key": None}


def test_a_forms_token_is_of_one_browser_and_one_form() -> None:
    token = form_token("browser", "form")

    assert is_own_form({}, "https://own.example", "browser", "form", token)
    assert not is_own_form({}, "https://own.example", "other", "form", token)
    assert not is_own_form({}, "https://own.example", "browser", "other", token)
    assert not is_own_form({}, "https://own.example", None, "form", token)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nextcloud", "NE"),
        ("Hetzner Storage Box", "HS"),
        ("ownCloud", "OW"),
        ("1&1", "11"),
        ("", "?"),
    ],
)
def test_a_name_has_the_letters_of_its_monogram_and_one_colour(name: str, letters: str) -> None:
    assert initials(name) == letters
    assert f">{letters}</text>" in monogram(name)
    assert hue(name) == hue(name) < 12
