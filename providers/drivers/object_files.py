"""Objects in a bucket as a source of imports: listed, read, put away. What counts is `folders`'s to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

from providers.content import changed
from providers.drivers.object import LISTING_BYTES, Bucket
from providers.drivers.paths import segments
from providers.drivers.reading import after, begins_at, there_no_more, unreadable
from providers.drivers.s3xml import Key, listing, why
from providers.drivers.sigv4 import EMPTY, query_string
from providers.drivers.steady import steady
from providers.errors import ProviderError, taken
from providers.folders import Entry, Folders
from providers.moments import moment
from providers.reach import Reach
from providers.sources import Source
from schemas.manifest import Manifest


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Source]:
    """One bucket. Opens no connection before the first call."""
    await reach.guard.check_url(str(settings["endpoint"]))
    yield Folders(ObjectFiles(manifest, settings, reach), options, manifest.limits.concurrency)


class _Changed(Exception):
    """Another version is there now."""


class ObjectFiles(Bucket):
    """`providers.folders.Files`; versions are entity tags. An object changes as a whole or not at all."""

    deep = True
    renames = False

    @steady
    async def entries(self, folder: str, token: str | None) -> tuple[Sequence[Entry], str | None]:
        """By ListObjectsV2, all below `folder`. Keys that are no paths, such as `a//b`, are left out."""
        query = {
            "encoding-type": "url",
            "list-type": "2",
            "max-keys": "1000",
            "prefix": self._key(folder, folder=True),
            **({"continuation-token": token} if token else {}),
        }
        answer = await self._asked("GET", f"{self._base}/?{query_string(query)}", {}, most=LISTING_BYTES)
        if answer.status != 200:
            raise self._error(answer)
        page = await asyncio.to_thread(listing, answer.body)
        return [entry for each in page.keys if (entry := self._entry(each))], page.following

    async def entry(self, path: str) -> Entry | None:
        """By HEAD."""
        answer = await self._head(path)
        if answer is None:
            return None
        return Entry(
            path=path,
            size=int(answer.headers.get("Content-Length", 0)),
            modified_at=moment(answer.headers.get("Last-Modified")),
            version=_version(answer.headers.get("ETag", "")),
            media_type=answer.headers.get("Content-Type"),
        )

    async def read(self, path: str, start: int, version: str) -> AsyncGenerator[bytes, None]:
        """GET of this version alone."""
        url = self._url(path)
        wanted = {"if-match": f'"{version}"', **({"range": f"bytes={start}-"} if start else {})}
        headers = self._keys.signed("GET", url, wanted, EMPTY, self._http.clock())
        async with self._http.download(url, headers=headers) as (head, chunks):
            if head.status == 412 or _version(head.headers.get("ETag", version)) != version:
                raise changed()
            if head.status not in (200, 206):
                raise there_no_more() if head.status == 404 else unreadable(self._error(head))
            async for chunk in after(chunks, start - begins_at(head)):
                yield chunk

    async def move(self, path: str, to: str) -> None:
        """Copied, then deleted: S3 has no move. Two that move to one name at once may both win."""
        there = await self._head(path)
        if there is None:
            raise there_no_more()
        if await self.find(to) is not None:
            raise taken()
        etag = there.headers.get("ETag", "")
        source = quote(f"/{self._bucket}/{self._key(path)}", safe="/")
        headers = {"x-amz-copy-source": source, "x-amz-copy-source-if-match": etag}
        answer = await self._asked("PUT", self._url(to), headers)
        if answer.status == 412:
            raise changed()
        if answer.status >= 300:
            raise self._error(answer)
        if error := why(answer.body, None):  # a copy that fails late is a 200 with an error in it
            raise error
        with suppress(_Changed):  # a new version came while the old one was copied: it stays
            await self._remove(path, etag)

    async def remove(self, path: str, version: str) -> None:
        """DELETE with If-Match. Not every service heeds it, so it is looked at just before, too."""
        try:
            await self._remove(path, f'"{version}"')
        except _Changed:
            raise changed() from None

    async def _remove(self, path: str, etag: str) -> None:
        there = await self._head(path)
        if there is None:
            return
        if _version(there.headers.get("ETag", "")) != _version(etag):
            raise _Changed
        answer = await self._asked("DELETE", self._url(path), {"if-match": etag})
        if answer.status == 501:  # it knows no conditions there
            answer = await self._asked("DELETE", self._url(path), {})
        if answer.status == 412:
            raise _Changed
        if answer.status >= 300 and answer.status != 404:
            raise self._error(answer)

    def _entry(self, key: Key) -> Entry | None:
        path = "/" + key.key.removeprefix(self._prefix)
        try:
            plain = "/" + "/".join(segments(path)) == path
        except ProviderError:
            return None
        if not plain:
            return None
        return Entry(path=path, size=key.size, modified_at=key.modified_at, version=_version(key.etag))


def _version(etag: str) -> str:
    """Without its quotes: not every service has them in its listings."""
    return etag.strip('"')
