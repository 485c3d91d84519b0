"""Mails (RFC 5322, MIME) taken apart: attachments, also of forwarded messages, broken ones as well.

Text and pictures of the mail itself are no documents. Nothing is decrypted.
"""

from __future__ import annotations

import binascii
import email.header
import email.policy
import email.utils
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser

from sync_runner.opening import cutting
from sync_runner.opening.pieces import DEEPEST, Opened

_NO_DOCUMENTS = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "message/delivery-status",
        "message/disposition-notification",
        "text/calendar",
        "text/rfc822-headers",
        "text/vcard",
        "text/x-amp-html",
    }
)
_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_EXTENSIONS = {
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/zip": ".zip",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "message/rfc822": ".eml",
    "application/ms-tnef": "winmail.dat",
}
SEALED = "This mail is encrypted; ask its sender for one that is not, or forward the decrypted attachment."


class _Lenient(email.policy.Compat32):
    """Headers as they were meant: bytes that keep to no rule are UTF-8, else Windows' own letters."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        del name
        return _plain(value).strip()


def parsed(data: bytes) -> Message:
    """The mail. Broken ones are read as far as they go."""
    parser = BytesParser(policy=_Lenient())
    rest, bodies = cutting.cut(data)
    message = parser.parsebytes(rest)
    return message if cutting.restore(message, bodies) else parser.parsebytes(data)


def take_apart(message: Message, opened: Opened, prefix: str = "", depth: int = 0) -> None:
    """Add the mail's attachments to `opened`. `prefix` leads to the mail: `2.1` is a part of its part 2."""
    for path, part in _leaves(message, prefix):
        media_type = part.get_content_type()
        name = filename(part)
        if media_type in _SEALED or media_type == "multipart/encrypted":
            if "signed-data" not in str(part.get("Content-Type", "")).lower():
                opened.leave(path, name or "smime.p7m", SEALED)
            continue
        if media_type == "message/rfc822":
            _forwarded(part, path, name, opened, depth)
        elif _is_attachment(part, media_type, name):
            stem = name or f"attachment{_EXTENSIONS.get(media_type, '')}"
            opened.add(path, stem, media_type, decoded(part), hidden=_is_hidden(part))


def _leaves(message: Message, prefix: str) -> Iterator[tuple[str, Message]]:
    """Every part that holds no others, with its number (as IMAP numbers them)."""
    payload = message.get_payload()
    if message.get_content_maintype() != "multipart" or not isinstance(payload, list):
        yield prefix or "1", message
        return
    if message.get_content_type() == "multipart/encrypted":
        yield prefix or "1", message
        return
    for number, part in enumerate(payload, 1):
        if isinstance(part, Message):
            yield from _leaves(part, f"{prefix}.{number}" if prefix else str(number))


def _forwarded(part: Message, path: str, name: str, opened: Opened, depth: int) -> None:
    inner = part.get_payload()
    if depth >= DEEPEST:
        opened.leave(
            path, name or "message.eml", "Mails lie in mails too deep to be opened; forward it alone."
        )
    elif isinstance(inner, list) and inner and isinstance(inner[0], Message):
        take_apart(inner[0], opened, path, depth + 1)
    elif isinstance(inner, str):  # encoded against the rules, as some programs do
        take_apart(parsed(decoded(part)), opened, path, depth + 1)


def _is_attachment(part: Message, media_type: str, name: str) -> bool:
    if media_type in _NO_DOCUMENTS:
        return False
    if part.get_content_disposition() == "attachment" or name:
        return True
    return not media_type.startswith(("text/", "image/", "multipart/", "message/"))


def _is_hidden(part: Message) -> bool:
    return part.get_content_disposition() != "attachment" and "Content-ID" in part


def decoded(part: Message) -> bytes:
    """The part's bytes. What is wrongly encoded is decoded as far as possible."""
    payload = part.get_payload()
    if not isinstance(payload, str):
        return b""
    if str(part.get("Content-Transfer-Encoding", "")).lower() == "base64":
        return _base64(payload.encode("ascii", "replace"))  # what is no letter of base64 is dirt
    return part.get_payload(decode=True) or b""  # type: ignore[return-value]  # bytes for a leaf


def _base64(raw: bytes) -> bytes:
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        plain = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        plain = plain[: len(plain) - (len(plain) % 4 == 1)]
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def filename(part: Message) -> str:
    """The name of an attachment: RFC 2231, RFC 2047, or bytes that keep to no rule. Empty: it has none."""
    try:
        raw = part.get_filename()
    except (LookupError, ValueError, TypeError, AttributeError):
        raw = None
    return text_of(raw) if raw else ""


def text_of(raw: object) -> str:
    """A header's words, whatever their charset claims to be."""
    words = []
    try:
        decoded_words = email.header.decode_header(str(raw))
    except (email.errors.HeaderParseError, ValueError, binascii.Error):
        return _plain(str(raw))
    for word, charset in decoded_words:
        words.append(_charset(word, charset) if isinstance(word, bytes) else _plain(word))
    return "".join(words).strip()


def _charset(word: bytes, charset: str | None) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return word.decode(name)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return word.decode("cp1252", "replace")


def _plain(word: str) -> str:
    raw = word.encode("utf-8", "surrogateescape")
    return _charset(raw, None)
