"""The envelope: CloudEvents 1.0, structured JSON, and how bytes become an event. No Kafka here.

What cannot be read is one of

* Unreadable
  - NotAnEvent       no JSON, no CloudEvent, too large
  - UnknownType      a CloudEvent of a type or version that the reader does not know
  - InvalidData      its envelope can be read, its data breaks the rules (`errors` says which)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import (
    Discriminator,
    Field as Member,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    create_model,
)

from schemas.base import AccountId, Maybe, Model, Moment
from schemas.fields import FieldError
from schemas.wording import wording

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""The Kafka header `content-type` of every event."""
MAX_EVENT_BYTES = 512 * 1024
"""An event is at most this large as it travels."""

Reference = Annotated[str, StringConstraints(min_length=1, max_length=256)]
TraceParent = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]


class Data(Model):
    """What an event says. The class's name is the event's: `paperbus.<Name>.v<VERSION>`."""

    VERSION: ClassVar[int] = 1
    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str | None] = "connection_id"
    """The member whose value is the event's subject and Kafka key; None where the producer chooses."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.TYPE = f"paperbus.{cls.__name__}.v{cls.VERSION}"

    @property
    def subject(self) -> str | None:
        """The subject that an event with this data must have; None where the producer chooses."""
        return getattr(self, self.SUBJECT, None) if self.SUBJECT else None


D = TypeVar("D", bound=Data | dict[str, Any])


class Event(Model, Generic[D]):
    """One event. It is the same as another if `source` and `id` are the same: a resend keeps both."""

    specversion: Literal["1.0"] = "1.0"
    id: Reference
    source: Reference
    type: Reference
    time: Moment
    subject: Reference
    datacontenttype: Literal["application/json"] = "application/json"
    accountid: Maybe[AccountId] = None
    """The customer of the platform that it is about. On every topic but `catalog.events`."""
    actor: Maybe[Reference] = None
    """Who did it: the `sub` of their token."""
    causationid: Maybe[Reference] = None
    causationsource: Maybe[Reference] = None
    traceparent: Maybe[str] = None
    """W3C Trace Context."""
    sequence: Maybe[Annotated[str, StringConstraints(pattern=r"^\d{1,20}$")]] = None
    """Rising per subject, zero-padded: drop what is older than what you know."""
    data: D

    def encoded(self) -> bytes:
        """As it travels."""
        return json.dumps(self.wire(), separators=(",", ":"), ensure_ascii=False).encode()


class Unreadable(Exception):
    """Bytes that are no event for this reader. The text is a sentence and holds nothing of the bytes."""


class NotAnEvent(Unreadable):
    """No JSON, no CloudEvent, or too large: nobody can be answered."""


class UnknownType(Unreadable):
    """A CloudEvent of a type or version that the reader does not know."""

    def __init__(self, envelope: Event[dict[str, Any]]) -> None:
        super().__init__(
            f"Nothing here reads the type {envelope.type}; see the list of types in the contract."
        )
        self.envelope = envelope


class InvalidData(Unreadable):
    """The envelope can be read, so its sender can be answered; `errors` says what its data breaks."""

    def __init__(self, envelope: Event[dict[str, Any]], errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors[:5]) + ".")
        self.envelope = envelope
        self.errors = errors


def _shape(data: type[Data]) -> Any:
    """The envelope of one event: its `type` is that event's alone, so that no other is taken for it."""
    only_type: Any = (Literal[data.TYPE], data.TYPE)
    base: Any = Event[data]  # type: ignore[valid-type]  # known at run time only
    return create_model(data.__name__, __base__=base, type=only_type)


class Reader:
    """Reads the events of one topic. `type` alone decides which event something is."""

    def __init__(self, types: Iterable[type[Data]]) -> None:
        self.types = {data.TYPE: data for data in types}
        shapes = [_shape(data) for data in self.types.values()]
        one: Any = Annotated[reduce(or_, shapes), Discriminator("type")] if len(shapes) > 1 else shapes[0]
        self._adapter: TypeAdapter[Event[Any]] = TypeAdapter(one)

    def read(self, raw: bytes | None) -> Event[Any]:
        """The event in `raw`.

        Raises:
            NotAnEvent, UnknownType, InvalidData: as their names say; no part of the bytes is in the text.
        """
        if raw is None or len(raw) > MAX_EVENT_BYTES:
            raise NotAnEvent(f"An event must have a body of 1 to {MAX_EVENT_BYTES} bytes.")
        try:
            event = self._adapter.validate_json(raw)
        except ValidationError as invalid:
            raise self._told(raw, invalid) from None
        expected = event.data.subject
        if expected is not None and event.subject.lower() != expected.lower():
            wrong = FieldError(
                field="subject", code="subject", message=f"must be the {event.data.SUBJECT} of the data"
            )
            raise InvalidData(_ENVELOPE.validate_json(raw), (wrong,))
        return event

    def _told(self, raw: bytes, invalid: ValidationError) -> Unreadable:
        """Which kind of unreadable it is. Only the slow path of bad input comes here."""
        try:
            envelope = _ENVELOPE.validate_json(raw)
        except ValidationError as worse:
            found = worse.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in found["loc"]) or "the body"
            return NotAnEvent(f"This must be one CloudEvent in structured JSON: {where}: {wording(found)}.")
        if envelope.type not in self.types:
            return UnknownType(envelope)
        return InvalidData(envelope, _errors(invalid))


_ENVELOPE: TypeAdapter[Event[dict[str, Any]]] = TypeAdapter(Event[dict[str, Any]])


def _errors(invalid: ValidationError) -> tuple[FieldError, ...]:
    """Pydantic's findings as field errors: paths below `data`, no input."""
    found = invalid.errors(include_input=False, include_url=False, include_context=False)
    return tuple(
        FieldError(field=_path(error["loc"]), code=error["type"], message=wording(error))
        for error in found[:20]
    )


def _path(loc: tuple[int | str, ...]) -> str:
    parts = [part for part in loc if "[" not in str(part)]  # pydantic's names of a union's branches
    if "data" in parts[:2]:
        parts = parts[parts.index("data") + 1 :]
    return ".".join(str(part) for part in parts) or "data"


def sequence(version: int) -> str:
    """An aggregate's version as `sequence`: 20 digits, so that text order is number order."""
    return f"{version:020d}"


class RequestRefused(Data):
    """A request that was not carried out, and why (CONTRACT §3). It changed no state."""

    SUBJECT = None

    connection_id: str
    request_id: str
    """The `id` of the request."""
    request_source: str
    """The `source` of the request."""
    request_type: str
    """The `type` of the request."""
    reason: str
    message: str
    """For people."""
    errors: tuple[FieldError, ...] = Member(default=(), max_length=20)
    """What is wrong with which member."""
