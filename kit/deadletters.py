"""Dead letters: what can never work, kept for a look, and put back if asked. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

from kit.parking import Raw
from schemas.topics import CONNECTIONS_ANSWERS

PREFIX = "paperbus-"
VALUELESS = frozenset({CONNECTIONS_ANSWERS.name})
"""Topics whose dead letters are headers alone: their values hold sealed secrets."""
LARGEST = 1_000_000
"""Bytes of key, value and headers. Beyond, Kafka may refuse a letter, and what is dead would stop a topic."""
TOO_LARGE = "too_large"
"""The reason of letters that hold headers alone, because all of it would not fit."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for a `.dead` topic, or back for the topic it came from."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def bury(raw: Raw, reason: str, error: str, service: str) -> Letter:
    """The dead letter of `raw`: key, value, headers untouched; what happened in others (CONTRACT §3).

    What is too large for a letter is told of by our headers alone: where it lies, `paperbus-offset` says.
    """
    size = _size(raw)
    if size > LARGEST:
        reason = TOO_LARGE
        error = (
            f"The message of {size} bytes is too large to be kept here; it lies in {raw.topic} at this "
            f"partition and offset for as long as that topic keeps it. {error}"
        )
    told = {
        "error": error[:1000],
        "reason": reason,
        "topic": raw.topic,
        "partition": str(raw.partition),
        "offset": str(raw.offset),
        "service": service,
    }
    headers = tuple((PREFIX + name, value.encode()) for name, value in told.items())
    dead = f"{raw.topic}.dead"
    if raw.topic in VALUELESS:
        return Letter(dead, None, None, headers)
    if size > LARGEST:
        return Letter(dead, raw.key if len(raw.key or b"") < 1000 else None, None, headers)
    return Letter(dead, raw.key, raw.value, (*raw.headers, *headers))


def revive(dead: Raw) -> Letter:
    """The message that a dead letter was, for its own topic.

    Raises:
        ValueError: it was kept without its value.
    """
    told = {name: value or b"" for name, value in dead.headers if name.startswith(PREFIX)}
    topic = told.get(PREFIX + "topic", b"").decode()
    without = told.get(PREFIX + "reason") == TOO_LARGE.encode()
    if not topic or topic in VALUELESS or without:
        raise ValueError("This dead letter was kept without its contents and cannot be replayed.")
    headers = tuple(header for header in dead.headers if not header[0].startswith(PREFIX))
    return Letter(topic, dead.key, dead.value, headers)


def _size(raw: Raw) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in raw.headers)
    return len(raw.key or b"") + len(raw.value or b"") + headers
