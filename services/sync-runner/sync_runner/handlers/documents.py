"""Documents in: keep them, see who wants them, owe them to those. In batches; heard twice changes nothing.

The order is the promise: a document is written *before* the connections are read, and a connection is written
before it walks the documents (`fill`), so that none falls between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from kit.endings import DONE, Ended, Refused
from kit.heard import Heard
from schemas.documents import DocumentReceived, DocumentWithdrawn
from schemas.envelope import Event
from schemas.filters import Filters
from schemas.reasons import Reason
from sync_runner.lifecycle.document import Verdict, Word, judge
from sync_runner.lifecycle.matching import Document, matches

LANES = 3
"""Parts of a batch that are taken in side by side: while one waits for the store, another is made ready."""
CONFLICT = (
    "Version {version} of document {document} is known with other bytes; send changed bytes as a new version."
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one event says of a document, ready to be kept. `data` is None for a withdrawal."""

    account: str
    document: str
    word: Word
    data: DocumentReceived | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return f"{self.account}/{self.document}"


@dataclass(frozen=True, slots=True)
class Wanting:
    """A live connection, as far as documents are judged by it."""

    connection: str
    filters: Filters
    since: datetime | None


class Documents(Protocol):
    """Where documents, and what is owed of them, are kept."""

    async def keep(self, told: Sequence[Told]) -> Mapping[str, Word]:
        """Write what takes the place of what is known, at most one for each document.

        Returns what is known, by id, where it stood in the way.
        """

    async def wanting(self, accounts: Collection[str]) -> Mapping[str, Sequence[Wanting]]:
        """The live exports of each account, from the primary, as they are now."""

    async def owe(self, pairs: Sequence[tuple[Wanting, Told]], now: datetime) -> int:
        """Add a row for each pair; those that are there stay as they are. Returns how many were new."""


def told_by(event: Event[Any]) -> Told:
    """What an event says of a document."""
    data, account = event.data, event.accountid or ""
    if isinstance(data, DocumentReceived):
        word = Word(event.time, data.version, data.sha256)
        return Told(account, data.document_id, word, data)
    return Told(account, data.document_id, Word(event.time, withdrawn=True))


Turn: TypeAlias = dict[str, tuple[Told, int]]
"""What is to be written, by document, with where it stands in the batch."""


class Ingest:
    """The batch handler of `documents.events`."""

    TYPES = (DocumentReceived, DocumentWithdrawn)

    def __init__(self, documents: Documents, now: Callable[[], datetime], ledger_days: int) -> None:
        self.documents = documents
        self.now = now
        self.kept = timedelta(days=ledger_days)

    async def __call__(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        endings: list[Ended] = [DONE] * len(batch)
        for turn in _turns(batch, endings):
            items = list(turn.items())
            lanes = [dict(items[lane::LANES]) for lane in range(min(LANES, len(items)))]
            await asyncio.gather(*(self._take(lane, endings) for lane in lanes))
        return endings

    async def _take(self, newest: Turn, endings: list[Ended]) -> None:
        """Some of a batch's documents: kept first, owed afterwards."""
        await self._keep(newest, endings)
        await self._owe([told for told, _ in newest.values()])

    async def _keep(self, newest: Turn, endings: list[Ended]) -> None:
        """Write them; what is known already, or can never be, leaves `newest`."""
        writing = dict(newest)
        while writing:
            known = await self.documents.keep([told for told, _ in writing.values()])
            writing = {id_: writing[id_] for id_ in known}
            for id_, (told, index) in list(writing.items()):
                verdict = judge(known[id_], told.word)
                if verdict is Verdict.CONFLICT:
                    endings[index] = conflict(told)
                if verdict is not Verdict.TAKE:  # TAKE: somebody wrote between; once more
                    del writing[id_], newest[id_]

    async def _owe(self, told: Sequence[Told]) -> None:
        now = self.now()
        # What is older has no row any more that would say it was done: it is never owed again.
        oldest = now - self.kept
        received = [one for one in told if one.data is not None and one.data.received_at >= oldest]
        if not received:
            return
        wanting = await self.documents.wanting({one.account for one in received})
        pairs = [
            (who, one)
            for one in received
            for who in wanting.get(one.account, ())
            if one.data is not None
            and matches(who.filters, who.since, Document(one.data.received_at, one.data.metadata))
        ]
        await self.documents.owe(pairs, now)


def conflict(told: Told) -> Refused:
    return Refused(Reason.INVALID, CONFLICT.format(version=told.word.version, document=told.document))


def _turns(batch: Sequence[Heard], endings: list[Ended]) -> list[Turn]:
    """The batch as what is written one after the other, each document once in a turn.

    Of several versions in a row the newest counts; a withdrawal, and what comes after it, has its own turn.
    """
    turns: list[Turn] = []
    at: dict[str, int] = {}
    for index, heard in enumerate(batch):
        told = told_by(heard.event)
        before = turns[at[told.id]][told.id][0] if told.id in at else None
        verdict = judge(before.word if before else None, told.word)
        if verdict is Verdict.CONFLICT:
            endings[index] = conflict(told)
        if verdict is not Verdict.TAKE:
            continue
        same = before is not None and before.word.withdrawn == told.word.withdrawn
        turn = at.get(told.id, -1) + (0 if same else 1)
        if turn == len(turns):
            turns.append({})
        turns[turn][told.id] = (told, index)
        at[told.id] = turn
    return turns
