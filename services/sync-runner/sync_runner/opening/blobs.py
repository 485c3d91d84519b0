"""Bytes that came from a source, hashed as they come: small ones in memory, large ones in a file."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import IO, Self

IN_MEMORY = 512 * 1024
PIECE = 255 * 1024


class TooLarge(Exception):
    """There are more bytes than are taken in."""


class Blob:
    """A file of our own. Write, then read as often as needed; `close` throws it away."""

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._digest = hashlib.sha256()
        self.size = 0

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """These bytes."""
        blob = cls()
        blob.write(data)
        return blob

    @classmethod
    async def received(cls, chunks: AsyncIterator[bytes], most: int) -> Blob:
        """All that comes.

        Raises:
            TooLarge: it is more than `most` bytes.
        """
        blob = cls()
        try:
            async for chunk in chunks:
                blob.write(chunk)
                blob.check(most)
        except BaseException:
            blob.close()
            raise
        return blob

    def check(self, most: int) -> None:
        """Raises `TooLarge` where it holds more than `most` bytes."""
        if self.size > most:
            raise TooLarge

    @property
    def sha256(self) -> str:
        """Hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        if self.size <= IN_MEMORY < self.size + len(data):
            small, self._file = self.whole(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
            self._file.write(small)
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def head(self, count: int) -> bytes:
        """The first bytes."""
        self._file.seek(0)
        return self._file.read(count)

    def whole(self) -> bytes:
        """All bytes, in memory."""
        self._file.seek(0)
        return self._file.read()

    def pieces(self) -> Iterator[bytes]:
        """All bytes, a piece at a time."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def file(self) -> IO[bytes]:
        """The file itself, at its beginning, for libraries that seek."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Throw it away."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
