"""What becomes of what was found in a thing: which documents come in, which do not, and why. Pure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from schemas.reasons import Reason, RowStatus
from sync_runner.einvoices.reader import Said
from sync_runner.handlers.imports import Arrival, Known, Thing
from sync_runner.opening.kinds import Kind, Looks, contradicts
from sync_runner.opening.pieces import Left, Piece

MOST_ID = 400
"""Characters of a source's own id that are kept as they are; the rest is hashed."""
SPACE = uuid.UUID("6f1f2a6e-6f3e-5b0b-9a55-3c1a3e3f7d10")
"""Of the names of bytes (RFC 4122)."""
UNKNOWN = "unknown"
TAKEN = ("pdf", "einvoice")
"""What is taken where the customer chose nothing."""

EMPTY = "This file is empty."
LOCKED = "This PDF is locked with a password; ask for one that opens without."
PROGRAM = "Programs are not taken in."
DISGUISED = "Its name says that it is a {claimed}, but it is none ({found}); ask for the document again."
NOT_CHOSEN = "Files of this kind ({found}) are not taken in; they can be chosen in the connection's options."
INFECTED = "The virus scanner found {virus} in it."
OURS = "Paperbus put this file there itself, so it is not brought back."
NOTHING_IN_IT = "There is no document in it."


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the connection's options say of documents."""

    types: frozenset[str] = frozenset(TAKEN)
    document_type: str | None = None
    tags: tuple[str, ...] = ()
    settles: bool = False
    """Something is to be done at the source afterwards."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Wishes:
        """From the options of an import."""
        tags = tuple(part.strip() for part in str(options.get("tags") or "").split(",") if part.strip())
        return cls(
            frozenset(options.get("types") or TAKEN),
            str(options.get("document_type") or "") or None,
            tags,
            options.get("afterwards") not in (None, "", "nothing"),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece that was looked at. `virus` is what the scanner found."""

    piece: Piece
    looks: Looks
    said: Said = field(default_factory=Said)
    virus: str | None = None

    @property
    def sha256(self) -> str:
        return self.piece.blob.sha256


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known already. `versions` by external id, oldest first; `alike` and `exported` by SHA-256."""

    versions: Mapping[str, Sequence[Known]]
    alike: Mapping[str, str]
    """The row of another document with these bytes."""
    exported: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outcome:
    """Rows to write, with the pieces whose bytes are to be kept first, and rows that are as they were."""

    arrivals: list[Arrival] = field(default_factory=list)
    bodies: list[tuple[str, Piece, str]] = field(default_factory=list)
    """Content id, piece, media type."""
    unchanged: list[Known] = field(default_factory=list)


def since_of(start: datetime | None, option: Any) -> datetime | None:
    """From when on a source is looked at: the later of the connection's start and the option `since`."""
    if not option:
        return start
    day = datetime.combine(date.fromisoformat(str(option)[:10]), time(), UTC)
    return day if start is None else max(start, day)


def external_id(thing_id: str, path: str) -> str:
    """How a document is called outside: by its source's id, and where in the thing it lies."""
    whole = thing_id.lstrip("/") + (f"#{path}" if path else "")
    if len(whole) <= MOST_ID:
        return whole or "-"
    return f"{whole[: MOST_ID - 33]}~{hashlib.sha256(whole.encode()).hexdigest()[:32]}"


def content_id(connection_id: str, external: str, sha256: str) -> str:
    """Where bytes are kept: the same for the same document and bytes, so that twice is once."""
    return str(uuid.uuid5(SPACE, f"{connection_id}\n{external}\n{sha256}"))


def outcome(  # noqa: PLR0913 - what meets here
    connection_id: str,
    thing: Thing,
    seen: Sequence[Seen],
    left: Sequence[Left],
    *,
    wishes: Wishes,
    ledger: Ledger,
    now: datetime,
    kept_for: timedelta,
) -> Outcome:
    """What to write for one thing."""
    came = Outcome()
    at = min(thing.received_at or now, now)
    for each in seen:
        _judge(came, connection_id, thing, each, wishes, ledger, at, now + kept_for)
    for one in left:
        came.arrivals.append(
            refused(external_id(thing.id, one.path), thing, at, one.filename, one.why, ledger=ledger)
        )
    came.arrivals = [each for each in came.arrivals if not _is_told(each, ledger)]
    taken = [each.status is RowStatus.DONE for each in came.arrivals]
    if wishes.settles and taken and all(taken):
        came.arrivals = [_settling(each) for each in came.arrivals]
    return came


