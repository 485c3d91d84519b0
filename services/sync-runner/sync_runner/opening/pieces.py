"""What is found in a thing: documents with their bytes, and what is not taken, with the reason in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sync_runner.names import Rules, safe
from sync_runner.opening.blobs import Blob

MOST_PIECES = 1000
"""Documents in one thing."""
MOST_CONTAINERS = 1000
"""Archives and mails within one thing, however deep: each may hold a thousand others."""
DEEPEST = 8
"""A mail in a zip in a mail …"""
MOST_BYTES = 512 * 1024 * 1024
"""What all documents in one archive or mail may come to."""
_RULES = Rules("", 255, True)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file. `path` is where in the thing it was, empty for the thing itself; `said` its media type.

    `hidden`: it is part of how a mail looks (a logo in its text), and no document by itself.
    """

    path: str
    filename: str
    said: str | None
    blob: Blob
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not taken. `why` is a sentence for the customer."""

    path: str
    filename: str
    why: str


class Opened:
    """What is found, as it is found, within the limits of one thing."""

    def __init__(self, room: int = MOST_BYTES) -> None:
        self.found: list[Piece] = []
        self.left: list[Left] = []
        self.room = room
        """Bytes that may still be added."""
        self._containers = 0

    def add(self, path: str, filename: str, said: str | None, data: bytes, *, hidden: bool = False) -> None:
        """A file."""
        if self.full(path, filename):
            return
        self.take(Piece(path, clean(filename), said, Blob.of(data), hidden))

    def take(self, piece: Piece) -> None:
        """A file that is open already."""
        self.room = max(0, self.room - piece.blob.size)
        self.found.append(piece)

    def leave(self, path: str, filename: str, why: str) -> None:
        """A file that is not taken."""
        if len(self.left) < MOST_PIECES:
            self.left.append(Left(path, clean(filename), why))

    def leave_all(self, left: Sequence[Left]) -> None:
        """Several, as far as so many are told of."""
        self.left += left[: max(0, MOST_PIECES - len(self.left))]

    def may_open(self, container: Piece) -> bool:
        """Whether one more container is opened; said once for what is left out."""
        self._containers += 1
        if self._containers <= MOST_CONTAINERS:
            return True
        if self._containers == MOST_CONTAINERS + 1:
            self.left.append(Left(container.path, container.filename, FULL))
        return False

    def full(self, path: str, filename: str) -> bool:
        """Whether nothing more is taken; said once for what is left out."""
        if len(self.found) < MOST_PIECES and self.room:
            return False
        if not self.left or self.left[-1].why != FULL:
            self.leave(path, filename, FULL)
        return True

    def close(self) -> None:
        """Throw the bytes away."""
        for piece in self.found:
            piece.blob.close()


FULL = "There is more in it than is taken in at once; send the rest by itself."


def clean(name: str) -> str:
    """A file name without folders, control characters and odd forms; at most 255 bytes."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return safe(unicodedata.normalize("NFC", last) or "document", _RULES)
