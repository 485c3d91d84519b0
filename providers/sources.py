"""What a source of documents does, and how one is opened. What is imported, and what a document is, is
decided elsewhere.

A source lists things (a file, a mail, a record with a file) page by page, and gives their bytes. What lies
inside a thing, such as the attachments of a mail, is taken out by whoever imports it.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from providers.drivers import settings
from providers.errors import ProviderError
from providers.words import words
from schemas.manifest import Manifest
from schemas.reasons import Reason

if TYPE_CHECKING:  # who only asks which sources there are loads no HTTP
    from providers.reach import Reach

Cursor = Mapping[str, Any]
"""How far a listing came: JSON, opaque to everybody but its source, at most a few KB, free of secrets."""
PRIVATE = "private"
"""The member of a cursor or a reference that may let others in, such as a link: who stores it seals it. What
comes back without it begins anew, or is gone.
"""
Action = Literal["nothing", "mark", "move", "label", "delete"]
"""What becomes of a thing at the source once its documents are stored and announced."""


@dataclass(frozen=True, slots=True)
class Ability:
    """What the source, as configured, is able to do.

    Attributes:
        lists_all: each listing goes through everything that is there, from the beginning to its last page;
            what is missing from a whole listing is gone. Otherwise a listing goes on where the last one
            ended, or leaves out what is only archived.
        afterwards: the actions that `settle` knows, beside `nothing`.
        ranges: `fetch` can begin anywhere.
        concurrency: how many fetches at once it bears.
    """

    lists_all: bool
    afterwards: frozenset[Action] = frozenset()
    ranges: bool = True
    concurrency: int = 4


@dataclass(frozen=True, slots=True)
class Item:
    """One thing at the source.

    Attributes:
        id: the source's own name for it, the same as long as it is the same thing: a path, a record's id.
        version: opaque and short; another one when its bytes may have changed.
        name: as the source calls it; unchecked.
        received_at: when the source got it (IMAP's internal date, a file's modification), where it knows.
        size: bytes, where the source knows it before it is fetched.
        sha256: hex, only where the source knows it.
        media_type: as the source says; None where it says nothing.
        lasting_id: a name that stays through renaming and moving, where the source has one.
        place: where it lies, for people and for what was moved: the path, the mailbox.
        metadata: terms of `schemas.documents.Metadata` that the source itself knows; nothing guessed.
        reference: JSON that `fetch` and `settle` need to find it again.
    """

    id: str
    version: str
    name: str
    received_at: datetime | None = None
    size: int | None = None
    sha256: str | None = None
    media_type: str | None = None
    lasting_id: str | None = None
    place: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reference: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some things, and where to go on.

    Attributes:
        items: in the source's order; may be empty with more to come.
        cursor: what the next call is given: of this listing, or after `last` of the next one, some day.
        last: this listing is through.
        fewer: with `last`, of a source that lists what is new: some of what was there before is gone; `gone`
            knows which.
    """

    items: Sequence[Item]
    cursor: Cursor
    last: bool
    fewer: bool = False


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What to do with things that are safe: `to` is the folder or mailbox to move to, or the label."""

    action: Action = "nothing"
    to: str = ""


class Source(Protocol):
    """One connection's way to its documents, open. Every method raises `ProviderError` with the reasons of
    the contract. Methods may be called concurrently, up to `ability.concurrency`; pages are asked for one
    after the other.
    """

    ability: Ability

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The next things.

        Things that were listed before may be listed again, and must be where a cursor has expired (IMAP's
        UIDVALIDITY changed, a token is forgotten): then it begins anew by itself. None is missed.

        Args:
            cursor: of the page before, or where the last listing ended; None begins.
            since: what the source received before then may be left out; None is everything.
        """

    async def count(self, since: datetime | None) -> int | None:
        """How many things a first listing would find, or None where that is as dear as listing them."""

    def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` on, streamed, of the version that was listed. Close it when giving up.

        Raises:
            ProviderError: kind `item_permanent`: `content_changed` where it is another version by now (it
                will be listed again), `content_unavailable` where it is gone, `permission_missing` where this
                one alone may not be read.
        """

    async def gone(self, items: Collection[Item]) -> Collection[str]:
        """The ids of those that are no longer there. Asked for a few hundred at once."""

    async def settle(self, item: Item, afterwards: Afterwards) -> str | None:
        """Mark, move, label or delete it. Safe to call twice: what is done, or gone, is fine.

        Never overwrites: a move to a taken name takes another one.

        Returns:
            Where it lies now, as `Item.id`, where that is another id now.

        Raises:
            ProviderError: kind `config` where the action or its goal is not there.
        """


SOURCES: Mapping[str, str] = {
    "imap": "providers.drivers.imap",
    "rest": "providers.drivers.rest",
    "webdav": "providers.drivers.webdav_files",
    "sftp": "providers.drivers.sftp_files",
    "ftp": "providers.drivers.ftp_files",
    "object": "providers.drivers.object_files",
}
"""The module of each kind that can list. It has `open_source(manifest, settings, options, reach)`."""


def open_source(
    manifest: Manifest,
    credentials: Mapping[str, Any],
    options: Mapping[str, Any],
    reach: Reach,
) -> AbstractAsyncContextManager[Source]:
    """The manifest's source for one account, open until the `async with` ends.

    Args:
        manifest: as for `providers.drivers.open_driver`.
        credentials: what was lent.
        options: the connection's options: folder, mailbox, pattern …
        reach: the guarded way out.

    Raises:
        ProviderError: `not_set_up` where this driver lists nothing; on entering, whatever connecting meets.
    """
    module = SOURCES.get(manifest.driver.kind)
    if module is None:
        raise ProviderError("config", Reason.NOT_SET_UP, words("no_driver", name=manifest.name.en))
    made: AbstractAsyncContextManager[Source] = importlib.import_module(module).open_source(
        manifest, settings(manifest, credentials), options, reach
    )
    return made
