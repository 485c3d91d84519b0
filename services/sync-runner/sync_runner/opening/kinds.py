"""What kind of file something is: by its first bytes, then by its name and its sender's word. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How files are told apart: the choices of the option `types`, and what is opened or never taken."""

    PDF = "pdf"
    XML = "xml"
    IMAGE = "image"
    OFFICE = "office"
    OTHER = "other"
    ZIP = "zip"
    MAIL = "mail"
    TNEF = "tnef"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Looks:
    """What a file is, and the media type that says so."""

    kind: Kind
    media_type: str


HEAD = 4096
"""Bytes that are looked at."""
OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
}
_SIGNS: tuple[tuple[bytes, Looks], ...] = (
    (b"%PDF-", Looks(Kind.PDF, "application/pdf")),
    (b"\x89PNG\r\n\x1a\n", Looks(Kind.IMAGE, "image/png")),
    (b"\xff\xd8\xff", Looks(Kind.IMAGE, "image/jpeg")),
    (b"II*\0", Looks(Kind.IMAGE, "image/tiff")),
    (b"MM\0*", Looks(Kind.IMAGE, "image/tiff")),
    (b"GIF8", Looks(Kind.IMAGE, "image/gif")),
    (b"BM", Looks(Kind.IMAGE, "image/bmp")),
    (b"\x78\x9f\x3e\x22", Looks(Kind.TNEF, "application/ms-tnef")),
    (b"MZ", Looks(Kind.PROGRAM, "application/x-msdownload")),
    (b"\x7fELF", Looks(Kind.PROGRAM, "application/x-elf")),
    (b"#!", Looks(Kind.PROGRAM, "text/x-script")),
)
"""The few that decide something here, told without a library; the rest is puremagic's."""
_CLAIMS = {".pdf": Kind.PDF, ".xml": Kind.XML, ".png": Kind.IMAGE, ".jpg": Kind.IMAGE, ".jpeg": Kind.IMAGE}


def looks(head: bytes, name: str, said: str | None) -> Looks:
    """What a file is.

    Args:
        head: its first bytes, up to `HEAD`.
        name: its file name.
        said: the media type that its sender gave it; believed only where the bytes say nothing.
    """
    extension = posixpath.splitext(name.lower())[1]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        office = OFFICE.get(extension)
        return Looks(Kind.OFFICE, office) if office else Looks(Kind.ZIP, "application/zip")
    if (known := next((what for sign, what in _SIGNS if head.startswith(sign)), None)) is not None:
        return known
    if extension == ".eml" or said == "message/rfc822":
        return Looks(Kind.MAIL, "message/rfc822")
    if b"%PDF-" in head[:1024]:  # some writers put something before it
        return Looks(Kind.PDF, "application/pdf")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Looks(Kind.OFFICE, OFFICE.get(extension, "application/x-ole-storage"))
    return Looks(Kind.XML, "application/xml") if _is_xml(head) else Looks(Kind.OTHER, _guessed(head, said))


def contradicts(name: str, what: Looks) -> bool:
    """Whether a name says one of the kinds that matter, and the bytes are another."""
    claimed = _CLAIMS.get(posixpath.splitext(name.lower())[1])
    return claimed is not None and claimed is not what.kind


def _is_xml(head: bytes) -> bool:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if head.startswith(mark):
            text = head[: len(head) // 2 * 2].decode(encoding, "ignore")
            break
    else:
        text = head.decode("latin-1")
    text = text.lstrip()
    return text.startswith("<?xml") or (text.startswith("<") and "xmlns" in text[:2000])


def _guessed(head: bytes, said: str | None) -> str:
    import puremagic

    try:
        found = str(puremagic.from_string(head, mime=True))
    except (puremagic.PureError, ValueError, IndexError):
        found = ""
    plain = (said or "").partition(";")[0].strip().lower()
    return found or (plain if _fits(plain) else "application/octet-stream")


def _fits(media_type: str) -> bool:
    kind, slash, rest = media_type.partition("/")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789.+-_")
    return bool(slash and kind and rest) and set(kind + rest) <= allowed and len(media_type) <= 100
