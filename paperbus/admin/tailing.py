"""Events as they pass, one row each. What cannot be read is shown as what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paperbus.errors import Stopped
from schemas.topics import CONNECTIONS_ANSWERS, TOPICS

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

SHOWN = [topic.name for topic in TOPICS if topic is not CONNECTIONS_ANSWERS]
"""All but sealed answers, which nobody but connections may read."""
LONGEST = 160


def chosen(topics: tuple[str, ...]) -> list[str]:
    """These topics, all unless named.

    Raises:
        Stopped: one of them does not exist, or is not to be looked at.
    """
    if unknown := [name for name in topics if name not in SHOWN]:
        raise Stopped(f"{unknown[0]} cannot be tailed: choose of {', '.join(SHOWN)}.")
    return list(topics) or SHOWN


def event_of(record: ConsumerRecord) -> dict[str, Any]:
    """The event in a record; of what is none, what can be said about it."""
    try:
        event = json.loads(record.value or b"")
    except ValueError:
        event = None
    if not isinstance(event, dict):
        event = {"type": "(not an event)", "data": {"bytes": len(record.value or b"")}}
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset} | event


def is_about(event: Mapping[str, Any], account: str | None, connection: str | None) -> bool:
    """Whether it is of that account, and of that connection, where they are given."""
    data = event.get("data")
    named = data.get("connection_id") if isinstance(data, dict) else None
    ours = account is None or event.get("accountid") == account
    return ours and (connection is None or connection in (event.get("subject"), named))


def row(event: Mapping[str, Any]) -> str:
    """One line for people: when, what, about what, and the beginning of its data."""
    kind = str(event.get("type", "")).removeprefix("paperbus.").removesuffix(".v1")
    data = json.dumps(event.get("data"), ensure_ascii=False)
    short = data if len(data) <= LONGEST else f"{data[:LONGEST]}…"
    at = str(event.get("time", datetime.now(UTC).isoformat()))[:23]
    about = f"{event.get('accountid', '-')}  {event.get('subject', '-')}"
    return f"{at:<23}  {event['topic']:<20}  {kind:<28}  {about}  {short}"
