"""The contract as machines read it: AsyncAPI 3.0 and JSON Schemas, made from the models. Pure.

Sources: AsyncAPI 3.0.0 (asyncapi.com), JSON Schema 2020-12, CloudEvents 1.0 (JSON event format).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from schemas.envelope import CONTENT_TYPE, Data, Event
from schemas.manifest import Manifest
from schemas.topics import TOPICS, Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]


def published(version: str) -> dict[str, str]:
    """Every published file by its name, as text with a stable order.

    Args:
        version: the release that they belong to, such as `0.1.0`.
    """
    files = {f"events/{data.TYPE}.json": event_schema(data) for data in events()}
    files["manifest.json"] = manifest_schema()
    files["asyncapi.json"] = asyncapi(version)
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in files.items()}


def events() -> Iterator[type[Data]]:
    """Every event once, in the order of the topics."""
    seen: set[type[Data]] = set()
    for topic in TOPICS:
        for data in topic.types:
            if data not in seen:
                seen.add(data)
                yield data


def event_schema(data: type[Data]) -> Json:
    """One event, envelope and data, as JSON Schema. Open: readers ignore what they do not know."""
    adapter: TypeAdapter[Any] = TypeAdapter(Event[data])  # type: ignore[valid-type]  # known at run time only
    schema: Json = adapter.json_schema(by_alias=True)
    schema["properties"]["type"] = {"const": data.TYPE}
    return {
        "$schema": DIALECT,
        **schema,
        "title": data.TYPE,
        "description": _first_paragraph(data),
    }


def manifest_schema() -> Json:
    """The provider manifest for editors: closed, and with what the loader resolves (`extends`, `fields`)."""
    schema = Manifest.model_json_schema(by_alias=True)
    for shape in (schema, *schema.get("$defs", {}).values()):
        if shape.get("type") == "object" and "properties" in shape:
            shape["additionalProperties"] = False
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "Another provider's id, whose members are taken where this manifest says nothing.",
    }
    schema["properties"]["fields"] = {
        "type": "object",
        "description": "Changes to fields that were taken over, by name: `region: {default: fr-par}`.",
        "additionalProperties": {"type": "object", "properties": schema["$defs"]["FieldSpec"]["properties"]},
    }
    schema["required"] = ["id"]
    _allow_plain_strings(schema)
    return {"$schema": DIALECT, **schema, "title": "Paperbus provider manifest"}


def asyncapi(version: str) -> Json:
    """All topics with their messages, as AsyncAPI 3.0, seen from a platform service.

    What several events hold lies once in `components.schemas`: its tools resolve references from the root of
    the document, not from the schema that they stand in.
    """
    payloads = {data.TYPE: _from_the_root(event_schema(data)) for data in events()}
    shapes = {name: shape for payload in payloads.values() for name, shape in payload.pop("$defs").items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Paperbus",
            "version": version,
            "description": "Moves business documents between a platform and its customers' accounts.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {topic.name: _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {data.TYPE: _message(data, payloads[data.TYPE]) for data in events()},
            "schemas": dict(sorted(shapes.items())),
        },
    }


def _channel(topic: Topic) -> Json:
    kept: Json = {"cleanup.policy": ["compact"]}
    if topic.retention is not None:
        kept = {"cleanup.policy": ["delete"], "retention.ms": int(topic.retention.total_seconds() * 1000)}
    kafka = {"partitions": topic.partitions, "topicConfiguration": kept, "bindingVersion": "0.5.0"}
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer}.",
        "messages": {data.TYPE: {"$ref": f"#/components/messages/{data.TYPE}"} for data in topic.types},
        "bindings": {"kafka": kafka},
    }


def _operation(topic: Topic) -> Json:
    """Seen from outside: requests are sent, facts are read."""
    own = topic.asks or topic.writer == "the platform"
    return {"action": "send" if own else "receive", "channel": {"$ref": f"#/channels/{topic.name}"}}


def _from_the_root(schema: Json) -> Json:
    """The schema with references as AsyncAPI has them. Nothing in it is newer than its dialect, draft 7."""
    text = json.dumps(schema).replace('"#/$defs/', '"#/components/schemas/')
    found: Json = json.loads(text)
    del found["$schema"]
    return found


def _message(data: type[Data], payload: Json) -> Json:
    return {
        "name": data.TYPE,
        "title": data.__name__,
        "summary": _first_paragraph(data),
        "contentType": CONTENT_TYPE,
        "payload": payload,
    }


def _first_paragraph(data: type[Data]) -> str:
    return " ".join((data.__doc__ or "").split("\n\n")[0].split())


def _allow_plain_strings(schema: Json) -> None:
    """Texts may be a plain string, which is English."""
    words = schema["$defs"].pop("Words")
    schema["$defs"]["Words"] = {"anyOf": [{"type": "string"}, words]}
