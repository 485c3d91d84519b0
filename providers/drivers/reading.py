"""What the sources of files have in common: pages of a listing, and what reading one file meets. No I/O."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable

from providers.content import changed
from providers.errors import ProviderError
from providers.folders import Entry
from providers.http import Answer
from providers.words import words
from schemas.reasons import Reason

PAGE = 2000
"""Entries of a page, where the protocol has no pages of its own."""
_GONE = (Reason.DESTINATION_MISSING, Reason.CONTENT_UNAVAILABLE)


def paged(entries: Iterable[Entry], token: str | None, most: int = PAGE) -> tuple[list[Entry], str | None]:
    """The entries by path that come after `token`, and the token of the next page.

    What comes and goes between two pages moves nothing else: a page begins after a name, not after a number.
    """
    later = sorted((each for each in entries if token is None or each.path > token), key=lambda one: one.path)
    page = later[:most]
    return page, page[-1].path if len(later) > most else None


def begins_at(head: Answer) -> int:
    """The byte that an answer to a range begins at: servers that know no ranges begin at 0 (RFC 9110 §14.4).

    Some say 200 to a range all the same.
    """
    told = re.match(r"bytes (\d{1,18})-", head.headers.get("Content-Range", ""))
    return int(told[1]) if told else 0


async def after(chunks: AsyncIterator[bytes], skip: int) -> AsyncIterator[bytes]:
    """The chunks without their first `skip` bytes."""
    async for chunk in chunks:
        if len(chunk) > skip:
            yield chunk[max(0, skip) :]
        skip = max(0, skip - len(chunk))


def unreadable(error: ProviderError) -> ProviderError:
    """An error at reading one file: that it is gone, or not ours to read, is about it alone."""
    if error.reason in _GONE:
        return there_no_more()
    if error.reason is Reason.PERMISSION_MISSING:
        return ProviderError("item_permanent", error.reason, error.text)
    return error


def crowded(most: int) -> ProviderError:
    """A folder that holds more than is looked at in one piece."""
    return ProviderError(
        "config", Reason.PROVIDER_CHANGED, words("crowded", most=f"{most:,}"), field="folder"
    )


def is_still(now: Entry | None, version: str) -> bool:
    """Whether what was listed as `version` is there now; no where nothing is.

    Raises:
        ProviderError: another version took its place.
    """
    if now is not None and now.version != version:
        raise changed()
    return now is not None


def there_no_more() -> ProviderError:
    """The file went away after it was listed."""
    return ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("file_gone"))
