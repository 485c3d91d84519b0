"""Files by WebDAV (RFC 4918): Nextcloud, ownCloud, HiDrive, Koofr, NAS boxes. No clash rules here.

Two ways to put, by the manifest's `atomic_put`. Servers that show a file only when it is whole and honour
`If-None-Match` (sabre/dav: Nextcloud, ownCloud) take one PUT. On all others the bytes go to a hidden
name first and are moved with `Overwrite: F`, which every server must honour: nobody sees half a file, and
nothing is overwritten (in one step on servers whose manifest says `create_only`). A file
whose name holds a sign that some servers cut it off at is looked for at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from providers.content import Body
from providers.drivers import A_FOLDER, MOST_CHOICES, Capabilities, Driver, Found, Receipt, identity_of
from providers.drivers.authorization import authorization
from providers.drivers.davxml import PROPFIND, Listed, listed
from providers.drivers.paths import parent, segments, unfinished
from providers.drivers.resent import met_itself
from providers.drivers.steady import once_unlocked, steady
from providers.egress import url_parts
from providers.errors import ProviderError, moved_on, taken
from providers.http import ANSWER_BYTES, Answer, encoded
from providers.reach import Reach
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

_CUT_AT = frozenset("?#;%")
LISTING_BYTES = 16 * 1024 * 1024


@asynccontextmanager
async def open_driver(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Driver]:
    """One account's WebDAV folder. Opens no connection before the first call; needs no options."""
    del options
    await reach.guard.check_url(str(settings["url"]))
    yield WebDav(manifest, settings, reach)


