"""Documents over a provider's JSON interface, as its manifest declares it (`schemas.sources`). No provider's
name is known here.

Our login goes to the provider's own host alone: a link that leads elsewhere is followed without it, through
the same egress guard.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from providers.drivers import identity_of
from providers.drivers.restanswers import at, first_file, moment, next_page, plain, rows_of, since_as
from providers.errors import ProviderError
from providers.http import Answer
from providers.reach import Reach
from providers.sources import Ability, Afterwards, Cursor, Item, Page
from providers.templates import fill
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.sources import Call, Listing, RestSource

ANSWER_BYTES = 32 * 1024 * 1024
"""Of one list or detail."""
FILE_BYTES = 64 * 1024 * 1024
"""Of a file that comes within JSON or in parts; others are streamed."""
MOST_PAGES = 10_000
MOST_TEXT = 500
"""Characters of a term of the metadata: a document has to fit into an event."""


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Rest]:
    """One account's interface. Opens no connection before the first call."""
    if manifest.source is None:
        raise ProviderError("config", Reason.NOT_SET_UP, words("no_driver", name=manifest.name.en))
    await reach.guard.check_url(fill(manifest.source.base, settings, is_address=True))
    yield Rest(manifest, manifest.source, settings, options, reach)


open_driver = open_source
"""For logins and live choices: an account that can be looked at, and that takes no files."""


