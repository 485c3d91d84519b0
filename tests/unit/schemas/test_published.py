"""The published contract: what was released can still be read, what is published is what the code says."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.asyncapi import event_schema, events, published
from schemas.compatibility import breaks
from schemas.envelope import Reader
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[3]
RELEASES = sorted((ROOT / "tests" / "released").iterdir())
GOLDEN = [path for release in RELEASES for path in sorted((release / "events").glob("*.json"))]


def test_the_published_files_are_what_the_models_say() -> None:
    """`make docs` writes them anew."""
    folder = ROOT / "schemas" / "published"

    committed = {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*.json")}
    assert committed == published(version("paperbus"))


def test_every_event_has_a_golden_example_of_the_first_release() -> None:
    assert {path.stem for path in GOLDEN} >= {data.TYPE for data in events()}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parents[1].name} {path.stem}")
def test_a_golden_event_is_read_and_written_without_loss(path: Path) -> None:
    raw = path.read_bytes()
    readers = [Reader(topic.types) for topic in TOPICS if path.stem in {t.TYPE for t in topic.types}]

    assert readers
    for reader in readers:
        event = reader.read(raw)
        assert type(event.data) is reader.types[path.stem]
        assert json.loads(event.encoded()) == json.loads(raw)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_event_fits_its_published_schema(path: Path) -> None:
    schema = json.loads((ROOT / "schemas" / "published" / "events" / path.name).read_text("utf-8"))

    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text("utf-8")))


ASYNCAPI: dict[str, Any] = json.loads(published("0")["asyncapi.json"])


def references(within: Any) -> Iterator[str]:
    """Every `$ref` below."""
    if isinstance(within, dict):
        yield from (value for name, value in within.items() if name == "$ref")
    for inner in within.values() if isinstance(within, dict) else within if isinstance(within, list) else ():
        yield from references(inner)


def test_every_reference_of_the_asyncapi_leads_somewhere_in_it() -> None:
    for reference in set(references(ASYNCAPI)):
        start, *names = reference.split("/")
        found = ASYNCAPI
        for name in names:
            found = found[name]
        assert start == "#"
        assert found, reference


def test_events_give_one_name_to_one_shape_alone() -> None:
    """In the AsyncAPI they share them."""
    shapes: dict[str, Any] = {}
    for data in events():
        for name, shape in event_schema(data)["$defs"].items():
            assert shapes.setdefault(name, shape) == shape, name


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_event_fits_its_message_of_the_asyncapi(path: Path) -> None:
    """Read as AsyncAPI's tools do: by draft 7, with references from the document's root."""
    message = {**ASYNCAPI, "$ref": f"#/components/messages/{path.stem}/payload"}
    validator = jsonschema.Draft7Validator(message)
    event = json.loads(path.read_text("utf-8"))

    validator.validate(event)
    assert not validator.is_valid({name: value for name, value in event.items() if name != "data"})
    assert not validator.is_valid({**event, "data": "no object"})


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_no_topic_that_was_released_moves_or_loses_an_event(release: Path) -> None:
    """Nor gets other partitions: each key would go elsewhere, past what is there of it already."""
    released: dict[str, Any] = json.loads((release / "topics.json").read_text("utf-8"))
    now = {
        name: {
            "action": ASYNCAPI["operations"][name]["action"],
            "partitions": channel["bindings"]["kafka"]["partitions"],
            "cleanup": channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"],
            "events": sorted(channel["messages"]),
        }
        for name, channel in ASYNCAPI["channels"].items()
    }

    for name, before in released.items():
        after = now[name]
        assert set(before.pop("events")) <= set(after.pop("events"))
        assert before == after


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_manifest_of_a_release_is_still_one(release: Path) -> None:
    released = json.loads((release / "manifest.json").read_text("utf-8"))

    assert breaks(released, json.loads(published("0")["manifest.json"])) == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_nothing_that_was_released_is_broken(release: Path) -> None:
    released: dict[str, Any] = json.loads((release / "schemas.json").read_text("utf-8"))
    files = published("0")
    now = {data.TYPE: json.loads(files[f"events/{data.TYPE}.json"]) for data in events()}

    assert set(released) <= set(now)
    assert [found for name in released for found in breaks(released[name], now[name])] == []


def an_event() -> dict[str, Any]:
    return copy.deepcopy(
        {
            "properties": {
                "kind": {"enum": ["a", "b"], "type": "string"},
                "name": {"type": "string", "maxLength": 10},
                "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                "many": {"type": "array", "maxItems": 5, "items": {"$ref": "#/$defs/Item"}},
            },
            "required": ["kind"],
            "$defs": {"Item": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}},
        }
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    """The event above with one thing different; None takes it away."""
    event = an_event()
    *above, last = path.split("/")
    inner: Any = event
    for part in above:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return event


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("properties/name", None, "name is gone"),
        ("required", ["kind", "name"], "name is required now"),
        ("required", [], "kind is optional now"),
        ("properties/kind/enum", ["a"], "'b' no more"),
        ("properties/name/type", "integer", "was string and is integer"),
        ("properties/name/maxLength", 9, "smaller maxLength"),
        ("properties/name/pattern", "^x", "another pattern"),
        ("properties/name/enum", ["x"], "only a list of values"),
        ("properties/name/minLength", 1, "larger minLength"),
        ("properties/when/anyOf", [{"type": "string", "format": "date"}], "null no more"),
        ("properties/when/anyOf/0/format", "date-time", "another format"),
        ("properties/many/maxItems", 4, "smaller maxItems"),
        ("$defs/Item/properties/n", None, "n is gone"),
        ("$defs/Item/properties/n/minimum", 2, "larger minimum"),
    ],
)
def test_an_incompatible_change_is_told(path: str, value: Any, said: str) -> None:
    found = breaks(an_event(), changed(path, value))

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/more", {"type": "string"}),
        ("properties/kind/enum", ["a", "b", "c"]),
        ("properties/name/maxLength", 11),
        ("properties/name/maxLength", None),
        ("properties/many/maxItems", 6),
        ("properties/name/description", "words"),
    ],
)
def test_a_compatible_change_passes(path: str, value: Any) -> None:
    assert breaks(an_event(), changed(path, value)) == []
