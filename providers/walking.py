"""A tree of folders walked page by page: each folder, then those below it, by name. It judges no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from providers.drivers.paths import segments
from providers.errors import ProviderError
from providers.sources import Cursor
from providers.words import words
from schemas.reasons import Reason

if TYPE_CHECKING:
    from providers.folders import Entry, Files, Scope

MOST_FOLDERS = 100_000
"""Folders that are walked. A tree that has more is refused: no part of it may pass for the whole."""


class Walk:
    """A walk, as far as a cursor says: a folder, with its token.

    What is still to be walked is remembered while this is open, and looked up again by whoever goes on later:
    a tree is too large to be written down.
    """

    def __init__(self, files: Files, scope: Scope) -> None:
        self._files = files
        self._scope = scope
        self._left_at: Cursor = {}
        self._waiting: list[str] = []
        self._found: list[str] | None = []
        """Folders in the one that is being listed; None where its first pages were somebody else's."""

    async def page(self, cursor: Cursor | None) -> tuple[Sequence[Entry], Cursor | None]:
        """The files of one page of one folder, and where to go on; None where the walk is through."""
        if not cursor or "at" not in cursor:  # what an earlier release kept begins anew
            cursor = {"at": self._scope.folder, "token": None, "walked": 0}
        at: str = cursor["at"]
        if cursor != self._left_at:
            self._waiting, self._found = await self._beside(at), [] if cursor["token"] is None else None
        entries, token = await self._entries(at, cursor["token"])
        entries = [each for each in entries if is_plain(each.path)]
        if self._found is not None:
            self._found += self._walked_into(entries)
        if token is None:
            below = await self._below(at) if self._found is None else sorted(self._found)
            self._waiting, self._found = below + self._waiting, []
        if token is None and not self._waiting:
            return entries, None
        walked: int = cursor["walked"] + (token is None)
        if walked > MOST_FOLDERS:
            raise ProviderError(
                "config", Reason.PROVIDER_CHANGED, words("crowded", most=f"{MOST_FOLDERS:,}"), field="folder"
            )
        self._left_at = {
            "at": at if token is not None else self._waiting.pop(0),
            "token": token,
            "walked": walked,
        }
        return entries, self._left_at

    async def _entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        try:
            return await self._files.entries(folder, token)
        except ProviderError as error:
            below = folder != self._scope.folder
            if not below or error.reason not in (Reason.DESTINATION_MISSING, Reason.PERMISSION_MISSING):
                raise
            return (), None  # gone since its parent was listed, or not ours to look into

    async def _beside(self, at: str) -> list[str]:
        """The folders that a walk which came as far as `at` still has before it, apart from those below."""
        waiting: list[str] = []
        folder, names = self._scope.folder, segments(at)
        for name in names[len(segments(folder)) :]:
            child = f"{folder.rstrip('/')}/{name}"
            waiting = [each for each in await self._below(folder) if each > child] + waiting
            folder = child
        return waiting

    async def _below(self, folder: str) -> list[str]:
        """The folders in a folder that are walked into, by name."""
        entries, token = await self._entries(folder, None)
        found = self._walked_into(entries)
        while token is not None:
            entries, token = await self._entries(folder, token)
            found += self._walked_into(entries)
        return sorted(found)

    def _walked_into(self, entries: Sequence[Entry]) -> list[str]:
        return [e.path for e in entries if e.is_folder and is_plain(e.path) and self._scope.walks(e.path)]


def is_plain(path: str) -> bool:
    """Whether it can be asked for by this path: one odd name must not hide all the others."""
    try:
        return bool(segments(path))
    except ProviderError:
        return False
