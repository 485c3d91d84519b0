"""Lists that fit into events: split by number and by bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from schemas.base import Model

D = TypeVar("D", bound=Model)

MOST = 500
"""Documents in one event."""
MOST_BYTES = 400 * 1024
"""Bytes of one event's list: an event has 512 KB."""


def split(documents: Sequence[D]) -> list[tuple[D, ...]]:
    """The documents in as few parts as fit into events, in order; one empty part where there are none."""
    parts: list[list[D]] = [[]]
    room = MOST_BYTES
    for document in documents:
        size = len(document.model_dump_json().encode()) + 1
        if len(parts[-1]) == MOST or (size > room and parts[-1]):
            parts.append([])
            room = MOST_BYTES
        parts[-1].append(document)
        room -= size
    return [tuple(part) for part in parts]
