"""One event from the words of a command line: found by its name, filled in, validated. Publishes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from paperbus.errors import Stopped
from schemas.base import rfc3339
from schemas.envelope import Data, Event, InvalidData, NotAnEvent, Reader
from schemas.topics import TOPICS, Topic

SOURCE = "/paperbus/send"
SERVICES = ("catalog", "connections", "sync-runner")


def find(name: str) -> tuple[Topic, type[Data]]:
    """The event called `name`, with or without `paperbus.` and its version, and the topic that carries it.

    Raises:
        Stopped: there is none, or one of our services alone says it.
    """
    types = {data.TYPE: (topic, data) for topic in TOPICS for data in topic.types}
    named = {data.__name__: found for found in types.values() for data in [found[1]]}
    found = types.get(name) or named.get(name)
    if not found:
        raise Stopped(f"There is no event {name}: there are {', '.join(sorted(_open_names()))}.")
    if found[0].writer in SERVICES:
        raise Stopped(f"{name} is a fact that {found[0].writer} alone states: send a request instead.")
    return found


def fields(words: Iterable[str]) -> dict[str, Any]:
    """`a=1 b.c=x d=["y"]` as members. A value is text, unless it begins as a JSON object, list or null.

    Raises:
        Stopped: a word without `=`, broken JSON, or a member that is both a value and a group.
    """
    members: dict[str, Any] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals or not path:
            raise Stopped(f"{word} is no FIELD=VALUE.")
        *groups, last = path.split(".")
        place = members
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise Stopped(f"{path} and {group} cannot both be given.")
        place[last] = _value(path, text)
    return members


def event(
    data: type[Data], members: Mapping[str, Any], account: str | None, subject: str | None
) -> Event[Any]:
    """A whole event with these members of `data`; its id and time are new.

    Raises:
        Stopped: it breaks the event's rules; the text says which.
    """
    about = subject or (members.get(data.SUBJECT) if data.SUBJECT else None) or str(uuid4())
    whole = {"specversion": "1.0", "id": str(uuid4()), "source": SOURCE, "type": data.TYPE}
    whole |= {"time": rfc3339(datetime.now(UTC)), "subject": about, "datacontenttype": "application/json"}
    return checked(data, whole | ({"accountid": account} if account else {}) | {"data": dict(members)})


def checked(data: type[Data], whole: Mapping[str, Any]) -> Event[Any]:
    """A whole event as it was given, if it is one.

    Raises:
        Stopped: it is none; the text says why.
    """
    if "accountid" not in whole:
        raise Stopped("The event has no account: say --account.")
    try:
        return Reader([data]).read(json.dumps(whole).encode())
    except InvalidData as invalid:
        wrong = "\n".join(f"  {error.field}: {error.message}" for error in invalid.errors)
        raise Stopped(f"{data.__name__} breaks its rules:\n{wrong}") from None
    except NotAnEvent as unreadable:
        raise Stopped(str(unreadable)) from None


def _value(path: str, text: str) -> Any:
    if not text.startswith(("{", "[")) and text != "null":
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise Stopped(f"The value of {path} begins like JSON and is none.") from None


def _open_names() -> list[str]:
    return [data.__name__ for topic in TOPICS if topic.writer not in SERVICES for data in topic.types]
