"""A thing from a source, opened: which documents lie in it, and what is not taken and why. Pure.

Which kinds a customer wants is not asked here: mails, archives and wrappers are opened whatever they hold.
"""

from __future__ import annotations

from sync_runner.opening import archives, mails, tnef
from sync_runner.opening.blobs import Blob
from sync_runner.opening.kinds import HEAD, Kind, looks
from sync_runner.opening.pieces import DEEPEST, Opened, Piece, clean

MOST_MAIL = 64 * 1024 * 1024
"""Bytes of a mail or a wrapper, which are opened in memory."""
TOO_DEEP = "Archives and mails lie in each other too deep to be opened; send what is inside."
TOO_LARGE = "It is too large to be opened; send what is inside by itself."
BROKEN = "It cannot be read: it is damaged, or made to hurt; ask for what is inside by itself."
CONTAINERS = (Kind.MAIL, Kind.ZIP, Kind.TNEF)


def open_up(blob: Blob, name: str, said: str | None) -> Opened:
    """What is in the thing. A file that is no container is the one piece of itself, with an empty path."""
    opened = Opened()
    _open(Piece("", clean(name), said, blob), opened, 0)
    return opened


def _open(piece: Piece, opened: Opened, depth: int) -> None:
    what = looks(piece.blob.head(HEAD), piece.filename, piece.said)
    if what.kind not in CONTAINERS or not piece.blob.size:
        opened.take(piece)
        return
    inner = Opened(opened.room)
    try:
        if opened.may_open(piece):
            _into(piece, what.kind, inner, depth)
    finally:
        if piece.path:
            piece.blob.close()
    opened.leave_all(inner.left)
    for each in inner.found:
        if each.path == piece.path:  # a container that could not be told from a file
            opened.take(each)
        elif opened.full(each.path, each.filename):
            each.blob.close()
        else:
            _open(each, opened, depth + 1)


def _into(piece: Piece, kind: Kind, inner: Opened, depth: int) -> None:
    if depth >= DEEPEST:
        inner.leave(piece.path, piece.filename, TOO_DEEP)
    elif kind is Kind.ZIP:
        archives.unpack(piece.blob, piece.filename, inner, piece.path)
    elif piece.blob.size > MOST_MAIL:
        inner.leave(piece.path, piece.filename, TOO_LARGE)
    elif kind is Kind.TNEF:
        tnef.unwrap(piece.blob.whole(), piece.filename, inner, piece.path)
    else:
        try:
            mails.take_apart(mails.parsed(piece.blob.whole()), inner, piece.path)
        except Exception:  # noqa: BLE001 - of the mail library: one mail must not stop all that come after it
            inner.leave(piece.path, piece.filename, BROKEN)