class Rest:
    """See `providers.sources.Source` for what each method promises."""

    def __init__(
        self,
        manifest: Manifest,
        source: RestSource,
        settings: Mapping[str, Any],
        options: Mapping[str, Any],
        reach: Reach,
    ) -> None:
        self._manifest = manifest
        self._source = source
        self._settings = {**settings, **{name: value for name, value in options.items() if value}}
        self._http = reach.http
        self._base = fill(source.base, settings, is_address=True).rstrip("/")
        self._headers = {
            name: fill(text, settings, is_address=False) for name, text in source.headers.items()
        }
        if source.basic is not None:
            pair = fill(source.basic, settings, is_address=False)
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        lists_all = any(each.since is None for each in source.lists)
        self.ability = Ability(lists_all=lists_all, ranges=False, concurrency=manifest.limits.concurrency)

    async def check(self) -> None:
        """The manifest's own call."""
        await self._asked(self._source.check, {})

    async def identity(self) -> str:
        """What the provider says of the account, else the manifest's pattern, else the host."""
        if self._source.identity is not None:
            said = at(await self._asked(self._source.check, {}), self._source.identity)
            if said:
                return str(said)
        return identity_of(self._manifest, self._settings, urlsplit(self._base).hostname or self._base)

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """Nothing is chosen live."""
        del option, query, parent
        return []

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The next page of the list that is being read; the lists come one after another."""
        now = self._http.clock()
        walk = {"list": 0, "page": None, "pages": 0, "began": now.isoformat(), **(cursor or {})}
        if walk.pop("through", False):
            walk |= {"list": 0, "page": None, "pages": 0, "from": walk["began"], "began": now.isoformat()}
        listing = self._source.lists[walk["list"]]
        newest = max(filter(None, (since, moment(walk.get("from")))), default=None)
        answer, following = await self._listed(listing, walk["page"], newest)
        items = [
            item for each in rows_of(answer, listing) if (item := self._item(each, listing, walk["list"]))
        ]
        if following is not None:
            if walk["pages"] + 1 >= MOST_PAGES:  # what is told to be through is never asked for again
                raise ProviderError("transient", Reason.PROVIDER_CHANGED, words("not_understood"))
            return Page(items, walk | {"page": following, "pages": walk["pages"] + 1}, last=False)
        if walk["list"] + 1 < len(self._source.lists):
            return Page(items, walk | {"list": walk["list"] + 1, "page": None, "pages": 0}, last=False)
        return Page(items, walk | {"through": True}, last=True)

    async def _listed(self, listing: Listing, page: Any, since: datetime | None) -> tuple[Any, Any]:
        """One answer of a list, and what leads to the next; None where it is the last."""
        params: dict[str, str] = {}
        if listing.since is not None and since is not None:
            params[listing.since.param] = since_as(
                since - timedelta(hours=listing.since.overlap_hours), listing
            )
        paging = listing.paging
        if paging is None:
            return await self._asked(listing.call, params), None
        if paging.by in ("link", "url") and page is not None:
            answer = await self._get(self._own(str(page)))
        else:
            if paging.size_param is not None:
                params[paging.size_param] = str(paging.size)
            turn = page if page is not None else (paging.start if paging.by == "page" else None)
            if turn is not None and paging.param is not None:
                params[paging.param] = str(turn)
            answer = await self._send(listing.call, params)
        said = self._said(answer)
        return said, next_page(paging, listing, said, answer, page)

    def _item(self, row: Any, listing: Listing, index: int) -> Item | None:
        """A row as a thing; None for one that has no file, or no id."""
        id_ = at(row, listing.id)
        if id_ in (None, "") or any(at(row, pointer) in (None, "", []) for pointer in listing.needs):
            return None
        values = {name: plain(at(row, pointer)) for name, pointer in listing.values.items()}
        values |= {"id": plain(id_)}
        metadata = {
            term: plain(value)[:MOST_TEXT]
            for term, p in listing.metadata.items()
            if (value := at(row, p)) is not None
        }
        if listing.document_type is not None:
            metadata["document_type"] = listing.document_type
        link = (
            at(row, listing.file.at)
            if listing.file.by == "link" and listing.file.call is None and listing.file.at
            else None
        )
        return Item(
            id=f"{listing.prefix}{plain(id_)}",
            version="-".join(plain(at(row, pointer)) for pointer in listing.version) or "1",
            name=fill(listing.name, values, is_address=False),
            received_at=moment(at(row, listing.received_at)) if listing.received_at else None,
            media_type=listing.file.media_type,
            metadata=metadata,
            reference={"list": index, "values": values} | ({"link": plain(link)} if link else {}),
        )

    async def count(self, since: datetime | None) -> int | None:
        """As dear as listing."""
        del since
        return None

    async def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The file: streamed, or out of the answer that it comes in."""
        listing = self._source.lists[int(item.reference["list"])]
        values = dict(item.reference["values"])
        if listing.detail is not None:
            detail = await self._asked(listing.detail, {}, values)
            values |= {name: plain(at(detail, p)) for name, p in listing.values.items() if at(detail, p)}
        file = listing.file
        if file.by == "direct" and file.call is not None:
            chunks = self._streamed(self._url(file.call, values, {}), redirects=file.redirects)
        elif file.by == "link":
            link = item.reference.get("link")
            if link is None and file.call is not None and file.at is not None:
                link = at(await self._asked(file.call, {}, values), file.at)
            if not link:
                raise ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))
            chunks = self._streamed(urljoin(self._base + "/", str(link)), redirects=file.redirects)
        else:
            chunks = self._unwrapped(listing, values)
        async for chunk in chunks:
            if start >= len(chunk):
                start -= len(chunk)
                continue
            yield chunk[start:]
            start = 0

    async def _streamed(self, url: str, *, redirects: bool) -> AsyncGenerator[bytes, None]:
        headers = self._headers if self._is_own(url) else {}
        async with self._http.download(url, headers=headers) as (head, chunks):
            moved = head.headers.get("Location") if head.status in (301, 302, 303, 307, 308) else None
            if moved is None or not redirects:
                if head.status != 200:
                    raise self._of_item(head)
                async for chunk in chunks:
                    yield chunk
                return
        async for chunk in self._streamed(urljoin(url, moved), redirects=False):
            yield chunk

    async def _unwrapped(self, listing: Listing, values: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        file = listing.file
        if file.call is None:
            raise ProviderError("config", Reason.PROVIDER_CHANGED, words("not_understood"))
        answer = await self._send(file.call, {}, values, most=FILE_BYTES)
        if answer.status != 200:
            raise self._of_item(answer)
        if file.by == "multipart":
            yield first_file(answer)
            return
        said = at(self._said(answer), file.at or "")
        try:
            yield base64.b64decode(str(said or ""), validate=False)
        except binascii.Error:
            raise ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone")) from None

    async def gone(self, items: Collection[Item]) -> Collection[str]:
        """Not asked: what a list leaves out may be archived."""
        del items
        return ()

    async def settle(self, item: Item, afterwards: Afterwards) -> str | None:
        """Nothing is changed at a provider."""
        del item, afterwards
        return None

    async def _asked(
        self, call: Call, params: Mapping[str, str], values: Mapping[str, str] | None = None
    ) -> Any:
        return self._said(await self._send(call, params, values))

    async def _send(
        self,
        call: Call,
        params: Mapping[str, str],
        values: Mapping[str, str] | None = None,
        most: int = ANSWER_BYTES,
    ) -> Answer:
        known = {**self._settings, **(values or {})}
        body = None
        headers = {"Accept": "application/json", **self._headers}
        if call.json_ is not None:
            filled = {name: fill(text, known, is_address=False) for name, text in call.json_.items()}
            body = json.dumps(filled).encode()
            headers["Content-Type"] = "application/json"
        elif call.method == "POST":
            body = b""
        url = self._url(call, known, params)
        answer = await self._http.exchange(call.method, url, headers=headers, content=body, most=most)
        return self._counted(answer)

    async def _get(self, url: str) -> Answer:
        headers = {"Accept": "application/json", **self._headers}
        return self._counted(await self._http.exchange("GET", url, headers=headers, most=ANSWER_BYTES))

    def _counted(self, answer: Answer) -> Answer:
        """An answer; one that says that there are too many calls waits for as long as its header says."""
        reset = self._source.reset
        if answer.status == 429 and reset and "Retry-After" not in answer.headers:
            wait = answer.headers.get(reset, "")
            seconds = float(wait) if wait.replace(".", "", 1).isdigit() else None
            if seconds is not None and seconds > 1_000_000_000:  # a moment, not a span
                seconds -= self._http.clock().timestamp()
            raise ProviderError(
                "rate_limited",
                Reason.RATE_LIMITED,
                words("pause"),
                retry_after=None if seconds is None else max(0.0, seconds),
            )
        return answer

    def _said(self, answer: Answer) -> Any:
        """What an answer says.

        Raises:
            ProviderError: its status is an error's, it is no JSON, or it tells of an error all the same.
        """
        if answer.status >= 300:
            raise answer.error(self._manifest.errors, self._http.clock())
        try:
            said = json.loads(answer.body or b"null")
        except (ValueError, RecursionError):
            raise ProviderError(
                "transient", Reason.PROVIDER_DOWN, words("trouble", status=answer.status)
            ) from None
        if self._source.error is not None and at(said, self._source.error):
            raise ProviderError("transient", Reason.PROVIDER_DOWN, words("trouble", status=answer.status))
        return said

    def _of_item(self, answer: Answer) -> ProviderError:
        """An answer to a request for one file: what is not there is this file's own trouble."""
        if answer.status in (404, 410):
            return ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))
        return answer.error(self._manifest.errors, self._http.clock())

    def _url(self, call: Call, values: Mapping[str, Any], params: Mapping[str, str]) -> str:
        known = {**self._settings, **values}
        path = "/".join(
            part if "{" not in part else quote(fill(part, known, is_address=False), safe="")
            for part in call.path.lstrip("/").split("/")
        )
        asked = {name: fill(text, known, is_address=False) for name, text in call.params.items()}
        query = urlencode({name: text for name, text in {**asked, **params}.items() if text != ""})
        return f"{self._base}/{path}" + (f"?{query}" if query else "")

    def _own(self, url: str) -> str:
        """An address that an answer gave for a next page: on the provider's own host, or refused."""
        whole = urljoin(self._base + "/", url)
        if not self._is_own(whole):
            raise ProviderError("config", Reason.ADDRESS_REFUSED, words("elsewhere"))
        return whole

    def _is_own(self, url: str) -> bool:
        ours, theirs = urlsplit(self._base), urlsplit(url)
        return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())
