"""Attachments in `winmail.dat`: Outlook's TNEF (MS-OXTNEF), as far as files go. Pure.

Only attribute framing, the title and the data of attachments are read, and the long file name among the MAPI
properties; everything else is passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sync_runner.opening.pieces import Opened

SIGNATURE = 0x223E9F78
_RENDERING, _TITLE, _DATA, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_LONG_NAME = 0x3707
BROKEN = "This winmail.dat of Outlook cannot be read; ask for the attachment as it is."
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8}


def unwrap(data: bytes, name: str, opened: Opened, path: str) -> None:
    """Add the attachments to `opened`."""
    number, title, long_name, body = 0, "", "", b""
    try:
        for attribute, value in _attributes(data):
            if attribute == _RENDERING:
                number = _flush(opened, path, number, long_name or title, body)
                title, long_name, body = "", "", b""
            elif attribute == _TITLE:
                title = value.rstrip(b"\0").decode("cp1252", "replace")
            elif attribute == _DATA:
                body = value
            elif attribute == _PROPERTIES:
                long_name = _long_name(value) or long_name
        _flush(opened, path, number, long_name or title, body)
    except (struct.error, IndexError, ValueError):
        opened.leave(path, name, BROKEN)


def _flush(opened: Opened, path: str, number: int, name: str, body: bytes) -> int:
    if not body:
        return number
    opened.add(f"{path}!{number + 1}", name or "attachment", None, body)
    return number + 1


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    if struct.unpack_from("<I", data)[0] != SIGNATURE:
        raise ValueError("no TNEF")
    at = 6
    while at + 9 <= len(data):
        _, attribute, length = struct.unpack_from("<BII", data, at)
        at += 9
        if at + length > len(data):
            raise ValueError("cut off")
        yield attribute & 0xFFFF, data[at : at + length]
        at += length + 2  # a checksum follows


def _long_name(properties: bytes) -> str:
    """PR_ATTACH_LONG_FILENAME among the properties; empty where it is not found on the way."""
    count = struct.unpack_from("<I", properties)[0]
    at = 4
    for _ in range(min(count, 200)):
        kind, id_ = struct.unpack_from("<HH", properties, at)
        at += 4
        if id_ >= 0x8000:
            return ""  # named properties come last and need not be told apart here
        if kind in _FIXED:
            at += _FIXED[kind]
            continue
        if kind not in (0x1E, 0x1F, 0x0D, 0x102):
            return ""
        length = struct.unpack_from("<I", properties, at + 4)[0]
        value = properties[at + 8 : at + 8 + length]
        at += 8 + (length + 3) // 4 * 4
        if id_ == _LONG_NAME:
            return value.decode("utf-16-le" if kind == 0x1F else "cp1252", "replace").rstrip("\0")
    return ""
