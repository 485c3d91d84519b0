"""What becomes of what was found in a thing: which documents come in, which do not, and why. Pure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from providers.errors import ProviderError
from schemas.reasons import Reason, RowStatus
from sync_runner.handlers.imports import Arrival, Known, Thing
from sync_runner.judging import Seen, Wishes, metadata, verdict
from sync_runner.opening.pieces import Left, Piece, clean

MOST_ID = 400
"""Characters of a source's own id that are kept as they are; the rest is hashed."""
MAIL = "message/rfc822"
SPACE = uuid.UUID("6f1f2a6e-6f3e-5b0b-9a55-3c1a3e3f7d10")
"""Of the names of bytes (RFC 4122)."""


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


def other_id(external: str, mark: str) -> str:
    """How a document is called whose name another mail's document has: by what tells it apart from that."""
    return f"{external}~{hashlib.sha256(mark.encode()).hexdigest()[:12]}"


def mark_of(thing: Thing, sha256: str | None) -> str:
    """What tells a part of a mail apart from the same part of another: its bytes, else the mail."""
    return sha256 or thing.tag


def _called(thing: Thing, path: str, sha256: str | None, ledger: Ledger) -> str:
    """How it is called outside. Mails never change: other bytes under a Message-ID are another mail's."""
    external = external_id(thing.id, path)
    if thing.media_type != MAIL:
        return external
    final = [row.sha256 for row in ledger.versions.get(external, ()) if row.status not in _OPEN]
    known = [each for each in final if each is not None or sha256 is None]
    return external if not known or sha256 in known else other_id(external, mark_of(thing, sha256))


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
        external = _called(thing, each.piece.path, each.sha256, ledger)
        if (same := _same(ledger.versions.get(external, ()), each)) is not None:
            came.unchanged.append(same)
            continue
        status, why = verdict(each, wishes, ledger.exported)
        if status is RowStatus.DONE:
            said = metadata(thing, each, wishes)
            arrival = _taken(connection_id, external, thing, each, ledger, said, at)
            arrival = replace(arrival, kept_until=now + kept_for)
            came.bodies.append((str(arrival.content_id), each.piece, each.looks.media_type))
            came.arrivals.append(arrival)
        elif status is not None:
            name = each.piece.filename
            came.arrivals.append(
                refused(external, thing, at, name, why, status=status, ledger=ledger, seen=each)
            )
    for one in left:
        external = _called(thing, one.path, None, ledger)
        came.arrivals.append(refused(external, thing, at, one.filename, one.why, ledger=ledger))
    came.arrivals = [each for each in came.arrivals if not _is_told(each, ledger)]
    if wishes.settles and came.arrivals and all(each.status is RowStatus.DONE for each in came.arrivals):
        came.arrivals = [replace(each, settle=True) for each in came.arrivals]
    return came


def _taken(  # noqa: PLR0913, PLR0917 - what meets here
    connection_id: str,
    external: str,
    thing: Thing,
    seen: Seen,
    ledger: Ledger,
    said: Mapping[str, Any],
    at: datetime,
) -> Arrival:
    return Arrival(
        external_id=external,
        version=_version(ledger.versions.get(external, ())),
        thing=thing,
        status=RowStatus.DONE,
        received_at=at,
        filename=seen.piece.filename,
        media_type=seen.looks.media_type,
        size=seen.piece.blob.size,
        sha256=seen.sha256,
        content_id=content_id(connection_id, external, seen.sha256),
        duplicate_of=ledger.alike.get(seen.sha256),
        metadata=said,
    )


_OPEN = (RowStatus.PENDING, RowStatus.FAILED)


def _same(versions: Sequence[Known], seen: Seen) -> Known | None:
    """The row that has just these bytes: of a file its newest, which may become what it was before; of what
    lies in a mail or an archive any.
    """
    candidates = versions if seen.piece.path else versions[-1:]
    return next((row for row in candidates if row.sha256 == seen.sha256 and row.status not in _OPEN), None)


def _version(versions: Sequence[Known]) -> int:
    """The number of what comes: one more than the newest that was not left open."""
    if not versions:
        return 1
    newest = versions[-1]
    return newest.version if newest.status in _OPEN else newest.version + 1


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


def failed(
    thing: Thing, rows: Sequence[Known], error: ProviderError, ledger: Ledger, now: datetime
) -> list[Arrival]:
    """Rows that say what went wrong with a thing. One that went away before it was fetched is worth none."""
    gone = error.reason is Reason.CONTENT_UNAVAILABLE and error.kind == "item_permanent"
    passes = error.later or error.reason in (Reason.CONTENT_CHANGED, Reason.PERMISSION_MISSING)
    of_source = (
        error.kind in ("auth", "config", "rate_limited") and error.reason is not Reason.PERMISSION_MISSING
    )
    if (gone and not rows) or of_source:
        return []
    external = external_id(thing.id, "")
    versions = ledger.versions.get(external, ())
    open_ = [row for row in versions if row.status in _OPEN]
    return [
        Arrival(
            external,
            open_[-1].version if open_ else _version(versions),
            thing,
            RowStatus.SKIPPED if gone else RowStatus.FAILED if passes else RowStatus.REJECTED,
            min(thing.received_at or now, now),
            clean(thing.name),
            reason=error.reason,
            message=error.message,
            attempts=max((row.attempts for row in rows), default=0) + 1,
        )
    ]
