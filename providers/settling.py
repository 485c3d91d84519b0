"""Files put away at their source: moved, or deleted, and never another version than the one imported."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from providers.drivers.paths import segments
from providers.errors import ProviderError
from providers.sources import Item
from providers.words import words
from schemas.reasons import Reason

if TYPE_CHECKING:
    from providers.folders import Entry, Files

MOST_NAMES = 20
"""Numbers that are tried when a name is taken in the folder that things are moved to."""


async def delete(files: Files, item: Item) -> None:
    """Take it aside, look at it there, then delete it: between a look and a deletion a file may change.

    Who is killed in between finds it again by its name, which follows from what it is.
    """
    if not files.renames:
        await files.remove(item.id, item.version)
        return
    aside = f"{posixpath.dirname(item.id).rstrip('/')}/.paperbus-{_mark(item)}"
    if _is_still(item, await files.entry(item.id)):
        await files.move(item.id, aside)
    held = await files.entry(aside)
    if held is None:
        return
    if _is_still(item, held):
        await files.remove(aside, held.version)
    else:
        await _named(files, aside, item, posixpath.dirname(item.id))


async def move_away(files: Files, item: Item, folder: str) -> str | None:
    """Move it below a folder, under a name that is free. Returns where it lies, or None where it changed."""
    if not _is_still(item, await files.entry(item.id)):
        return None
    to = await _named(files, item.id, item, folder)
    held = await files.entry(to) if files.renames else None
    if held is not None and not _is_still(item, held):  # it changed just before it was moved: back with it
        await _named(files, to, item, posixpath.dirname(item.id))
        return None
    return to


async def _named(files: Files, path: str, item: Item, folder: str) -> str:
    """Move what is at `path` into a folder, under the item's name or one like it that is free."""
    stem, ext = posixpath.splitext(posixpath.basename(item.id))
    mark = _mark(item)
    names = (
        f"{stem}{ext}",
        f"{stem} ({mark}){ext}",
        *(f"{stem} ({mark}-{n}){ext}" for n in range(2, MOST_NAMES)),
    )
    for name in names:
        to = "/" + "/".join((*segments(folder), name))
        try:
            await files.move(path, to)
        except ProviderError as error:
            if error.kind != "conflict":
                raise
            continue
        return to
    raise ProviderError("conflict", Reason.EXISTS, words("exists"))


def _mark(item: Item) -> str:
    return hashlib.sha256(f"{item.id}\n{item.version}".encode()).hexdigest()[:8]


def _is_still(item: Item, entry: Entry | None) -> bool:
    """Whether these are the bytes that were listed. Some servers give what was moved another entity tag."""
    if entry is None:
        return False
    dated = None not in (item.size, item.received_at)
    alike = (entry.size, entry.modified_at) == (item.size, item.received_at)
    return entry.version == item.version or (dated and alike)