def _judge(  # noqa: PLR0913, PLR0917 - what meets here
    came: Outcome,
    connection_id: str,
    thing: Thing,
    seen: Seen,
    wishes: Wishes,
    ledger: Ledger,
    at: datetime,
    until: datetime,
) -> None:
    external = external_id(thing.id, seen.piece.path)
    versions = ledger.versions.get(external, ())
    if (same := _same(versions, seen)) is not None:
        came.unchanged.append(same)
        return
    status, why = _verdict(seen, wishes, ledger)
    if status is None:
        return
    if status is not RowStatus.DONE:
        arrival = refused(
            external, thing, at, seen.piece.filename, why, status=status, ledger=ledger, seen=seen
        )
        came.arrivals.append(arrival)
        return
    content = content_id(connection_id, external, seen.sha256)
    came.bodies.append((content, seen.piece, seen.looks.media_type))
    came.arrivals.append(
        Arrival(
            external_id=external,
            version=_version(versions),
            thing=thing,
            status=RowStatus.DONE,
            received_at=at,
            filename=seen.piece.filename,
            media_type=seen.looks.media_type,
            size=seen.piece.blob.size,
            sha256=seen.sha256,
            content_id=content,
            kept_until=until,
            duplicate_of=ledger.alike.get(seen.sha256),
            metadata=_metadata(thing, seen, wishes),
        )
    )


_OPEN = (RowStatus.PENDING, RowStatus.FAILED)


def _same(versions: Sequence[Known], seen: Seen) -> Known | None:
    """The row that has just these bytes: of a file its newest, which may become what it was before; of what
    lies in a mail any, for mails never change, but two of them may bear one Message-ID.
    """
    candidates = versions if seen.piece.path else versions[-1:]
    return next((row for row in candidates if row.sha256 == seen.sha256 and row.status not in _OPEN), None)


def _version(versions: Sequence[Known]) -> int:
    """The number of what comes: one more than the newest that was not left open."""
    if not versions:
        return 1
    newest = versions[-1]
    return newest.version if newest.status in _OPEN else newest.version + 1


def _verdict(seen: Seen, wishes: Wishes, ledger: Ledger) -> tuple[RowStatus | None, str]:
    """What becomes of a piece, and why not `done`; None: it is part of how a mail looks, not worth a word."""
    kind, found = seen.looks.kind, seen.looks.media_type
    refusals = (
        (seen.piece.blob.size == 0, EMPTY),
        (seen.virus is not None, INFECTED.format(virus=seen.virus)),
        (kind is Kind.PROGRAM, PROGRAM),
        (seen.said.locked, LOCKED),
        (contradicts(seen.piece.filename, seen.looks), _disguised(seen)),
    )
    why = next((sentence for holds, sentence in refusals if holds), None)
    chosen = "einvoice" if kind is Kind.XML and seen.said.terms else kind.value
    if chosen not in wishes.types or (seen.piece.hidden and kind is Kind.IMAGE):
        hidden = seen.piece.hidden or seen.piece.blob.size == 0
        if why is None or kind is Kind.IMAGE:
            return (None, "") if hidden else (RowStatus.SKIPPED, NOT_CHOSEN.format(found=found))
    if why is not None:
        return RowStatus.REJECTED, why
    if seen.sha256 in ledger.exported:
        return RowStatus.SKIPPED, OURS
    return RowStatus.DONE, ""


def _disguised(seen: Seen) -> str:
    claimed = seen.piece.filename.rpartition(".")[2].upper()
    return DISGUISED.format(claimed=claimed, found=seen.looks.media_type)


def refused(  # noqa: PLR0913 - what meets here
    external: str,
    thing: Thing,
    at: datetime,
    filename: str,
    why: str,
    *,
    ledger: Ledger,
    status: RowStatus = RowStatus.REJECTED,
    seen: Seen | None = None,
) -> Arrival:
    """A row that says why something did not come in."""
    return Arrival(
        external_id=external,
        version=_version(ledger.versions.get(external, ())),
        thing=thing,
        status=status,
        received_at=at,
        filename=filename,
        media_type=seen.looks.media_type if seen else None,
        size=seen.piece.blob.size if seen else None,
        sha256=seen.sha256 if seen else None,
        reason=Reason.DOCUMENT_REFUSED,
        message=why,
    )


def _is_told(arrival: Arrival, ledger: Ledger) -> bool:
    """Whether the same refusal stands there already: a mail that is listed again says nothing new."""
    versions = ledger.versions.get(arrival.external_id, ())
    if arrival.status is RowStatus.DONE or arrival.sha256 is not None or not versions:
        return False
    return versions[-1].status not in _OPEN


def _metadata(thing: Thing, seen: Seen, wishes: Wishes) -> dict[str, Any]:
    """What the invoice says of itself, else what the source says; the type never guessed."""
    said = {**thing.metadata, **seen.said.terms}
    said["document_type"] = said.get("document_type") or wishes.document_type or UNKNOWN
    tags = list(dict.fromkeys((*said.get("tags", ()), *wishes.tags)))
    return said | ({"tags": tags} if tags else {})


def _settling(arrival: Arrival) -> Arrival:
    return replace(arrival, settle=True)
