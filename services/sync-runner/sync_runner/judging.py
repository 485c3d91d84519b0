"""Whether a piece of a thing comes in, and if not, why in words. Pure; `arriving` makes rows of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.reasons import RowStatus
from sync_runner.einvoices.reader import Said
from sync_runner.handlers.imports import Thing
from sync_runner.opening.kinds import Kind, Looks, contradicts
from sync_runner.opening.pieces import Piece

UNKNOWN = "unknown"
TAKEN = ("pdf", "einvoice")
"""What is taken where the customer chose nothing."""

EMPTY = "This file is empty."
LOCKED = "This PDF is locked with a password; ask for one that opens without."
PROGRAM = "Programs are not taken in."
DISGUISED = "Its name says that it is a {claimed}, but it is none ({found}); ask for the document again."
NOT_CHOSEN = "Files of this kind ({found}) are not taken in; they can be chosen in the connection's options."
INFECTED = "The virus scanner found {virus} in it."
UNSCANNED = "It is larger than the virus scanner looks at; send it in smaller files."
OURS = "Paperbus put this file there itself, so it is not brought back."


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
    """A piece that was looked at. `virus` is what the scanner found; not `scanned`: too large for it."""

    piece: Piece
    looks: Looks
    said: Said = field(default_factory=Said)
    virus: str | None = None
    scanned: bool = True

    @property
    def sha256(self) -> str:
        return self.piece.blob.sha256


def verdict(seen: Seen, wishes: Wishes, exported: Collection[str]) -> tuple[RowStatus | None, str]:
    """What becomes of a piece, and why not `done`; None: it is part of how a mail looks, not worth a word.

    `exported`: hashes of what exports of the account put where this lies.
    """
    kind, found = seen.looks.kind, seen.looks.media_type
    refusals = (
        (seen.piece.blob.size == 0, EMPTY),
        (seen.virus is not None, INFECTED.format(virus=seen.virus)),
        (not seen.scanned, UNSCANNED),
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
    if seen.sha256 in exported:
        return RowStatus.SKIPPED, OURS
    return RowStatus.DONE, ""


def _disguised(seen: Seen) -> str:
    claimed = seen.piece.filename.rpartition(".")[2].upper()
    return DISGUISED.format(claimed=claimed, found=seen.looks.media_type)


def metadata(thing: Thing, seen: Seen, wishes: Wishes) -> dict[str, Any]:
    """What the invoice says of itself, else what the source says; the type never guessed."""
    said = {**thing.metadata, **seen.said.terms}
    said["document_type"] = said.get("document_type") or wishes.document_type or UNKNOWN
    tags = list(dict.fromkeys((*said.get("tags", ()), *wishes.tags)))
    return said | ({"tags": tags} if tags else {})
