"""A thing's bytes, looked at: opened, scanned, told apart, asked what they say. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync_runner.einvoices.reader import MOST_PDF, MOST_XML, Reader, Said
from sync_runner.judging import Seen
from sync_runner.opening.blobs import IN_MEMORY, Blob, TooLarge
from sync_runner.opening.kinds import HEAD, Kind, looks
from sync_runner.opening.opening import CONTAINERS, open_up
from sync_runner.opening.pieces import Left, Piece


class Scanner(Protocol):
    """Looks for viruses."""

    async def scan(self, blob: Blob) -> str | None:
        """The name of what was found, or None.

        Raises:
            TooLarge: it looks at none so large.
            ProviderError: transient, where the scanner does not answer.
        """


@dataclass(slots=True)
class Inspected:
    """What is in a thing."""

    seen: Sequence[Seen]
    left: Sequence[Left]

    def close(self) -> None:
        """Throw the bytes away."""
        for each in self.seen:
            each.piece.blob.close()


class Inspector:
    """Opens and reads what comes in. `scanner` is None where none is set up."""

    def __init__(self, reader: Reader, scanner: Scanner | None = None) -> None:
        self._reader = reader
        self._scanner = scanner

    async def close(self) -> None:
        """End what reads for it."""
        await self._reader.close()

    async def inspect(self, blob: Blob, name: str, said: str | None) -> Inspected:
        """What is in these bytes."""
        if blob.size <= IN_MEMORY and looks(blob.head(HEAD), name, said).kind not in CONTAINERS:
            opened = open_up(blob, name, said)  # a file of its own: a thread costs more than it takes
        else:
            opened = await asyncio.to_thread(open_up, blob, name, said)
        try:
            return Inspected([await self._seen(piece) for piece in opened.found], opened.left)
        except BaseException:
            opened.close()
            raise

    async def _seen(self, piece: Piece) -> Seen:
        what = looks(piece.blob.head(HEAD), piece.filename, piece.said)
        said, virus = Said(), None
        try:
            virus = await self._scanner.scan(piece.blob) if self._scanner and piece.blob.size else None
        except TooLarge:
            return Seen(piece, what, scanned=False)
        if virus is None and what.kind is Kind.PDF and piece.blob.size <= MOST_PDF:
            said = await self._reader.pdf(piece.blob.whole())
        elif virus is None and what.kind is Kind.XML and piece.blob.size <= MOST_XML:
            said = await self._reader.xml(piece.blob.whole())
        return Seen(piece, what, said, virus)
