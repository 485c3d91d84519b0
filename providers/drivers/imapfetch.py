"""The bytes of mails: small ones many at once, large ones in pieces. It knows no mailbox.

What a server says of a mail's size decides how it is asked for, and is never believed: no answer is asked for
that could be larger than `MOST_AT_ONCE`, and a mail ends where the server has no more of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

from providers.drivers.imapline import Line
from providers.errors import ProviderError
from providers.words import words
from schemas.reasons import Reason

AHEAD = 2 * 1024 * 1024
"""Bytes of small mails that are fetched with one command, as the server says."""
AHEAD_MAILS = 64
MOST_AT_ONCE = 8 * 1024 * 1024
"""Bytes that one command may bring, whatever the server said."""
SLACK = 64 * 1024
"""Bytes that a mail may be larger than the server said (many count its lines otherwise), and come at once."""
PIECE = 1024 * 1024
"""Larger mails come in pieces of so many bytes."""


class Mails:
    """The bytes of a selected mailbox's mails."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._turn = asyncio.Lock()
        self._coming: Sequence[tuple[int, int]] = ()
        self._ready: dict[int, tuple[bytes, bool]] = {}

    def listed(self, mails: Sequence[tuple[int, int]]) -> None:
        """These are asked for next: UIDs with their sizes in bytes, in that order."""
        self._coming = mails
        self._ready.clear()

    async def bytes_of(self, uid: int, size: int | None, start: int) -> AsyncGenerator[bytes, None]:
        """A mail from `start` on.

        Args:
            uid: in the mailbox that is selected.
            size: bytes, as the server said.
            start: bytes that are passed over.

        Raises:
            ProviderError: `content_unavailable` where it is gone.
        """
        at = start
        if size is None or size <= AHEAD:
            data, is_whole = await self._early(uid, size or 0)
            if len(data) > start:
                yield data[start:] if start else data
            if is_whole:
                return
            at = max(start, len(data))
        is_whole = False
        while not is_whole:  # a short piece need not be the last
            piece, is_whole = await self._piece(uid, at)
            if piece:
                yield piece
            at += len(piece)
            is_whole = is_whole or not piece

    async def _early(self, uid: int, size: int) -> tuple[bytes, bool]:
        """What came of a mail at once, and whether that is all of it."""
        if uid not in self._ready:
            async with self._turn:
                if uid not in self._ready:
                    await self._fetch_ahead(uid, size)
        found = self._ready.pop(uid, None)
        if found is None:
            raise gone_mail()
        return found

    async def _fetch_ahead(self, uid: int, size: int) -> None:
        """This mail, and those that come after it in the listing, as many as fit."""
        said, held, largest = {uid: size}, size, size + SLACK
        listed = [each for each, _ in self._coming]
        at = listed.index(uid) + 1 if uid in listed else len(listed)
        for other, length in self._coming[at:]:
            larger = max(largest, length + SLACK)
            if held + length > AHEAD or (len(said) + 1) * larger > MOST_AT_ONCE or len(said) >= AHEAD_MAILS:
                break
            if other not in self._ready:
                said[other] = length
                held, largest = held + length, larger
        found = await self._line.call(
            lambda client: client.fetch(list(said), [f"BODY.PEEK[]<0.{largest}>"]),
        )
        for each, length in said.items():
            if (came := _body(found.get(each, {}))) is not None:
                data, is_whole = came
                self._ready[each] = data, is_whole or length <= len(data) < largest

    async def _piece(self, uid: int, at: int) -> tuple[bytes, bool]:
        answer = await self._line.call(partial(_fetch_one, uid, f"BODY.PEEK[]<{at}.{PIECE}>"))
        if not answer:
            raise gone_mail()
        data, is_whole = _body(answer) or (b"", True)
        return (data[at:] if is_whole else data), is_whole


def gone_mail() -> ProviderError:
    """A mail that is no longer in its mailbox."""
    return ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))


def _fetch_one(uid: int, asked: str, client: Any) -> Mapping[bytes, Any]:
    found: Mapping[int, Mapping[bytes, Any]] = client.fetch([uid], [asked])
    return found.get(uid, {})


def _body(answer: Mapping[bytes, Any]) -> tuple[bytes, bool] | None:
    """What came of the mail, and whether it came whole though a part was asked for; None: nothing came."""
    found = ((key, value) for key, value in answer.items() if key.startswith(b"BODY[]"))
    return next(((value or b"", key == b"BODY[]") for key, value in found), None)
