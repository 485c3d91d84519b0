"""Documents as letters: one or all in a mail, never twice by itself. Which documents, is `batches`'s.

A letter may arrive from the moment on that its last dot is sent: that is written down first. Whoever was
killed after it, or did not hear the answer, leaves an `unknown` row that stays so. It is sent again, under
the same Message-ID, when somebody asks for this very document (`document_ids`).
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from providers.errors import ProviderError
from providers.outbox import Enclosure, Letter, Outbox, Spoilt, Unsure
from providers.words import words
from schemas.patterns import EMPTY, PLACEHOLDERS, Facts, Segment, parse
from schemas.reasons import Reason, RowStatus
from sync_runner.handlers.runs import Claim, Result, Row
from sync_runner.names import numbered, safe
from sync_runner.outcomes import of_row
from sync_runner.sending import Intend, Superseded
from sync_runner.ways import Parcel

MOST_ENCLOSED = 100
ENVELOPE = 8192
"""Bytes of a letter beside its documents."""
NEVER = timedelta(days=36_500)
"""When an `unknown` letter is looked up again by itself: there is nowhere to look."""
_SPACE = uuid.UUID("8f2f0a3c-5d0e-5b0a-9d53-6f3a2f5f1c11")


class Mailing:
    """`ways.Way` into an outbox. Options: `subject` (a pattern), `attach` (`one`, `all`).

    Raises:
        WrongPattern: the subject cannot be used.
    """

    lanes = 1

    def __init__(self, outbox: Outbox, options: Mapping[str, Any], intend: Intend) -> None:
        self._outbox = outbox
        self._intend = intend
        self._together = options.get("attach") == "all"
        self._subject = parse(str(options.get("subject") or "{filename}"))

    def planned(self, row: Row) -> Row:
        """As it is: it may only be in doubt once its letter is about to arrive."""
        return row

    def parcels(self, rows: Sequence[Row]) -> Sequence[Sequence[Row]]:
        """By the mail that they were in before; the others alone, or as many as one mail bears."""
        before: dict[str, list[Row]] = {}
        new: list[Row] = []
        for row in rows:
            if row.doubtful and row.target:
                before.setdefault(row.target, []).append(row)
            else:
                new.append(row)
        return [*before.values(), *(self._full(new) if self._together else ((row,) for row in new))]

    def _full(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        most, weight = self._outbox.most_bytes, ENVELOPE
        parcel: list[Row] = []
        for row in rows:
            more = self._outbox.weight(row.filename, row.size)
            if parcel and (len(parcel) >= MOST_ENCLOSED or (most is not None and weight + more > most)):
                yield parcel
                parcel, weight = [], ENVELOPE
            parcel.append(row)
            weight += more
        if parcel:
            yield parcel

    async def look_up(self, row: Row) -> Result | None:
        """Nobody can: what may have arrived stays `unknown` until somebody asks for it by its id."""
        unsure = row.doubtful and row.target is not None
        if row.gone is not None:
            return self._unsure(row) if unsure else Result(row.id, RowStatus.SKIPPED, reason=row.gone)
        return self._unsure(row) if unsure and not row.asked else None

    async def carry(self, parcel: Parcel) -> Sequence[Result]:
        """One mail. A document that cannot be had goes for itself, and the others without it."""
        results: list[Result] = []
        while parcel:
            try:
                return [*results, *await self._sent(parcel)]
            except Spoilt as spoilt:
                if len(parcel) == 1 and not results:
                    raise spoilt.error from None
                row, _ = parcel[spoilt.number]
                results.append(of_row(row, spoilt.error, others_went=False))
                parcel = [each for each in parcel if each[0].id != row.id]
            except ProviderError as error:
                if not results:
                    raise
                return [*results, *(of_row(row, error, others_went=False) for row, _ in parcel)]
        return results

    async def _sent(self, parcel: Parcel) -> Sequence[Result]:
        rows = [row for row, _ in parcel]
        letter = self._letter(parcel)
        target = f"mid:{self._outbox.message_id(letter.reference)}"
        try:
            posted = await self._outbox.send(letter, lambda: self._commit(rows, target))
        except Unsure as unsure:
            return [self._unsure(replace(row, target=target), unsure.message) for row in rows]
        left_out = f"Not taken for {', '.join(posted.refused)}." if posted.refused else None
        reason = Reason.DOCUMENT_REFUSED if left_out else None
        return [
            Result(row.id, RowStatus.DONE, target, row.sha256, reason=reason, message=left_out)
            for row in rows
        ]

    async def _commit(self, rows: Sequence[Row], target: str) -> None:
        for row in rows:
            if not await self._intend(replace(row, target=target)):
                raise Superseded

    def settled(self) -> None:
        """Nothing is remembered."""

    async def close_part(self, claim: Claim, moved: Callable[[], Awaitable[Sequence[Row]]]) -> None:
        """Nothing: a letter is complete."""

    def _letter(self, parcel: Parcel) -> Letter:
        """Its reference follows from the documents in it, so that a repeat is recognised."""
        rows = [row for row, _ in parcel]
        known = {row.target for row in rows if row.doubtful and row.target}
        reference = str(uuid.uuid5(_SPACE, "\n".join(sorted(row.id for row in rows))))
        if len(known) == 1:  # the one that it went by before, also where not all of it is asked for
            reference = str(known.pop()).removeprefix("mid:").rpartition("@")[0]
        names: list[str] = []
        for row in rows:
            name, step = safe(row.filename), 1
            while numbered(name, step) in names:
                step += 1
            names.append(numbered(name, step))
        subjects = [_said(self._subject, Facts(row.document_id, row.filename, row.metadata)) for row in rows]
        more = f" (+{len(rows) - 1})" if len(set(subjects)) > 1 else ""
        enclosures = tuple(Enclosure(name, body) for name, (_, body) in zip(names, parcel, strict=True))
        return Letter(reference, subjects[0] + more, "\r\n".join(names) + "\r\n", enclosures)

    def _unsure(self, row: Row, message: str | None = None) -> Result:
        said = message or words("mail_interrupted").en
        return Result(
            row.id,
            RowStatus.UNKNOWN,
            row.target,
            row.sha256,
            reason=Reason.INTERRUPTED,
            message=said,
            retry_after=NEVER,
        )


def _said(subject: Segment, facts: Facts) -> str:
    """A subject in one line."""
    said = (
        part.value if part.kind == "text" else PLACEHOLDERS[part.value](facts) or EMPTY for part in subject
    )
    text = " ".join("".join(said).split())
    return "".join(letter for letter in text if letter.isprintable())[:200] or EMPTY
