"""What is read from strangers' answers, and what a manifest's mistakes are called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.errors import ProviderError
from providers.login.exchange import Page
from providers.login.reading import Reading
from providers.login.rules import step_faults
from schemas.calls import From, Then
from schemas.manifest import Manifest

HTML = """<html><form id=a><input name=_token value=" t0k ">
<select><option value=1>One</option><option value=2>Two</option></select>
<label><input type=radio value=x> The x</label></form><p class=who>Jane <b>Doe</b></p></html>"""


def page(body: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Reading:
    raw = body if isinstance(body, bytes) else body.encode()
    jar = [["https://p.example/", "sid=c00kie"]]
    return Reading(Page("https://p.example/", status, headers or {}, raw, jar))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ({"field": "_token"}, "t0k"),
        ({"css": "p.who"}, "JaneDoe"),
        ({"css": "option", "attribute": "value"}, "1"),
        ({"css": "p.none"}, None),
        ({"cookie": "sid"}, "c00kie"),
        ({"header": "X-Next"}, "/two"),
        ({"css": "p.who", "pattern": "Jane(.+)"}, "Doe"),
        ({"json": "/a"}, None),
        ({"css": "option", "each": {"value": "value", "label": "text"}},
         [{"value": "1", "label": "One"}, {"value": "2", "label": "Two"}]),
        ({"css": "label", "each": {"value": "input@value", "label": "text"}},
         [{"value": "x", "label": "The x"}]),
    ],
)  # fmt: skip
async def test_a_value_is_found_at_its_place(place: dict[str, Any], value: object) -> None:
    assert page(HTML, headers={"X-Next": "/two"}).find(From.model_validate(place)) == value


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("/user/id", "7"), ("/on", "true"), ("/list", None), ("/none/deep", None), ("/user/id/deeper", None)],
)
def test_a_json_value_is_text_and_nothing_else_is(pointer: str, value: object) -> None:
    body = json.dumps({"user": {"id": 7}, "on": True, "list": [1]})
    assert page(body).find(From.model_validate({"json": pointer})) == value


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"<html>", b"null", b'"x"'])
def test_what_is_no_json_holds_nothing(body: bytes) -> None:
    place = From.model_validate({"json": "/access_token"})
    assert page(body).find(place) is None
    with pytest.raises(ProviderError) as wrong:
        page(body).take({"token": place}, strictly=True)
    assert wrong.value.reason == "provider_changed"


def test_a_row_holds_where_all_of_its_conditions_do() -> None:
    answer = page('{"error": "mfa"}', 200)
    rows = [
        {"status": 401, "go": "no"},
        {"status": [200, 201], "has": {"json": "/error"}, "equals": "other", "go": "no"},
        {"contains": "absent", "go": "no"},
        {"has": {"json": "/error"}, "equals": "mfa", "go": "yes"},
    ]
    found = answer.row([Then.model_validate(row) for row in rows])
    assert found is not None
    assert found.go == "yes"


ASK = {
    "ask": "credentials",
    "fields": [{"name": "user", "label": "User"}, {"name": "pin", "label": "P", "secret": True}],
}


@pytest.mark.parametrize(
    ("step", "path", "said"),
    [
        ({"call": {"url": "https://p.example/{nobody}"}}, ("login", 1, "call", "url"), "neither asked"),
        ({"call": {"url": "https://p.example/?p={pin}"}}, ("login", 1, "call", "url"), "in an address"),
        ({"call": {"url": "http://p.example/"}}, ("login", 1, "call", "url"), "begins with https"),
        ({"call": {"url": "https://{csrf}/"}, "take": {"csrf": {"css": "a"}}},
         ("login", 1, "call", "url"), "host's name"),
        ({"call": {"url": "https://p.example/{"}}, ("login", 1, "call", "url"), "no other half"),
        ({"call": {"url": "https://p.example/"}, "take": {"a": {"css": "a[["}}},
         ("login", 1, "take", "a", "css"), "no CSS selector"),
        ({"call": {"url": "https://p.example/"}, "take": {"a": {"json": "a/b"}}},
         ("login", 1, "take", "a", "json"), "no JSON pointer"),
        ({"call": {"url": "https://p.example/"}, "take": {"a": {"css": "a", "pattern": "(a+)+$"}}},
         ("login", 1, "take", "a", "pattern"), "can take hours"),
        ({"call": {"url": "https://p.example/"}, "then": [{"status": 200, "go": "nowhere"}]},
         ("login", 1, "then", 0, "go"), "no step nowhere"),
        ({"call": {"url": "https://p.example/"}, "then": [{"status": 200, "still": True}]},
         ("login", 1, "then", 0, "still"), "waits"),
        ({"choose": "firms", "field": {"name": "f", "label": "F"}}, ("login", 1, "choose"), "no step takes"),
        ({"ask": "captcha_image", "image": "pic", "fields": [{"name": "c", "label": "C"}]},
         ("login", 1, "image"), "no step takes"),
        ({"name": "end", "keep": {"a": "{user}"}}, ("login", 1, "name"), "is taken"),
        ({"keep": {}, "identity": "{pin}"}, ("login", 1, "identity"), "that is shown"),
        ({"call": {"url": "https://p.example/"},
          "then": [{"status": 401, "error": "locked", "message": "Not {pin}"}]},
         ("login", 1, "then", 0, "message", "en"), "that is shown"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(step: dict[str, Any], path: tuple[Any, ...], said: str) -> None:
    plain = {"id": "p", "name": "P", "summary": "S", "categories": ["storage"], "directions": ["export"]}
    manifest = Manifest.model_validate({**plain, "login": [ASK, step], "driver": {"kind": "webdav"}})
    assert any(at == path and said in text for at, text in step_faults(manifest)), list(step_faults(manifest))


def test_whose_account_it_is_is_not_said_by_a_secret() -> None:
    plain = {"id": "p", "name": "P", "summary": "S", "categories": ["storage"], "directions": ["export"]}
    driver = {"kind": "webdav", "identity": "{user} {pin}"}
    manifest = Manifest.model_validate({**plain, "login": [ASK], "driver": driver})
    assert [at for at, text in step_faults(manifest) if "that is shown" in text] == [("driver", "identity")]
