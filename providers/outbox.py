"""What a way out does that is no file store: letters go, and nobody can look at them again. Which documents
go in which letter is decided elsewhere.

What was sent is recognised by its Message-ID, which whoever sends it chooses, the same at every try.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from providers.content import Body
from providers.errors import ProviderError
from schemas.manifest import Manifest

OUTBOXES = frozenset({"smtp"})
"""The kinds of drivers that are an `Outbox`."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A document as it lies in a letter."""

    name: str
    body: Body


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `reference` becomes the local part of its Message-ID; `text` is what it says, plain."""

    reference: str
    subject: str
    text: str
    enclosures: Sequence[Enclosure]


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter that was taken. `refused` are the addressees that the server would not take it for."""

    message_id: str
    refused: Sequence[str] = ()


class Unsure(ProviderError):
    """The whole letter was handed over, and the answer did not come: nobody knows whether it was taken.

    It must not be sent again by itself.
    """


class Spoilt(Exception):
    """The bytes of one enclosure, by its number, could not be had; nothing was sent."""

    def __init__(self, number: int, error: ProviderError) -> None:
        super().__init__(str(error))
        self.number = number
        self.error = error


Committing = Callable[[], Awaitable[None]]
"""Called when everything but the end of a letter was handed over: from here on it may arrive. What it raises
keeps the letter from going."""


class Outbox(Protocol):
    """One connection's way to somebody's mailbox, open. Of `Driver` it has `check`, `identity`, `choices`.

    Attributes:
        most_bytes: what one letter may weigh on the wire; None where the server does not say.
    """

    most_bytes: int | None

    def message_id(self, reference: str) -> str:
        """The Message-ID that a letter of this reference gets, without its angle brackets."""

    def weight(self, name: str, size: int) -> int:
        """The bytes that a document takes up within a letter on the wire."""

    async def send(self, letter: Letter, committing: Committing) -> Posted:
        """Hand one letter over.

        Raises:
            ProviderError: it was not taken, for a reason of the contract; nothing will arrive.
            Unsure: see there.
            Spoilt: see there.
        """


def is_outbox(manifest: Manifest) -> bool:
    """Whether the provider is sent letters, not files."""
    return manifest.driver.kind in OUTBOXES