class WebDav:
    """The driver; see `providers.drivers.Driver` for what each method promises."""

    def __init__(self, manifest: Manifest, settings: Mapping[str, Any], reach: Reach) -> None:
        self._manifest = manifest
        self._http = reach.http
        self._base = encoded(str(settings["url"]))
        self._atomic = bool(settings.get("atomic_put", False))
        user = str(settings.get("username") or "")
        self._headers = {"Authorization": authorization(settings)}
        self._identity = identity_of(manifest, settings, f"{user}@{url_parts(self._base)[0]}")
        self.capabilities = Capabilities(
            create_only=self._atomic or bool(settings.get("create_only", False)),
            atomic_put=True,
            conditional_replace=self._atomic,
            case_sensitive=bool(settings.get("case_sensitive", True)),
            forbidden_characters=str(settings.get("forbidden_characters", "")),
            concurrency=manifest.limits.concurrency,
        )

    async def check(self) -> None:
        """A PROPFIND of the root."""
        root = await self._propfind("/", depth=0, folder=True)
        if root is None:
            raise ProviderError(
                "config",
                Reason.DESTINATION_MISSING,
                words("nothing_here"),
                field="url",
            )

    async def identity(self) -> str:
        """The user's name at the host, or the manifest's pattern."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """The folders below `parent`: this driver has nothing else to choose."""
        del option
        above = "/" + "/".join(segments(parent or "/"))
        found = await self._propfind(above, depth=1, folder=True)
        if found is None:
            return []
        names = sorted(
            {each.name for each in found[1:] if each.is_folder and query.casefold() in each.name.casefold()},
            key=str.casefold,
        )
        stem = above.rstrip("/")
        return [Choice(value=f"{stem}/{name}", label=name) for name in names[:MOST_CHOICES]]

    async def find(self, path: str) -> Found | None:
        """By PROPFIND; `version` is the entity tag."""
        there = await self._propfind(path, depth=0, folder=False)
        if not there:
            return None
        if there[0].is_folder:
            return A_FOLDER
        return Found(there[0].size, there[0].sha256, there[0].etag)

    async def same_bytes(self, path: str, size: int, sha256: str) -> bool:
        """By the server's SHA-256 where it keeps one, else by reading the file."""
        found = await self.find(path)
        if found is None or found.is_folder or found.size != size:
            return False
        if found.sha256 is not None:
            return found.sha256 == sha256.lower()
        return await self._holds(path, size, sha256)

    async def folder_exists(self, path: str) -> bool:
        """By PROPFIND."""
        there = await self._propfind(path, depth=0, folder=True)
        return bool(there and there[0].is_folder)

    async def make_folder(self, path: str) -> None:
        """MKCOL from the lowest folder that is there. Many may do so at once."""
        if not segments(path):
            return
        answer = await self._mkcol(path)
        if answer.status in (404, 409):
            await self.make_folder(parent(path))
            answer = await self._mkcol(path)
        if answer.status not in (200, 201, 204, 301, 405) and not await self.folder_exists(path):
            raise self._error(answer)

    async def put(self, path: str, body: Body) -> Receipt:
        """PUT with `If-None-Match: *`, or PUT beside and MOVE without overwriting."""
        if self._atomic:
            answer = await self._send("PUT", path, {"If-None-Match": "*"}, body)
            if answer.status == 412:
                if await met_itself(self, answer, path, body):
                    return Receipt(path, None)
                raise taken()
            return self._receipt(path, answer)
        sent_twice = await self._beside(path, body)
        answer = await self._move(path, body, overwrite="F")
        if answer.status == 412 or (answer.status in (403, 404, 409) and await self.find(path)):
            await self._clear(path, body)
            raise taken()
        receipt = await self._moved(path, body, answer)
        if sent_twice:
            await self._require_whole(path, body)
        return receipt

    async def replace(self, path: str, body: Body, version: str | None) -> Receipt:
        """PUT with `If-Match`; where the server does not keep to it, its version is looked at just before.

        Looked at it is in any case: to move over a folder would take all that is in it away.
        """
        if self._atomic:
            answer = await self._send("PUT", path, {"If-Match": version} if version else {}, body)
            if answer.status == 412:
                if await met_itself(self, answer, path, body):
                    return Receipt(path, None)
                raise moved_on()
            return self._receipt(path, answer)
        sent_twice = await self._beside(path, body)
        found = await self.find(path)
        if found is not None and found.is_folder:
            await self._clear(path, body)
            raise taken()
        if version is not None and (found is None or found.version != version):
            await self._clear(path, body)
            raise moved_on()
        receipt = await self._moved(path, body, await self._move(path, body, overwrite="T"))
        if sent_twice:
            await self._require_whole(path, body)
        return receipt

    @once_unlocked
    async def _beside(self, path: str, body: Body) -> bool:
        """The whole body under a hidden name; what a failed try left is taken away as far as possible.

        True: it was sent twice, so the server may still be at work on the first, cut one.
        """
        try:
            answer = await self._send("PUT", unfinished(path, body.sha256), {}, body)
            if answer.status >= 300:
                raise self._upload_error(answer)
        except ProviderError as error:
            if not error.later or error.reason is Reason.CONTENT_UNAVAILABLE:
                await self._clear(path, body)
            raise
        return answer.resent

    async def _require_whole(self, path: str, body: Body) -> None:
        """The first sending did not end in the file that got its name; a file that is gone was whole."""
        found = await self.find(path)
        if found is not None and found.size != body.size:
            await self._delete(path)
            raise ProviderError("transient", Reason.PROVIDER_DOWN, words("not_kept"))

    async def _move(self, path: str, body: Body, *, overwrite: str) -> Answer:
        headers = {"Destination": self._url(path), "Overwrite": overwrite}
        return await self._send("MOVE", unfinished(path, body.sha256), headers)

    async def _clear(self, path: str, body: Body) -> None:
        try:
            await self._delete(unfinished(path, body.sha256))
        except ProviderError:
            return  # It stays hidden, and the next try overwrites it.

    @steady
    async def _delete(self, path: str) -> None:
        answer = await self._send("DELETE", path, {})
        if answer.status >= 300 and answer.status != 404:
            raise self._error(answer)

    @steady
    async def _mkcol(self, path: str) -> Answer:
        answer = await self._http.exchange("MKCOL", self._url(path) + "/", headers=self._headers)
        error = self._error(answer) if answer.status >= 400 else None
        if error is not None and (error.kind == "auth" or error.later):
            raise error
        return answer

    @steady
    async def _propfind(
        self, path: str, *, depth: int, folder: bool, asked: bytes = PROPFIND
    ) -> list[Listed] | None:
        """What is at `path` and, with depth 1, below it; None where nothing is."""
        answer = await self._http.exchange(
            "PROPFIND",
            self._url(path) + ("/" if folder else ""),
            headers={**self._headers, "Depth": str(depth), "Content-Type": "application/xml"},
            content=asked,
            most=LISTING_BYTES if depth else ANSWER_BYTES,
        )
        if answer.status == 404 or (answer.status == 301 and not folder):
            return None
        if answer.status >= 300:
            raise self._error(answer)
        return await asyncio.to_thread(listed, answer) if depth else listed(answer)

    async def _holds(self, path: str, size: int, sha256: str) -> bool:
        """Whether the file is there with just these bytes, by reading it."""
        answer, digest = await self._http.digest(self._url(path), size, headers=self._headers)
        if answer.status not in (200, 404):
            raise self._error(answer)
        return answer.status == 200 and digest == sha256.lower()

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: Body | None = None
    ) -> Answer:
        return await self._http.exchange(
            method, self._url(path), headers={**self._headers, **headers}, content=body
        )

    def _url(self, path: str) -> str:
        return "/".join((self._base, *(quote(name, safe="") for name in segments(path))))

    def _receipt(self, path: str, answer: Answer) -> Receipt:
        if answer.status >= 300:
            raise self._error(answer)
        return Receipt(path, answer.headers.get("ETag") or answer.headers.get("OC-ETag"))

    async def _moved(self, path: str, body: Body, answer: Answer) -> Receipt:
        if answer.status >= 300:
            await self._clear(path, body)
            raise self._error(answer)
        if not set(path) & _CUT_AT:
            return Receipt(path, None)
        found = await self.find(path)
        if found is None or found.size != body.size:
            raise ProviderError(
                "item_permanent",
                Reason.DOCUMENT_REFUSED,
                words("not_kept"),
            )
        return Receipt(path, found.version)

    def _upload_error(self, answer: Answer) -> ProviderError:
        """As `_error`. Servers in Go answer 405 where their disk got full in the middle of a file."""
        if answer.status == 405:
            return ProviderError("transient", Reason.PROVIDER_DOWN, words("trouble", status=405))
        return self._error(answer)

    def _error(self, answer: Answer) -> ProviderError:
        return answer.error(self._manifest.errors, self._http.clock())
