"""Files by FTP as a source of imports: listed, read and put away. What counts is `providers.folders`'s."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aioftp

from providers.drivers.ftp import PIECE, Ftp, opened
from providers.drivers.ftplines import Line
from providers.drivers.ftplists import Listed, entries, look, modified
from providers.drivers.paths import parent
from providers.drivers.reading import PAGE, is_still, paged, there_no_more, unreadable
from providers.errors import ProviderError, broken_off, taken
from providers.folders import Entry, Folders, version_of
from providers.http import READ_SECONDS
from providers.reach import Reach
from providers.sources import Source
from providers.words import words
from schemas.manifest import Manifest
from schemas.reasons import Reason

SHORT_PAGE = 200
"""Where every file has to be asked for its time."""


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Source]:
    """One login, for as long as the block runs."""
    async with opened(FtpFiles, manifest, settings, reach) as files:
        yield Folders(files, options, manifest.limits.concurrency)


class FtpFiles(Ftp):
    """`providers.folders.Files`; versions are made of size and time, as the server keeps nothing better."""

    deep = False
    renames = True

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        """By MLSD, or by LIST and MDTM for each file: LIST tells times without their zone."""
        stem = folder.rstrip("/")
        async with self.line(1_000_000) as line:
            there = await entries(line, self.at(folder))
            if there is None:
                raise ProviderError("config", Reason.DESTINATION_MISSING, words("no_folder"), field="folder")
            timed = "MLST" in line.features
            named = (_entry(f"{stem}/{each.name}", each) for each in there if each.name.isprintable())
            page, following = paged(named, token, PAGE if timed else SHORT_PAGE)
            if not timed:
                page = [await self._timed(line, each) for each in page]
        return page, following

    async def entry(self, path: str) -> Entry | None:
        """By MLST, else by SIZE and MDTM."""
        at = self.at(path)
        async with self.line() as line:
            found = await look(line, at)
            if found is None or found.is_folder:
                return None
            return await self._timed(line, Entry(path, size=found.size))

    async def read(self, path: str, start: int, version: str) -> AsyncGenerator[bytes, None]:
        """RETR; that it was this version all the time is looked at at the end."""
        at = start
        try:
            async with self._lines.lent(None) as line:
                stream = await line.data(f"RETR {self.at(path)}", start)
                try:
                    while piece := await asyncio.wait_for(stream.read(PIECE), READ_SECONDS):
                        yield piece
                        at += len(piece)
                    await stream.finish()
                except BaseException:
                    stream.close()
                    line.close()
                    raise
        except ProviderError as error:
            if not error.later and await self.find(path) is None:
                raise there_no_more() from None
            raise unreadable(error) from None
        now = await self.entry(path)
        if now is None or not is_still(now, version):
            raise there_no_more()
        if now.size != at:  # FTP cannot tell a line that was cut from the end of a file
            raise broken_off(self._host)

    async def move(self, path: str, to: str) -> None:
        """By renaming; whether the name is free is looked at before."""
        await self.make_folder(parent(to))
        async with self.line() as line:
            if await look(line, self.at(to)) is not None:
                raise taken()
            code, _ = await line.command(f"RNFR {self.at(path)}", ("350", "550"))
            if code.matches("550"):
                raise there_no_more()
            await line.command(f"RNTO {self.at(to)}", "2xx")

    async def remove(self, path: str, version: str) -> None:
        """DELE, which is fine for what is gone."""
        if not is_still(await self.entry(path), version):
            return
        async with self.line() as line:
            try:
                await line.command(f"DELE {self.at(path)}", "2xx")
            except aioftp.StatusCodeError:
                if await look(line, self.at(path)) is not None:
                    raise

    async def _timed(self, line: Line, entry: Entry) -> Entry:
        if entry.is_folder:
            return entry
        at = _moment(await modified(line, self.at(entry.path)))
        return replace(entry, modified_at=at, version=version_of(entry.size, at))


def _entry(path: str, listed: Listed) -> Entry:
    if listed.is_folder:
        return Entry(path, is_folder=True)
    at = _moment(listed.modified)
    return Entry(path, size=listed.size, modified_at=at, version=version_of(listed.size, at))


def _moment(text: str) -> datetime | None:
    """`20261122101500`, in UTC (RFC 3659 §2.3)."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
