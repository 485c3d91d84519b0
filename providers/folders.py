"""A source made of files and folders: which of them, in which order, and where they go afterwards.

The drivers of files bring `Files`, four methods; this module walks. It knows no protocol and opens nothing.
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from providers.drivers.paths import segments
from providers.errors import ProviderError
from providers.settling import delete, move_away
from providers.sources import Ability, Afterwards, Cursor, Item, Page
from providers.walking import Walk
from providers.words import words
from schemas.reasons import Reason

DEEPEST = 40
"""Folders within folders; what lies deeper leads round in a ring."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder, as a listing shows it.

    Attributes:
        path: absolute within the connection, as `providers.drivers.Driver` has it.
        version: opaque; an entity tag, else what size and modification make (`version_of`).
        lasting_id: as in `Item`.
    """

    path: str
    is_folder: bool = False
    size: int | None = None
    modified_at: datetime | None = None
    version: str = ""
    sha256: str | None = None
    media_type: str | None = None
    lasting_id: str | None = None


class Files(Protocol):
    """What a driver of files must be able to do for imports. Errors as `providers.drivers.Driver` has them.

    `deep`: `entries` of a folder brings everything below it, too, with no folders (object stores).
    `renames`: `move` is one step at the server, and what is moved keeps its bytes' version, or size and time.
    """

    deep: bool
    renames: bool

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        """What is in a folder, in pages: `token` is of the page before, None at first and at the end.

        Raises:
            ProviderError: `destination_missing` where there is no such folder.
        """

    def read(self, path: str, start: int, version: str) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` on (a range where the protocol knows it), of this version where it can be
        told, looked at before and after reading where the protocol has no condition.

        Raises:
            ProviderError: kind `item_permanent`: `content_changed`, `content_unavailable` (gone),
                `permission_missing`.
        """

    async def entry(self, path: str) -> Entry | None:
        """The file at `path`, or None where none is."""

    async def move(self, path: str, to: str) -> None:
        """Move a file to a new path, whose folder is made where it is missing. Never overwrites.

        Raises:
            ProviderError: kind `conflict`, reason `exists`, where the name is taken; `content_changed` where
                it became another one meanwhile, which stays where it is.
        """

    async def remove(self, path: str, version: str) -> None:
        """Delete a file of this version; one that is gone is fine.

        Raises:
            ProviderError: `content_changed` where it is another version now.
        """


def version_of(size: int | None, modified_at: datetime | None) -> str:
    """A version for protocols without entity tags."""
    seconds = "" if modified_at is None else format(modified_at.timestamp(), ".6f").rstrip("0").rstrip(".")
    return f"{'' if size is None else size}-{seconds}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which files count: the import options `folder`, `pattern`, `subfolders`, and where things are moved."""

    folder: str
    patterns: tuple[str, ...]
    subfolders: bool
    move_to: str | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Scope:
        """From the connection's options.

        Raises:
            ProviderError: `invalid` for a folder that is none.
        """
        folder = "/" + "/".join(segments(str(options.get("folder") or "/")))
        move_to = None
        if options.get("afterwards") == "move":
            if not options.get("move_to"):
                raise ProviderError("config", Reason.INVALID, words("no_move_to"), field="move_to")
            move_to = "/" + "/".join(segments(str(options["move_to"])))
        patterns = tuple(
            part for part in str(options.get("pattern") or "*").replace(";", " ").split() if part
        )
        return cls(folder, patterns or ("*",), bool(options.get("subfolders", False)), move_to)

    def wants(self, path: str) -> bool:
        """Whether a file counts. Hidden ones, such as unfinished uploads, never do."""
        names = segments(path)
        below = names[len(segments(self.folder)) :]
        if not below or any(name.startswith(".") for name in below):
            return False
        if (not self.subfolders and len(below) > 1) or self._was_moved(path):
            return False
        return any(fnmatch.fnmatchcase(names[-1].casefold(), each.casefold()) for each in self.patterns)

    def walks(self, path: str) -> bool:
        """Whether a folder below is looked into."""
        if len(segments(path)) - len(segments(self.folder)) > DEEPEST:
            return False
        return self.subfolders and not posixpath.basename(path).startswith(".") and not self._was_moved(path)

    def _was_moved(self, path: str) -> bool:
        if self.move_to is None:
            return False
        return path == self.move_to or path.startswith(self.move_to.rstrip("/") + "/")


class Folders:
    """The `Source` that files and folders make.

    The cursor is where its walk stands. A listing starts anew each time and goes through everything, so it
    needs no state of yesterday.
    """

    def __init__(self, files: Files, options: Mapping[str, Any], concurrency: int) -> None:
        self._files = files
        self._scope = Scope.of(options)
        self.ability = Ability(
            lists_all=True, afterwards=frozenset({"move", "delete"}), concurrency=concurrency
        )
        self._walk = Walk(files, self._scope)

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """One page of one folder; folders below it come next."""
        entries, following = await self._walk.page(cursor)
        items = [item_of(each) for each in entries if self._counts(each, since)]
        return Page(items, following or {}, last=following is None)

    def _counts(self, entry: Entry, since: datetime | None) -> bool:
        if entry.is_folder or not self._scope.wants(entry.path):
            return False
        return since is None or entry.modified_at is None or entry.modified_at >= since

    async def count(self, since: datetime | None) -> int | None:
        """By walking, as long as that takes few pages."""
        cursor: Cursor | None = None
        found = 0
        for _ in range(20):
            page = await self.page(cursor, since)
            found += len(page.items)
            if page.last:
                return found
            cursor = page.cursor
        return None

    def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The file's bytes."""
        return self._files.read(item.id, start, item.version)

    async def gone(self, items: Collection[Item]) -> Collection[str]:
        """One look for each."""
        return [item.id for item in items if await self._files.entry(item.id) is None]

    async def settle(self, item: Item, afterwards: Afterwards) -> str | None:
        """Move below `to`, or delete, what is still the version that was imported."""
        if afterwards.action not in ("move", "delete"):
            return None
        try:
            if afterwards.action == "delete":
                await delete(self._files, item)
                return None
            return await move_away(self._files, item, afterwards.to)
        except ProviderError as error:
            if error.reason in (Reason.CONTENT_CHANGED, Reason.CONTENT_UNAVAILABLE):
                return None  # Gone, or changed since: a new version is not ours to put away.
            raise


def item_of(entry: Entry) -> Item:
    """A file as a thing at the source: its path is its id."""
    return Item(
        id=entry.path,
        version=entry.version or version_of(entry.size, entry.modified_at),
        name=posixpath.basename(entry.path),
        received_at=entry.modified_at,
        size=entry.size,
        sha256=entry.sha256,
        media_type=entry.media_type,
        lasting_id=entry.lasting_id,
        place=entry.path,
    )
