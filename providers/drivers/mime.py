"""A mail as bytes (RFC 5322, 2045, 2183), built while it is sent: documents are never wholly in memory."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime

from providers.content import Body
from providers.errors import ProviderError
from providers.outbox import Letter, Spoilt

_PLAIN = SMTP.clone(cte_type="7bit")
"""ASCII alone, which needs no 8BITMIME (RFC 6152) of the server, nor of those behind it."""
_LINE = 57
"""Bytes that make a line of base64 (76 characters, RFC 2045 §6.8)."""
_BATCH = _LINE * 4096


def head(letter: Letter, message_id: str, sender: str, to: str, now: datetime) -> bytes:
    """All up to the first document. `message_id` is without its brackets; the boundary follows from it."""
    mail = EmailMessage(policy=_PLAIN)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message_id}>"
    mail["X-Paperbus"] = "1"  # imports know it, so that what we send is never brought back
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes, please
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = f'multipart/mixed; boundary="{_boundary(letter)}"'
    text = MIMEPart(policy=_PLAIN)
    text.set_content(letter.text)
    return _fields(mail) + _opening(letter) + text.as_bytes()


def part(letter: Letter, name: str, media_type: str) -> bytes:
    """What stands before a document's lines."""
    held = MIMEPart(policy=_PLAIN)
    kind = media_type.partition(";")[0].strip().lower()
    fitting = kind.count("/") == 1 and kind.isascii() and kind.isprintable() and " " not in kind
    held["Content-Type"] = (
        kind if fitting and not kind.startswith("multipart/") else "application/octet-stream"
    )
    held.add_header("Content-Disposition", "attachment", filename=name)
    held["Content-Transfer-Encoding"] = "base64"
    return b"\r\n" + _opening(letter) + _fields(held)


def end(letter: Letter) -> bytes:
    """The last boundary."""
    return f"\r\n--{_boundary(letter)}--\r\n".encode()


def encoded_size(size: int) -> int:
    """Bytes on the wire of so many bytes in base64, with their line ends."""
    lines = -(-size // _LINE)
    return -(-size // 3) * 4 + 2 * lines


async def encoded(number: int, body: Body) -> AsyncIterator[bytes]:
    """A document's lines.

    Raises:
        Spoilt: its bytes could not be had, or were others.
    """
    waiting = bytearray()
    try:
        async with aclosing(body.stream()) as chunks:
            async for chunk in chunks:
                waiting += chunk
                whole = len(waiting) - len(waiting) % _LINE
                if whole >= _BATCH:
                    yield _lines(bytes(waiting[:whole]))
                    del waiting[:whole]
    except ProviderError as error:
        raise Spoilt(number, error) from None
    if waiting:
        yield _lines(bytes(waiting))


def _fields(of: MIMEPart) -> bytes:
    """The head alone: what follows it is sent as it comes."""
    return b"".join(_PLAIN.fold_binary(name, value) for name, value in of.raw_items()) + b"\r\n"


def _lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _opening(letter: Letter) -> bytes:
    return f"--{_boundary(letter)}\r\n".encode()


def _boundary(letter: Letter) -> str:
    return f"=_{letter.reference}"
