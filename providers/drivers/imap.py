"""Mails by IMAP: a mailbox as a source. Each mail is one thing; what is attached is taken out elsewhere.

A mail's id is its Message-ID, which stays when it is moved or the server counts anew (UIDVALIDITY); the
cursor is UIDVALIDITY and the next UID, so a listing looks at new mails only, however many there are. With
the number of mails there were, it tells whether some of them are gone.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

from providers.drivers import MOST_CHOICES, identity_of
from providers.drivers.imapfetch import Mails, gone_mail
from providers.drivers.imapline import Line
from providers.drivers.imapmails import ASKED, is_ours, item_of, sequence_set
from providers.errors import ProviderError
from providers.reach import Reach
from providers.sources import Ability, Action, Afterwards, Cursor, Item, Page
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

WINDOW = 20_000
"""UIDs that are searched at once: imaplib takes lines of a million bytes."""
MOST_WINDOWS = 250
"""Searches for one page: where UIDs have holes of millions, a page may be empty, and the listing goes on."""
PAGE = 200


@asynccontextmanager
async def open_source(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Mailbox]:
    """One mailbox, logged in; a second connection fetches beside the first one."""
    line = Line(settings, reach)
    try:
        await line.open()
        yield Mailbox(manifest, settings, options, line)
    finally:
        await line.close()


open_driver = open_source
"""For logins and live choices: an account that can be looked at, and that takes no files."""


class Mailbox:
    """See `providers.sources.Source` and `providers.drivers.Driver` for what each method promises."""

    def __init__(
        self, manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], line: Line
    ) -> None:
        self._line = line
        self._options = options
        self._name = str(options.get("mailbox") or "INBOX")
        self._identity = identity_of(manifest, settings, _user(settings, line.host))
        self._selected: tuple[str, bool, int, int] | None = None
        self._there: int | None = None
        """Mails below the next UID, when it was selected."""
        self._mails = Mails(line)
        actions: frozenset[Action] = frozenset({"mark", "move", "label"})
        self.ability = Ability(lists_all=False, afterwards=actions, concurrency=4)

    async def check(self) -> None:
        """The mailbox can be opened."""
        await self._open(readonly=True, fresh=True)

    async def identity(self) -> str:
        """The user's name, with the host where it is no address."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """Mailboxes: there is nothing else to choose."""
        del option, parent
        folders = await self._line.call(lambda client: client.list_folders())
        names = [
            name for flags, _, name in folders if b"\\Noselect" not in flags and b"\\NonExistent" not in flags
        ]
        wanted = sorted((name for name in names if query.casefold() in name.casefold()), key=_inbox_first)
        return [Choice(value=name, label=name) for name in wanted[:MOST_CHOICES]]

    async def page(self, cursor: Cursor | None, since: datetime | None) -> Page:
        """The next mails by UID. UIDVALIDITY that changed, or another mailbox, begins anew."""
        validity, following = await self._open(readonly=True, fresh=cursor is None or "through" in cursor)
        at = dict(cursor or {})
        same = at.get("mailbox") == self._name and at.get("validity") == validity
        start = int(at["next"]) if same else 1
        fewer = same and (bool(at.get("fewer")) or await self._is_fewer(at, following))
        uids: Sequence[int] = ()
        asked_up_to = min(following, start + MOST_WINDOWS * WINDOW)
        while not uids and start < asked_up_to:
            # Days are the server's own: a day earlier is asked for, and looked at by the minute afterwards.
            earliest = since and (since - timedelta(days=1)).date()
            uids = await self._search(start, min(start + WINDOW, following) - 1, earliest)
            start += WINDOW
        more = start < following or len(uids) > PAGE
        if uids:
            uids, start = uids[:PAGE], uids[min(len(uids), PAGE) - 1] + 1
        start = start if more else max(following, start)
        items = [item for item in await self._described(uids, validity) if not is_ours(item)]
        goes_on = {"mailbox": self._name, "validity": validity, "next": start}
        if more:
            return Page(items, goes_on | ({"fewer": True} if fewer else {}), last=False)
        there = {} if self._there is None else {"there": self._there}
        return Page(items, goes_on | there | {"through": True}, last=True, fewer=fewer)

    async def _is_fewer(self, before: Mapping[str, Any], following: int) -> bool:
        """Whether mails that were there when the last listing was through are not there any more."""
        if self._there is None or "there" not in before:
            return False
        first, came = int(before["next"]), 0
        if following - first > WINDOW:
            return True  # so many may have come that it is cheaper to look
        if following > first:
            new = await self._line.call(lambda client: client.search([b"UID", f"{first}:{following - 1}"]))
            came = sum(first <= uid < following for uid in new)
        return self._there - came < int(before["there"])

    async def count(self, since: datetime | None) -> int | None:
        """By searching, where that takes a bearable number of searches; by the server's own days."""
        _, following = await self._open(readonly=True, fresh=True)
        if following > MOST_WINDOWS * WINDOW:
            return None
        found = 0
        for start in range(1, following, WINDOW):
            found += len(
                await self._search(start, min(start + WINDOW, following) - 1, since and since.date())
            )
        return found

    async def fetch(self, item: Item, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Small mails come many at once, large ones in pieces."""
        uid = await self._uid(item)
        await self._open(readonly=True)
        async for piece in self._mails.bytes_of(uid, item.size, start):
            yield piece

    async def gone(self, items: Collection[Item]) -> Collection[str]:
        """Those whose UID is no longer there. Of another mailbox, or from before the server counted anew,
        nothing can be said.
        """
        validity, _ = await self._open(readonly=True)
        here = {"validity": validity, "mailbox": self._name}
        uids = {
            int(each.reference["uid"]): each.id for each in items if here.items() <= each.reference.items()
        }
        if not uids:
            return ()
        there = set(await self._line.call(lambda client: client.search([b"UID", sequence_set(uids)])))
        return {id_ for uid, id_ in uids.items() if uid not in there}

    async def settle(self, item: Item, afterwards: Afterwards) -> str | None:
        """Mark as read, move (made where it is missing), or label. The mail keeps its id."""
        if afterwards.action not in self.ability.afterwards:
            return None
        await self._open(readonly=False)  # first: who selects again may be told of another UIDVALIDITY
        try:
            uid = await self._uid(item)
        except ProviderError as error:
            if error.kind == "item_permanent":
                return None
            raise
        if afterwards.action == "mark":
            await self._line.call(lambda client: client.add_flags([uid], [b"\\Seen"], silent=True))
        elif afterwards.action == "label":
            await self._label(uid, afterwards.to)
        else:
            await self._move(uid, afterwards.to)
        return None

    async def _open(self, *, readonly: bool, fresh: bool = False) -> tuple[int, int]:
        """UIDVALIDITY and the next UID. Selected again only where it must be."""
        known = self._selected
        if known is not None and not fresh and known[0] == self._name and (readonly or not known[1]):
            return known[2], known[3]
        answer = await self._line.call(lambda client: client.select_folder(self._name, readonly))
        validity, following = int(answer[b"UIDVALIDITY"]), int(answer.get(b"UIDNEXT", 0))
        if not following:  # some servers keep it to themselves
            last = await self._line.call(lambda client: client.search([b"UID", b"*"]))
            following = max(last, default=0) + 1
        self._there = int(answer[b"EXISTS"]) if b"EXISTS" in answer else None
        self._selected = (self._name, readonly, validity, following)
        return validity, following

    async def _search(self, first: int, last: int, since: date | None) -> list[int]:
        criteria: list[Any] = ["UID", f"{first}:{last}"]
        if since is not None:
            criteria += ["SINCE", since]
        for option, key in (("sender", "FROM"), ("subject", "SUBJECT")):
            if wanted := str(self._options.get(option) or "").strip():
                criteria += [key, wanted]
        if self._options.get("only_unread"):
            criteria.append("UNSEEN")
        charset = None if all(str(part).isascii() for part in criteria) else "UTF-8"
        found = await self._line.call(lambda client: client.search(criteria, charset))
        return sorted(uid for uid in found if first <= uid <= last)

    async def _described(self, uids: Sequence[int], validity: int) -> list[Item]:
        if not uids:
            return []
        found = await self._line.call(lambda client: client.fetch(list(uids), list(ASKED)))
        items = [
            item_of(uid, validity, self._name, found[uid])
            for uid in uids
            if b"RFC822.SIZE" in found.get(uid, {})
        ]
        self._mails.listed([(int(item.reference["uid"]), item.size or 0) for item in items])
        return items

    async def _uid(self, item: Item) -> int:
        """Its UID now: the one it was listed with, else found by its Message-ID."""
        validity, _ = await self._open(readonly=True)
        if item.reference.get("validity") == validity and item.reference.get("mailbox") == self._name:
            return int(item.reference["uid"])
        found = await self._by_message_id(item)
        if found is None:
            raise gone_mail()
        return found

    async def _by_message_id(self, item: Item) -> int | None:
        if not item.id.startswith("<"):
            return None
        wanted = item.id.encode("ascii", "ignore").decode()
        found = await self._line.call(lambda client: client.search(["HEADER", "Message-ID", wanted]))
        return max(found, default=None)

    async def _label(self, uid: int, label: str) -> None:
        if not label:
            raise ProviderError("config", Reason.INVALID, words("no_label"), field="label")
        if "X-GM-EXT-1" in self._line.capabilities:
            await self._line.call(lambda client: client.add_gmail_labels([uid], [label], silent=True))
            return
        keyword = re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("_") or "Paperbus"
        await self._line.call(lambda client: client.add_flags([uid], [keyword.encode()], silent=True))

    async def _move(self, uid: int, to: str) -> None:
        if not to or to == self._name:
            raise ProviderError("config", Reason.INVALID, words("no_move_to"), field="move_to")
        there = await self._line.call(lambda client: client.folder_exists(to))
        if not there:
            await self._line.call(lambda client: client.create_folder(to))
        if "MOVE" in self._line.capabilities:
            await self._line.call(lambda client: client.move([uid], to))
            return
        await self._line.call(lambda client: client.copy([uid], to))
        await self._line.call(lambda client: client.delete_messages([uid], silent=True))
        if "UIDPLUS" in self._line.capabilities:  # a plain EXPUNGE would take others' mails along
            await self._line.call(lambda client: client.uid_expunge([uid]))


def _user(settings: Mapping[str, Any], host: str) -> str:
    user = str(settings["username"])
    return user if "@" in user else f"{user}@{host}"


def _inbox_first(name: str) -> tuple[bool, str]:
    return name.upper() != "INBOX", name.casefold()
