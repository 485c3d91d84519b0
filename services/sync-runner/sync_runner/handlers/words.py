"""The platform's word on imported documents: taken, or not, and why. Heard twice changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kit.endings import DONE, Ended
from kit.heard import Heard
from schemas.documents import DocumentAccepted, DocumentRefused
from schemas.envelope import Event
from schemas.reasons import Reason

AT_ONCE = 16
NOT_TAKEN = "The platform did not take this document."


@dataclass(frozen=True, slots=True)
class Word:
    """What the platform says of a row. `reason` None: it took the document."""

    account: str
    row_id: str
    at: datetime
    reason: Reason | None = None
    message: str | None = None


class Rows(Protocol):
    """Where imported documents are kept."""

    async def hear(self, word: Word) -> None:
        """Mark the row, then, where it was taken, let go of its bytes. A row may be missing."""


class Words:
    """The batch handler of `DocumentAccepted` and `DocumentRefused`."""

    TYPES = (DocumentAccepted, DocumentRefused)

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    async def __call__(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        words = [word_of(heard.event) for heard in batch]
        for start in range(0, len(words), AT_ONCE):
            lot = words[start : start + AT_ONCE]
            await asyncio.gather(*(self.rows.hear(word) for word in lot if word is not None))
        return [DONE] * len(batch)


def word_of(event: Event[Any]) -> Word | None:
    """The word, or None where it names a document by the platform's own id alone: no row is called so."""
    data = event.data
    if None in (data.connection_id, data.external_id, data.version):
        return None
    row_id = f"{data.connection_id}/{data.external_id}/{data.version}"
    account = event.accountid or ""
    if isinstance(data, DocumentAccepted):
        return Word(account, row_id, event.time)
    reason = data.reason or Reason.DOCUMENT_REFUSED
    return Word(account, row_id, event.time, reason, data.message or NOT_TAKEN)
