"""Objects in a bucket: S3 and all that speak it. No clash rules here, and no other cloud's protocol.

On our own HTTP stack, not OpenDAL's: that one follows redirects, even to a metadata address, and connects
past the egress guard. One signed PUT carries a whole document, because size and SHA-256 are known before: the
service itself refuses other bytes, and an object is visible whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from providers.content import Body
from providers.drivers import MOST_CHOICES, Capabilities, Driver, Found, Receipt, identity_of
from providers.drivers.paths import segments
from providers.drivers.resent import met_itself
from providers.drivers.s3xml import listing, why
from providers.drivers.sigv4 import EMPTY, Keys, query_string
from providers.drivers.steady import steady
from providers.errors import ProviderError, moved_on, taken
from providers.http import ANSWER_BYTES, Answer, encoded
from providers.reach import Reach
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

LISTING_BYTES = 8 * 1024 * 1024
PAGES = 5
MOST_PUT_BYTES = 5 * 1024**3
"""What one PUT may carry by S3's own limits; documents are far smaller."""


@asynccontextmanager
async def open_driver(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Driver]:
    """One bucket. Opens no connection before the first call; needs no options."""
    del options
    await reach.guard.check_url(str(settings["endpoint"]))
    yield Bucket(manifest, settings, reach)


