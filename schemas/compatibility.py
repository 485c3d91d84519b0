"""Whether a newer JSON Schema still keeps what an older one promised. Pure.

Nothing is renamed, dropped or retyped. What others write must stay acceptable (no new required member, no
narrower value); what we write must stay readable (no required member becomes optional).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_UPPER = ("maxLength", "maximum", "maxItems", "maxProperties", "exclusiveMaximum")
_LOWER = ("minLength", "minimum", "minItems", "exclusiveMinimum")


def breaks(old: Json, new: Json) -> list[str]:
    """What the new schema breaks of the old one, as sentences; empty where it keeps everything."""
    return list(_object(old, new, old, new, "event"))


def _resolved(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _object(old: Json, new: Json, old_root: Json, new_root: Json, path: str) -> Iterator[str]:
    for name, before in old.get("properties", {}).items():
        after = new.get("properties", {}).get(name)
        if after is None:
            yield f"{path}.{name} is gone; members are never renamed or dropped."
        else:
            yield from _value(before, after, old_root, new_root, f"{path}.{name}")
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name} is required now; writers of the older version do not send it."
    for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
        yield f"{path}.{name} is optional now; readers of the older version count on it."


def _value(old: Json, new: Json, old_root: Json, new_root: Json, path: str) -> Iterator[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    before, after = _alternatives(old), _alternatives(new)
    if before or after:
        for one in before or [old]:
            kind = _kind(_resolved(one, old_root))
            twins = [other for other in after or [new] if _kind(_resolved(other, new_root)) == kind]
            tried = [list(_value(one, twin, old_root, new_root, path)) for twin in twins]
            yield from min(tried, key=len, default=[f"{path} takes {kind} no more."])
        return
    if _kind(old) != _kind(new):
        yield f"{path} was {_kind(old)} and is {_kind(new)}."
        return
    yield from _narrower(old, new, path)
    yield from _object(old, new, old_root, new_root, path)
    if "items" in old and "items" in new:
        yield from _value(old["items"], new["items"], old_root, new_root, f"{path}[]")


def _alternatives(schema: Json) -> list[Json]:
    return list(schema.get("anyOf") or schema.get("oneOf") or ())


def _kind(schema: Json) -> str:
    if "const" in schema:
        return f"the value {schema['const']!r}"
    return str(schema.get("type", "anything"))


def _narrower(old: Json, new: Json, path: str) -> Iterator[str]:
    for value in old.get("enum", ()):
        if "enum" in new and value not in new["enum"]:
            yield f"{path} takes {value!r} no more."
    if "enum" in new and "enum" not in old:
        yield f"{path} takes only a list of values now."
    for key in _UPPER:
        if key in new and new[key] < old.get(key, float("inf")):
            yield f"{path} has a smaller {key}."
    for key in _LOWER:
        if key in new and new[key] > old.get(key, float("-inf")):
            yield f"{path} has a larger {key}."
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{path} has another pattern; widen by hand and say so in the test, or make a new version."
    if new.get("format") not in (None, old.get("format")):
        yield f"{path} has another format."
