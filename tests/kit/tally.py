"""A thing to try the plumbing with: it counts what it is asked, in the words of the connections' topics."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kit.aggregates import Kind
from kit.endings import NotNow, Refused
from kit.heard import Heard
from kit.owed import Voice
from kit.transitions import Decision
from schemas import connections
from schemas.connections import (
    ConnectionPaused,
    ConnectionPauseRequested,
    ConnectionRemovalRequested,
    ConnectionRequested,
    ConnectionResumeRequested,
    ReauthenticationRequested,
)
from schemas.envelope import Data, Event
from schemas.reasons import Reason
from schemas.topics import Topic

ACCOUNT = "acct-1"


@dataclass(frozen=True)
class Tally:
    count: int = 0
    heard: tuple[str, ...] = ()
    note: str | None = None


def asked_on(name: str = "connections.requests") -> Topic:
    return Topic(name, "tests", 1, timedelta(days=7), connections.REQUESTS)


def said_on(name: str = "connections.events") -> Topic:
    return Topic(name, "tests", 1, timedelta(days=7), connections.EVENTS)


class LongWinded(Data):
    """Says as much as it is told to."""

    connection_id: str
    text: str


def kind(topic: Topic | None = None, source: str = "/paperbus/tests") -> Kind[Tally]:
    return Kind("tally", 1, load, dump, Voice(source, topic or said_on()))


def load(document: Mapping[str, Any]) -> Tally:
    return Tally(document["count"], tuple(document["heard"]), document.get("note"))


def dump(tally: Tally) -> dict[str, Any]:
    members: dict[str, Any] = {"count": tally.count, "heard": list(tally.heard)}
    return members if tally.note is None else members | {"note": tally.note}


def decide(tally: Tally | None, event: Event[Any]) -> Decision[Tally] | None:
    """Requested makes one, pause counts, removal is refused, resume waits, reauthentication is a bug."""
    data = event.data
    if isinstance(data, ConnectionRequested):
        if tally:
            raise Refused(Reason.EXISTS, "It is there already.")
        return Decision(Tally(note=data.name), (said(data.connection_id),))
    if tally is None:
        raise Refused(Reason.UNKNOWN_CONNECTION, "There is none.")
    if isinstance(data, ConnectionPauseRequested):
        after = replace(tally, count=tally.count + 1, heard=(*tally.heard, event.id), note=None)
        return Decision(after, (said(data.connection_id),))
    if isinstance(data, ConnectionResumeRequested):
        if not tally.count:
            raise NotNow("nothing counted yet", after=0.1)
        return Decision(replace(tally, heard=(*tally.heard, event.id)))
    if isinstance(data, ReauthenticationRequested):
        raise KeyError("a bug of the handler")
    raise Refused(Reason.PAUSED, "It is never done.")


def said(connection: str) -> ConnectionPaused:
    return ConnectionPaused(connection_id=connection, by="customer", reason="paused")


def request(connection: str, account: str | None = ACCOUNT, **members: Any) -> Event[Any]:
    data = ConnectionRequested(connection_id=connection, direction="export", provider_id="webdav", **members)
    return event_of(data, account)


def pause(connection: str, account: str | None = ACCOUNT) -> Event[Any]:
    return event_of(ConnectionPauseRequested(connection_id=connection), account)


def resume(connection: str) -> Event[Any]:
    return event_of(ConnectionResumeRequested(connection_id=connection))


def removal(connection: str) -> Event[Any]:
    return event_of(ConnectionRemovalRequested(connection_id=connection))


def bug(connection: str) -> Event[Any]:
    return event_of(ReauthenticationRequested(connection_id=connection))


def event_of(data: Data, account: str | None = ACCOUNT) -> Event[Any]:
    return Event[Any](
        id=str(uuid.uuid4()),
        source="/tests",
        type=data.TYPE,
        time=datetime.now(UTC),
        subject=data.subject,
        accountid=account,
        data=data,
    )


def heard(*events: Event[Any], topic: str = "connections.requests") -> list[Heard]:
    return [Heard(event, topic, 0, offset) for offset, event in enumerate(events)]


def new_id() -> str:
    return str(uuid.uuid4())
