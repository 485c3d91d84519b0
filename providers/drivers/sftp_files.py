"""Files by SFTP as a source of imports: listed, read and put away. What counts is `providers.folders`'s."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, cast

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_SYMLINK

from providers.drivers.paths import parent
from providers.drivers.reading import crowded, is_still, paged, there_no_more, unreadable
from providers.drivers.sftp import Sftp, opened
from providers.drivers.sftpwriting import PIECE
from providers.errors import ProviderError, taken
from providers.folders import Entry, Folders, version_of
from providers.reach import Reach
from providers.sources import Source
from schemas.manifest import Manifest

MOST_BYTES = 2**63 - 1
"""No file has more."""
MOST_ENTRIES = 200_000
"""A folder with more entries than these is not looked at: no part of it may pass for the whole."""


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Source]:
    """One login, for as long as the block runs."""
    async with opened(SftpFiles, manifest, settings, reach) as files:
        yield Folders(files, options, manifest.limits.concurrency)


class SftpFiles(Sftp):
    """`providers.folders.Files`; versions are made of size and time, as the server keeps nothing better."""

    deep = False
    renames = True

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        """By `readdir`, in pages by name. A link counts as the file that it leads to, never as a folder."""
        stem, found = folder.rstrip("/"), []
        with self._in_time(MOST_ENTRIES * 100):
            async for each in self._sftp.scandir(self._at(folder)):
                name = str(each.filename)
                attributes: asyncssh.SFTPAttrs | None = each.attrs
                if name in (".", "..") or not name.isprintable():
                    continue
                path = f"{stem}/{name}"
                if each.attrs.type == FILEXFER_TYPE_SYMLINK:
                    attributes = await self._aim(path)
                elif each.attrs.type == FILEXFER_TYPE_DIRECTORY:
                    found.append(Entry(path, is_folder=True))
                    continue
                if attributes is not None and attributes.type == FILEXFER_TYPE_REGULAR:
                    found.append(_entry(path, attributes))
                if len(found) > MOST_ENTRIES:
                    raise crowded(MOST_ENTRIES)
        return paged(found, token)

    async def entry(self, path: str) -> Entry | None:
        """By `stat`."""
        attributes = await self._stat(path)
        if attributes is None or attributes.type == FILEXFER_TYPE_DIRECTORY:
            return None
        return _entry(path, attributes)

    async def read(self, path: str, start: int, version: str) -> AsyncGenerator[bytes, None]:
        """In blocks; that it was this version all the time is looked at at the end."""
        try:
            with self._in_time(0):
                file = await self._sftp.open(self._at(path), "rb", encoding=None)
        except ProviderError as error:
            raise unreadable(error) from None
        at, size = start, _size(version)
        try:
            while piece := await self._piece(file, at, min(PIECE, size - at)):
                yield piece
                at += len(piece)
        except ProviderError as error:
            if not error.later:  # servers fail in their own ways on a file that goes away under our hands
                await self._confirm(path, version)
            raise
        finally:
            with suppress(ProviderError), self._in_time(0):  # nothing of ours is lost by it
                await file.close()
        await self._confirm(path, version)

    async def _piece(self, file: asyncssh.SFTPClientFile, at: int, most: int) -> bytes:
        """What comes next. Asking for more than there is costs a request for each block that is not there."""
        if most <= 0:
            return b""
        with self._in_time(most):
            return cast(bytes, await file.read(most, at))

    async def _confirm(self, path: str, version: str) -> None:
        """That what is at `path` is this version."""
        if not is_still(await self.entry(path), version):
            raise there_no_more()

    async def move(self, path: str, to: str) -> None:
        """By renaming in one step, which must not overwrite (draft-ietf-secsh-filexfer-02 §6.5); not every
        server heeds that, so it is looked first.
        """
        await self.make_folder(parent(to))
        if await self._stat(to) is not None:
            raise taken()
        try:
            with self._in_time(0):
                await self._sftp.rename(self._at(path), self._at(to))
        except ProviderError as error:
            if error.later:
                raise
            if await self._stat(to) is not None:
                raise taken() from None
            raise there_no_more() if await self._stat(path) is None else error from None

    async def remove(self, path: str, version: str) -> None:
        """`remove`, which is fine for what is gone."""
        if not is_still(await self.entry(path), version):
            return
        with self._in_time(0), suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            await self._sftp.remove(self._at(path))

    async def _aim(self, path: str) -> asyncssh.SFTPAttrs | None:
        """What a link leads to; None where that is nothing that we can see."""
        try:
            return await self._stat(path)
        except ProviderError as error:
            if error.later:
                raise
            return None


def _entry(path: str, attributes: asyncssh.SFTPAttrs) -> Entry:
    at = None if attributes.mtime is None else datetime.fromtimestamp(attributes.mtime, UTC)
    return Entry(path, size=attributes.size, modified_at=at, version=version_of(attributes.size, at))


def _size(version: str) -> int:
    """The bytes of a version, as `version_of` made it; as many as there may be where it does not say."""
    told = version.partition("-")[0]
    return int(told) if told.isdecimal() else MOST_BYTES
