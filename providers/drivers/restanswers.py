"""What a JSON interface's answers say, by the places that a manifest names. Pure: nothing is asked here."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonpointer import JsonPointer, JsonPointerException

from providers.errors import ProviderError
from providers.http import Answer
from providers.words import words
from schemas.reasons import Reason
from schemas.sources import Listing, Paging

_LINK = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)

_DAY, _TIME = ("year", "month", "day"), ("hour", "minute", "second", "microsecond")


def at(answer: Any, pointer: str) -> Any:
    """What is at a place in an answer; None where there is nothing."""
    try:
        return JsonPointer(pointer).resolve(answer, None)
    except (JsonPointerException, TypeError, KeyError):
        return None


def has_list(answer: Any, listing: Listing) -> bool:
    """Whether an answer is one of this list at all, and no error with status 200.

    An empty list may be left out of what holds it (QuickBooks, Billomat); without that, it is another answer.
    """
    parts = JsonPointer(listing.items).parts
    if parts:
        return isinstance(answer, dict) and parts[0] in answer
    records = answer.values() if isinstance(answer, dict) else ()
    return isinstance(answer, list | dict) and all(at(each, listing.id) is not None for each in records)


def rows_of(answer: Any, listing: Listing) -> list[Any]:
    """The items of one page. Where a list should be and a record is, that is the only one (Billomat)."""
    found = at(answer, listing.items)
    if isinstance(found, dict) and at(found, listing.id) is not None:
        return [found]
    return listed(answer, listing.items)


def listed(answer: Any, pointer: str) -> list[Any]:
    """The list, or the values of the object, at a place in an answer; none where there is no such thing."""
    rows = at(answer, pointer)
    if isinstance(rows, dict):
        return list(rows.values())
    return rows if isinstance(rows, list) else []


def next_page(paging: Paging, listing: Listing, said: Any, answer: Answer, page: Any) -> Any:
    """What leads to the next page; None: this was the last."""
    rows = rows_of(said, listing)
    # What is not counted may have an empty page though there is more: Dropbox and Google say so.
    is_end = not rows and paging.by not in ("token", "url")
    if is_end or (paging.more is not None and not at(said, paging.more)):
        return None
    if paging.by in ("page", "offset"):
        turn = int(page if page is not None else (paging.start if paging.by == "page" else 0))
        if paging.more is None and len(rows) < paging.size:
            return None
        return turn + (1 if paging.by == "page" else max(1, len(rows) - 1))
    if paging.by == "last_id":
        return at(rows[-1], listing.id) if paging.more is not None or len(rows) >= paging.size else None
    if paging.by == "link":
        found = _LINK.search(answer.headers.get("Link", ""))
        return found.group(1) if found else None
    following = at(said, paging.next or "") or None
    return None if not rows and following == page else following


def since_as(asked: datetime, listing: Listing) -> str:
    """A moment as this list wants it: a day, seconds since 1970, or RFC 3339 in UTC."""
    kind = listing.since.format if listing.since else "datetime"
    if kind == "epoch":
        return str(int(asked.timestamp()))
    return (
        asked.date().isoformat() if kind == "date" else asked.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def moment(said: Any) -> datetime | None:
    """A moment as interfaces write it: RFC 3339, a day, seconds since 1970, or an object with
    `year`, `month`, `day` and so on in UTC (Tryton). What is none is None.
    """
    try:
        if isinstance(said, dict):
            year, month, day = (int(said[part]) for part in _DAY)
            hour, minute, second, micro = (int(said.get(part, 0)) for part in _TIME)
            return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
        if isinstance(said, int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(said, UTC)
        moment = datetime.fromisoformat(str(said).strip().replace(" ", "T", 1)) if said else None
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def received(row: Any, listing: Listing, since: datetime | None) -> datetime | None:
    """When the provider got what a row tells of; None where it does not say.

    A day alone is over only at its end: what bears the day in which `since` lies is not older than `since`.
    """
    if listing.received_on is None:
        return moment(at(row, listing.received_at)) if listing.received_at else None
    day = moment(at(row, listing.received_on))
    return since if day and since and day < since < day + timedelta(days=1) else day


def type_of(row: Any, listing: Listing) -> str | None:
    """The type of the document that a row tells of; None where the provider does not say."""
    if listing.document_types is None:
        return listing.document_type
    return listing.document_types.of.get(plain(at(row, listing.document_types.at)))


def plain(said: Any) -> str:
    """A value as text; nothing is empty."""
    if said is None:
        return ""
    text = str(said) if not isinstance(said, dict | list) else json.dumps(said, sort_keys=True)
    return text.encode("utf-8", "replace").decode()  # JSON may hold halves of characters, which nobody keeps


def first_file(answer: Answer) -> bytes:
    """The first part of a multipart answer that is a file.

    Raises:
        ProviderError: `content_unavailable` where no part is one.
    """
    head = f"Content-Type: {answer.headers.get('Content-Type', '')}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + answer.body)
    for part in message.walk():
        if not part.is_multipart() and part.get_content_type() not in ("application/json", "text/plain"):
            return bytes(part.get_payload(decode=True) or b"")
    raise ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))
