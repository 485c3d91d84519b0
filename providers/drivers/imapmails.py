"""What a server says of a mail, before it is fetched (RFC 3501, FETCH). Pure: nothing is asked here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from providers.sources import Item

MARK = "X-Paperbus"
"""Our own mark on mails that we sent: they are never brought back."""
MAIL = "message/rfc822"
ASKED = (
    "INTERNALDATE",
    "RFC822.SIZE",
    f"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT {MARK.upper()})]",
)


def sequence_set(uids: Collection[int]) -> bytes:
    """A sequence set with ranges: `1:200,205`."""
    ranges: list[list[int]] = []
    for uid in sorted(uids):
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in ranges).encode()


def item_of(uid: int, validity: int, mailbox: str, answer: Mapping[bytes, Any]) -> Item:
    """A mail as a thing: what the server said to `ASKED`."""
    headers = next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER")), b"") or b""
    size, received = int(answer[b"RFC822.SIZE"]), _utc(answer.get(b"INTERNALDATE"))
    stamp = "" if received is None else str(int(received.timestamp()))
    return Item(
        id=message_id(headers) or f"~{hashlib.sha256(headers + str(size).encode()).hexdigest()[:40]}",
        version=f"{size}-{stamp}-{hashlib.sha256(headers).hexdigest()[:8]}",
        name="message.eml",
        received_at=received,
        size=size,
        media_type=MAIL,
        place=mailbox,
        metadata={},
        reference={"uid": uid, "validity": validity, "mailbox": mailbox}
        | ({"ours": True} if _MARKED.search(headers) else {}),
    )


_MARKED = re.compile(rb"^X-Paperbus:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\r\n]{1,900}>)", re.IGNORECASE | re.MULTILINE)


def message_id(headers: bytes) -> str | None:
    """`<…>` of a mail's headers; None where there is none that is one."""
    found = _MESSAGE_ID.search(headers)
    return found.group(1).decode("latin-1") if found else None


def is_ours(item: Item) -> bool:
    """Whether it has our own mark: we sent it."""
    return bool(item.reference.get("ours"))


def _utc(at: Any) -> datetime | None:
    """IMAPClient gives the time of this machine without a zone."""
    return at.astimezone(UTC) if isinstance(at, datetime) else None
