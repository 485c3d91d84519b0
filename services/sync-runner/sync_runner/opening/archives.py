"""Zip archives, with limits: what unpacks to more than it should, or lies too deep, is left. Pure."""

from __future__ import annotations

import zipfile
import zlib

from sync_runner.opening.blobs import PIECE, Blob, TooLarge
from sync_runner.opening.pieces import MOST_PIECES, Opened, Piece, clean

MOST_RATIO = 200
"""Times that a file may be larger than it is packed; PDFs and XML stay far below."""
RATIO_FROM = 1024 * 1024
"""Smaller files are harmless however well they pack."""
LOCKED = "This archive is locked with a password; send the files without one."
BROKEN = "This archive cannot be read: it is damaged, or packed in a way that is not known here."
BOMB = "This archive unpacks to far more than it should and is not opened."


def unpack(blob: Blob, name: str, opened: Opened, path: str) -> None:
    """Add the archive's files to `opened`. Their names are names only: nothing is written anywhere."""
    try:
        with zipfile.ZipFile(blob.file()) as archive:
            members = [
                each for each in archive.infolist() if not each.is_dir() and not _is_dust(each.filename)
            ]
            if any(each.flag_bits & 1 for each in members):
                opened.leave(path, name, LOCKED)
                return
            if len(members) > MOST_PIECES or sum(each.file_size for each in members) > opened.room:
                opened.leave(path, name, BOMB)
                return
            for member in members:
                _take(archive, member, opened, path)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        opened.leave(path, name, BROKEN)


def _take(archive: zipfile.ZipFile, member: zipfile.ZipInfo, opened: Opened, path: str) -> None:
    inner = f"{path}!{member.filename}" if path else f"!{member.filename}"
    room = min(opened.room, max(RATIO_FROM, member.compress_size * MOST_RATIO))
    if opened.full(inner, member.filename):
        return
    unpacked = Blob()
    try:
        with archive.open(member) as file:
            while piece := file.read(PIECE):
                unpacked.write(piece)
                unpacked.check(room)  # the sizes in its index may lie
    except TooLarge:
        unpacked.close()
        opened.leave(inner, member.filename, BOMB)
    except BaseException:
        unpacked.close()
        raise
    else:
        opened.take(Piece(inner, clean(member.filename), None, unpacked))


def _is_dust(name: str) -> bool:
    """What operating systems leave in archives."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    )