class Bucket:
    """The driver; see `providers.drivers.Driver` for what each method promises.

    `addressing` is `path` (`https://host/bucket/key`, default) or `virtual` (`https://bucket.host/key`). With
    `conditional` the service is known to honour `If-None-Match` and `If-Match`; without (default), it is
    looked before. `prefix` is put before every key.
    """

    def __init__(self, manifest: Manifest, settings: Mapping[str, Any], reach: Reach) -> None:
        self._manifest = manifest
        self._http = reach.http
        self._bucket = str(settings["bucket"]).strip("/ ")
        self._keys = Keys(
            _word(settings["access_key_id"]),
            _word(settings["secret_access_key"]),
            _word(settings.get("region") or "us-east-1"),
        )
        endpoint = urlsplit(encoded(str(settings["endpoint"])).lower())
        virtual = settings.get("addressing", "path") == "virtual"
        host = f"{quote(self._bucket, safe='')}.{endpoint.netloc}" if virtual else endpoint.netloc
        self._base = f"{endpoint.scheme}://{host}{endpoint.path}"
        self._base += "" if virtual else f"/{quote(self._bucket, safe='')}"
        self._prefix = "".join(f"{name}/" for name in segments(str(settings.get("prefix", ""))))
        self._conditional = bool(settings.get("conditional", False))
        self._identity = identity_of(manifest, settings, f"{self._bucket}@{endpoint.hostname}")
        self.capabilities = Capabilities(
            create_only=self._conditional,
            atomic_put=True,
            conditional_replace=self._conditional,
            max_name_bytes=255,
            concurrency=manifest.limits.concurrency,
        )

    async def check(self) -> None:
        """List at most one key."""
        await self._list("/", most=1)

    async def identity(self) -> str:
        """The bucket at the host, or the manifest's pattern."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """What lies between two slashes of the keys below `parent`: nothing else is to be chosen."""
        del option
        above = "/" + "/".join(segments(parent or "/"))
        stem, known = above.rstrip("/"), len(self._key(above, folder=True))
        folders = await self._list(above, most=1000)
        names = sorted((folder[known:].rstrip("/") for folder in folders), key=str.casefold)
        fitting = [name for name in names if name and query.casefold() in name.casefold()]
        return [Choice(value=f"{stem}/{name}", label=name) for name in fitting[:MOST_CHOICES]]

    @steady
    async def find(self, path: str) -> Found | None:
        """By HEAD; `version` is the entity tag, `sha256` the one that we put with the object."""
        answer = await self._head(path)
        if answer is None:
            return None
        digest = answer.headers.get("x-amz-meta-sha256", "").lower()
        size = int(answer.headers.get("Content-Length", 0))
        return Found(size, digest if len(digest) == 64 else None, answer.headers.get("ETag"))

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        """By the hash that the service checked when it took the object from us, else by reading it."""
        found = await self.find(path)
        if found is None or found.size != size:
            return False
        if found.sha256 is not None:
            return found.sha256 == sha256.lower()
        return await self._holds(path, size, sha256)

    async def folder_exists(self, path: str) -> bool:
        """Always: a folder is but a part of a key."""
        del path
        return True

    async def make_folder(self, path: str) -> None:
        """Nothing to make: a folder is but a part of a key."""
        segments(path)

    async def put(self, path: str, body: Body) -> Receipt:
        """PUT with `If-None-Match: *` (S3 since 2024); where it is not honoured, HEAD first."""
        if not self._conditional and await self.find(path) is not None:
            raise taken()
        answer = await self._put(path, body, {"if-none-match": "*"} if self._conditional else {})
        if answer.status in (409, 412):
            if await met_itself(self, answer, path, body):
                return Receipt(path, None)
            raise taken()
        return self._receipt(path, answer)

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        """PUT with `If-Match`; where it is not honoured, HEAD first."""
        if version is not None and not self._conditional:
            found = await self.find(path)
            if found is None or found.version != version:
                raise moved_on()
        matching = version is not None and self._conditional
        answer = await self._put(path, body, {"if-match": str(version)} if matching else {})
        if matching and answer.status in (404, 409, 412):
            if await met_itself(self, answer, path, body):
                return Receipt(path, None)
            raise moved_on()
        return self._receipt(path, answer)

    async def _head(self, path: str) -> Answer | None:
        """What HEAD says of an object; None where there is none."""
        answer = await self._asked("HEAD", self._url(path), {})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._error(answer)
        return answer

    async def _put(self, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        if body.size > MOST_PUT_BYTES:
            raise ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("too_large"))
        meta = {"content-type": body.media_type, "x-amz-meta-sha256": body.sha256.lower()}
        return await self._asked("PUT", self._url(path), {**meta, **headers}, body)

    @steady
    async def _list(self, path: str, *, most: int) -> list[str]:
        """The common prefixes right below `path`, with their slash; `PAGES` pages of `most` at the utmost."""
        query = {
            "delimiter": "/",
            "encoding-type": "url",
            "list-type": "2",
            "max-keys": str(most),
            "prefix": self._key(path, folder=True),
        }
        folders: list[str] = []
        for _ in range(PAGES):
            url = f"{self._base}/?{query_string(query)}"
            answer = await self._asked("GET", url, {}, most=LISTING_BYTES)
            if answer.status != 200:
                raise self._error(answer)
            page = await asyncio.to_thread(listing, answer.body)
            folders += page.prefixes
            if page.following is None or most == 1 or len(folders) >= MOST_CHOICES:
                break
            query["continuation-token"] = page.following
        return folders

    async def _holds(self, path: str, size: int, sha256: str) -> bool:
        """Whether the object is there with just these bytes, by reading it."""
        url = self._url(path)
        headers = self._keys.signed("GET", url, {}, EMPTY, self._http.clock())
        answer, digest = await self._http.digest(url, size, headers=headers)
        if answer.status not in (200, 404):
            raise self._error(answer)
        return answer.status == 200 and digest == sha256.lower()

    async def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        *,
        most: int = ANSWER_BYTES,
    ) -> Answer:
        sha256 = body.sha256.lower() if body else EMPTY
        whole = self._keys.signed(method, url, headers, sha256, self._http.clock())
        return await self._http.exchange(method, url, headers=whole, content=body, most=most)

    def _key(self, path: str, *, folder: bool = False) -> str:
        key = self._prefix + "/".join(segments(path))
        return f"{key}/" if folder and key and not key.endswith("/") else key

    def _url(self, path: str) -> str:
        return f"{self._base}/{quote(self._key(path), safe='/')}"

    def _receipt(self, path: str, answer: Answer) -> Receipt:
        if answer.status >= 300:
            raise self._error(answer)
        return Receipt(path, answer.headers.get("ETag"))

    def _error(self, answer: Answer) -> ProviderError:
        error = answer.error(self._manifest.errors, self._http.clock())
        return why(answer.body[:ANSWER_BYTES], error.retry_after) or error


def _word(pasted: object) -> str:
    """Keys are pasted, often with a blank around or a line's end."""
    return "".join(str(pasted).splitlines()).strip()
