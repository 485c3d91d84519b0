"""Documents over a provider's JSON interface, as its manifest declares it (`schemas.sources`). No provider's
name is known here.

Our login goes to the provider's own host alone: a link that leads elsewhere is followed without it, through
the same egress guard.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from providers.codings import decoded
from providers.drivers import MOST_CHOICES, identity_of
from providers.drivers.restanswers import at, first_file, listed, moment, plain, received, type_of
from providers.drivers.restcalls import Interface, begun
from providers.drivers.restlists import Lists, is_forgotten
from providers.errors import ProviderError
from providers.reach import Reach
from providers.sources import PRIVATE, Ability, Afterwards, Cursor, Item, Page
from providers.templates import fill
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.sources import Listing, RestSource

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
        self._settings = settings
        self._http = reach.http
        self._calls = Interface(manifest, source, settings, options, reach)
        # What a list leaves out may be archived: nothing is looked for.
        self.ability = Ability(lists_all=False, ranges=False, concurrency=manifest.limits.concurrency)

    async def check(self) -> None:
        """The manifest's own call."""
        await self._calls.asked(self._source.check, {})

    async def identity(self) -> str:
        """What the provider says of the account, else the manifest's pattern, else the host."""
        if self._source.identity is not None:
            said = at(await self._calls.asked(self._source.check, {}), self._source.identity)
            if said:
                return str(said)
        return identity_of(
            self._manifest, self._settings, urlsplit(self._calls.base).hostname or self._calls.base
        )

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """What the provider tells, by the manifest's `choices`; nothing for other options."""
        del parent
        offer = self._source.choices.get(option)
        if offer is None:
            return []
        rows = listed(await self._calls.asked(offer.call, {}), offer.items)
        told = [Choice(value=plain(at(row, offer.value)), label=plain(at(row, offer.label))) for row in rows]
        fitting = [one for one in told if one.value and query.casefold() in one.label.casefold()]
        return fitting[:MOST_CHOICES]

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The next page of the list that is being read; the lists come one after another."""
        now = self._http.clock()
        walk = {"list": 0, "page": None, "pages": 0, "began": now.isoformat(), **(cursor or {})}
        if walk.pop("through", False):
            walk |= {"list": 0, "page": None, "pages": 0, "from": walk["began"], "began": now.isoformat()}
        index = walk["list"]
        listing = self._source.lists[index]
        newest = max(filter(None, (since, moment(walk.get("from")))), default=None)
        page = walk.pop(PRIVATE, walk["page"])
        lists, again = Lists(self._calls, listing, newest), bool(walk.pop("again", False))
        try:
            turn = await lists.turn(page, walk.pop("known", ()))
        except ProviderError as refused:
            if again or not is_forgotten(page, refused):
                raise
            turn, again = await lists.turn(None, ()), True
        items = [item for row in turn.rows if (item := self._item(row, listing, index, since))]
        if turn.following is not None:
            if walk["pages"] + 1 >= MOST_PAGES:  # what is told to be through is never asked for again
                raise ProviderError("transient", Reason.PROVIDER_CHANGED, words("not_understood"))
            counted = isinstance(turn.following, int)  # an address may hold a token
            goes_on = {"page": turn.following} if counted else {"page": None, PRIVATE: turn.following}
            goes_on |= {"pages": walk["pages"] + 1} | ({"known": turn.known} if turn.known else {})
            goes_on |= {"again": True} if again else {}
            return Page(items, walk | goes_on, last=False)
        if index + 1 < len(self._source.lists):
            return Page(items, walk | {"list": index + 1, "page": None, "pages": 0}, last=False)
        return Page(items, walk | {"through": True}, last=True)

    def _item(self, row: Any, listing: Listing, index: int, since: datetime | None) -> Item | None:
        """A row as a thing; None for one that has no file, or no id."""
        id_ = at(row, listing.id)
        if id_ in (None, "") or any(at(row, pointer) in (None, "", []) for pointer in listing.needs):
            return None
        if not all(re.search(like, plain(at(row, pointer))) for pointer, like in listing.only.items()):
            return None
        values = {name: plain(at(row, pointer)) for name, pointer in listing.values.items()}
        values |= {"id": plain(id_)}
        metadata = {
            term: plain(value)[:MOST_TEXT]
            for term, p in listing.metadata.items()
            if (value := at(row, p)) is not None
        }
        if (document_type := type_of(row, listing)) is not None:
            metadata["document_type"] = document_type
        link = (
            at(row, listing.file.at)
            if listing.file.by == "link" and listing.file.call is None and listing.file.at
            else None
        )
        return Item(
            id=f"{listing.prefix}{plain(id_)}",
            version="-".join(plain(at(row, pointer)) for pointer in listing.version) or "1",
            name=fill(listing.name, values, is_address=False),
            received_at=received(row, listing, since),
            media_type=listing.file.media_type,
            metadata=metadata,
            reference={"list": index, PRIVATE: {"values": values} | ({"link": plain(link)} if link else {})},
        )

    async def count(self, since: datetime | None) -> int | None:
        """As dear as listing."""
        del since
        return None

    async def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The file: streamed, or out of the answer that it comes in."""
        listing = self._source.lists[int(item.reference["list"])]
        private = item.reference.get(PRIVATE)
        if private is None:
            raise ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))
        values = dict(private["values"])
        if listing.detail is not None:
            detail = await self._calls.asked_of_item(listing.detail, values)
            values |= {name: plain(at(detail, p)) for name, p in listing.values.items() if at(detail, p)}
        file = listing.file
        if file.by == "direct" and file.call is not None:
            said = {name: fill(text, values, is_address=False) for name, text in file.call.headers.items()}
            url = self._calls.url(file.call, values, {})
            chunks = self._streamed(url, redirects=file.redirects, headers=said)
        elif file.by == "link":
            link = private.get("link")
            if link is None and file.call is not None and file.at is not None:
                link = at(await self._calls.asked_of_item(file.call, values), file.at)
            if not link:
                raise ProviderError("item_permanent", Reason.CONTENT_UNAVAILABLE, words("gone"))
            chunks = self._streamed(urljoin(self._calls.base + "/", str(link)), redirects=file.redirects)
        else:
            chunks = self._unwrapped(listing, values)
        async for chunk in chunks:
            if start >= len(chunk):
                start -= len(chunk)
                continue
            yield chunk[start:]
            start = 0

    async def _streamed(
        self, url: str, *, redirects: bool, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[bytes, None]:
        ours = self._calls.headers if self._calls.is_own(url) else {}
        async with self._http.download(url, headers={**ours, **(headers or {})}) as (head, chunks):
            moved = head.headers.get("Location") if head.status in (301, 302, 303, 307, 308) else None
            if moved is None or not redirects:
                if head.status != 200:
                    raise self._calls.of_item(await begun(head, chunks))
                async for chunk in decoded(head.headers, chunks):
                    yield chunk
                return
        async for chunk in self._streamed(urljoin(url, moved), redirects=False):
            yield chunk

    async def _unwrapped(self, listing: Listing, values: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        file = listing.file
        if file.call is None:
            raise ProviderError("config", Reason.PROVIDER_CHANGED, words("not_understood"))
        answer = await self._calls.send(file.call, {}, values, most=FILE_BYTES)
        if answer.status != 200:
            raise self._calls.of_item(answer)
        if file.by == "multipart":
            yield first_file(answer)
            return
        said = at(self._calls.said(answer), file.at or "")
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
