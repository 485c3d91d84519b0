"""Files by WebDAV as a source of imports: listed, read and put away. What counts is `providers.folders`'s."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from providers.codings import decoded
from providers.drivers.davxml import INVENTORY, Listed
from providers.drivers.paths import parent, segments
from providers.drivers.reading import after, begins_at, is_still, paged, there_no_more, unreadable
from providers.drivers.webdav import WebDav
from providers.errors import ProviderError, taken
from providers.folders import Entry, Folders, version_of
from providers.reach import Reach
from providers.sources import Source
from providers.words import words
from schemas.manifest import Manifest
from schemas.reasons import Reason


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Source]:
    """One account's WebDAV folder. Opens no connection before the first call."""
    await reach.guard.check_url(str(settings["url"]))
    yield Folders(DavFiles(manifest, settings, reach), options, manifest.limits.concurrency)


class DavFiles(WebDav):
    """`providers.folders.Files`; versions are entity tags where the server has them."""

    deep = False
    renames = True

    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        """By one PROPFIND, in pages by name: WebDAV itself has none."""
        there = await self._propfind(folder, depth=1, folder=True, asked=INVENTORY)
        if there is None or not there:
            raise ProviderError("config", Reason.DESTINATION_MISSING, words("no_folder"), field="folder")
        itself = min(there, key=lambda each: len(each.path))  # servers may name it anywhere
        stem = folder.rstrip("/")
        return paged((_entry(f"{stem}/{each.name}", each) for each in there if each is not itself), token)

    async def entry(self, path: str) -> Entry | None:
        """By PROPFIND."""
        there = await self._propfind(path, depth=0, folder=False, asked=INVENTORY)
        return _entry(path, there[0]) if there and not there[0].is_folder else None

    async def read(self, path: str, start: int, version: str) -> AsyncGenerator[bytes, None]:
        """GET; that it was this version all the time is looked at at the end."""
        headers = {**self._headers, **({"Range": f"bytes={start}-"} if start else {})}
        async with self._http.download(self._url(path), headers=headers) as (head, chunks):
            if head.status not in (200, 206):
                raise unreadable(self._error(head))
            async for chunk in after(decoded(head.headers, chunks), start - begins_at(head)):
                yield chunk
        await self._confirm(path, version)

    async def _confirm(self, path: str, version: str) -> None:
        """That what is at `path` is this version. By HEAD, which costs both sides less than PROPFIND, where
        its entity tag says so.
        """
        head = await self._send("HEAD", path, {})
        if head.status == 200 and head.headers.get("ETag", "").strip() == version:
            return
        if not is_still(await self.entry(path), version):
            raise there_no_more()

    async def move(self, path: str, to: str) -> None:
        """MOVE without overwriting; the folder is made where it is missing."""
        headers = {"Destination": self._url(to), "Overwrite": "F"}
        answer = await self._send("MOVE", path, headers)
        if answer.status in (403, 404, 409) and not await self.folder_exists(parent(to)):
            await self.make_folder(parent(to))
            answer = await self._send("MOVE", path, headers)
        if answer.status == 412 or (answer.status in (403, 409) and await self.find(to)):
            raise taken()
        if answer.status == 404:
            raise there_no_more()
        if answer.status >= 300:
            raise self._error(answer)

    async def remove(self, path: str, version: str) -> None:
        """DELETE of a file, never of a folder that took its name."""
        if is_still(await self.entry(path) if segments(path) else None, version):
            await self._delete(path)


def _entry(path: str, listed: Listed) -> Entry:
    return Entry(
        path=path,
        is_folder=listed.is_folder,
        size=listed.size,
        modified_at=listed.modified_at,
        version=listed.etag or version_of(listed.size, listed.modified_at),
        sha256=listed.sha256,
        media_type=listed.media_type,
        lasting_id=listed.lasting_id,
    )
