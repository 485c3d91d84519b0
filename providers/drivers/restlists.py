"""One list of a JSON interface, page by page, also while it shrinks. What a row means is read elsewhere.

Where pages are counted, a row that goes moves all that come after it one place up, and the next page misses
one. So each page has to join the one before: it holds a row of that (by offset, it begins with the last one),
or that one is read again, and those before it, until one holds a row that was read. What is read twice is
told apart by who imports it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from providers.drivers.restanswers import at, has_list, next_page, plain, rows_of, since_as
from providers.drivers.restcalls import Interface
from providers.errors import ProviderError
from providers.http import Answer
from providers.words import words
from schemas.reasons import Reason
from schemas.sources import Listing, Paging

NO_CONTENT = 204
MOST_KNOWN = 100
"""Rows of a page that are kept to know it again: a cursor is to stay small."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One page's rows (and those that were read again before it), what leads to the next (None: it was the
    last), and which rows the next has to join: checksums of their ids, for pages that are counted.
    """

    rows: Sequence[Any]
    following: Any
    known: Sequence[int] = ()


def _goes_on_for_ever() -> ProviderError:
    return ProviderError("transient", Reason.PROVIDER_CHANGED, words("not_understood"))


def is_forgotten(page: Any, refused: ProviderError) -> bool:
    """Whether a provider refused what once led to a page: an earlier run kept it for too long, and the list
    begins again. What counts is never forgotten.
    """
    return isinstance(page, str) and refused.reason in (Reason.DOCUMENT_REFUSED, Reason.DESTINATION_MISSING)


class Lists:
    """A list of an interface, narrowed to what is newer than `since` where it can be."""

    def __init__(self, calls: Interface, listing: Listing, since: datetime | None) -> None:
        self._calls = calls
        self._listing = listing
        self._params: dict[str, str] = {}
        if listing.since is not None and since is not None:
            overlap = timedelta(hours=listing.since.overlap_hours)
            self._params[listing.since.param] = since_as(since - overlap, listing)

    async def turn(self, page: Any, known: Collection[int]) -> Turn:
        """The page that `page` leads to (None: the first).

        Args:
            page: `following` of the turn before.
            known: its `known`.

        Raises:
            ProviderError: as `_page`; `transient` where it never ends: a page leads to itself, or each number
                to the same.
        """
        paging = self._listing.paging
        rows, following = await self._page(page)
        if paging is None or paging.by not in ("page", "offset"):
            if following is not None and following == page:
                raise _goes_on_for_ever()
            return Turn(rows, following)
        seen = self._checksums(rows)
        is_again = following is not None and seen[-MOST_KNOWN:] == list(known)
        if is_again and await self._shows(following, seen):
            raise _goes_on_for_ever()
        if page is not None and known and not set(known) & set(seen):
            rows = [*await self._missed(paging, int(page), known), *rows]
        return Turn(rows, following, seen[-MOST_KNOWN:] if following is not None else ())

    async def _missed(self, paging: Paging, page: int, known: Collection[int]) -> list[Any]:
        """What moved out of a page's sight: the pages before it, back to one that holds a row we know."""
        step, first = (1, paging.start) if paging.by == "page" else (paging.size, 0)
        again: list[Any] = []
        while page > first:
            page = max(first, page - step)
            rows, _ = await self._page(page)
            again = [*rows, *again]
            seen = self._checksums(rows)
            if set(seen) & set(known):
                # Nothing has moved where it still ends as it did.
                return [] if again == rows and seen[-1] == list(known)[-1] else again
        return again

    async def _shows(self, page: Any, seen: Sequence[int]) -> bool:
        """Whether this page has these rows too. Two alike may be true: a page full was put before them."""
        rows, _ = await self._page(page)
        return self._checksums(rows) == seen

    def _checksums(self, rows: Sequence[Any]) -> list[int]:
        return [zlib.crc32(plain(at(row, self._listing.id)).encode()) for row in rows]

    async def _page(self, page: Any) -> tuple[list[Any], Any]:
        """One answer's rows, and what leads to the next; None where it is the last.

        Raises:
            ProviderError: what asking meets; `transient` where the answer is none of this list.
        """
        paging, listing = self._listing.paging, self._listing
        answer = await self._answer(page)
        if answer.status == NO_CONTENT or (listing.empty is not None and answer.status == listing.empty):
            return [], None
        said = self._calls.said(answer)
        if not has_list(said, listing):
            raise ProviderError("transient", Reason.PROVIDER_DOWN, words("trouble", status=answer.status))
        return rows_of(said, listing), next_page(paging, listing, said, answer, page) if paging else None

    async def _answer(self, page: Any) -> Answer:
        """What the provider answers to the call for a page."""
        paging, listing = self._listing.paging, self._listing
        params = dict(self._params)
        if paging is None:
            return await self._calls.send(listing.call, params)
        if paging.by in ("link", "url") and page is not None:
            return await self._calls.get(self._calls.own(str(page)))
        if paging.call is not None and page is not None:
            return await self._calls.send(paging.call, params, {"next": page})
        if paging.size_param is not None:
            params[paging.size_param] = str(paging.size)
        turn = page if page is not None else (paging.start if paging.by == "page" else None)
        if turn is not None and paging.param is not None:
            params[paging.param] = str(turn)
        return await self._calls.send(listing.call, params)
