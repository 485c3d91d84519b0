"""What a mailbox is asked for, where its server is odd. Real servers are asked in `tests/imports`."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

from providers.drivers.imap import MOST_WINDOWS, WINDOW, Mailbox
from providers.drivers.imapfetch import MOST_AT_ONCE, Mails
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.sources import Afterwards, Item

MAIL = Item("<1@a>", "10-1", "message.eml", reference={"uid": 7, "validity": 1, "mailbox": "INBOX"})


class Server:
    """A mailbox with no mails; UIDVALIDITY is another one each time that it is selected anew."""

    def __init__(self, following: int, uids: Collection[int] | None = None) -> None:
        self.following = following
        self.uids = uids
        self.selected = 0
        self.searches = 0
        self.marked: list[int] = []

    def select_folder(self, _: str, readonly: bool) -> dict[bytes, Any]:  # noqa: FBT001 - the library's
        del readonly
        self.selected += 1
        there = {} if self.uids is None else {b"EXISTS": len(self.uids)}
        return {b"UIDVALIDITY": self.selected, b"UIDNEXT": self.following, **there}

    def search(self, criteria: list[Any], *_: Any) -> list[int]:
        self.searches += 1
        asked = criteria[1] if isinstance(criteria[1], str) else criteria[1].decode()
        ranges = [each.partition(":")[::2] for each in asked.split(",")]
        uids = self.uids or ()
        return [uid for uid in uids if any(int(a) <= uid <= int(b or a) for a, b in ranges)]

    def fetch(self, *_: Any) -> dict[int, Any]:
        return {}

    def add_flags(self, uids: list[int], *_: Any, **__: Any) -> None:
        self.marked += uids


class Straight:
    """A line that asks at once."""

    host = "mail.example"
    capabilities = frozenset[str]()

    def __init__(self, server: Any) -> None:
        self.server = server

    async def call(self, work: Callable[[Any], Any]) -> Any:
        return work(self.server)


def mailbox(server: Server) -> Mailbox:
    settings = {"username": "jane@mail.example", "password": "x"}
    return Mailbox(load(CATALOGUE / "imap"), settings, {}, Straight(server))  # type: ignore[arg-type]  # stands in


async def test_uids_with_holes_of_millions_make_empty_pages_and_no_endless_one() -> None:
    server = Server(following=2**32 - 1)
    box = mailbox(server)
    page = await box.page(None, None)
    assert server.searches == MOST_WINDOWS
    assert not page.items
    assert not page.last
    assert page.cursor["next"] == 1 + MOST_WINDOWS * WINDOW
    assert await box.count(None) is None


async def test_a_mailbox_of_500_000_with_nothing_new_is_opened_and_asked_for_nothing_else() -> None:
    server = Server(following=500_001, uids=range(1, 500_001))
    cursor = {"mailbox": "INBOX", "validity": 1, "next": 500_001, "there": 500_000, "through": True}
    page = await mailbox(server).page(cursor, None)
    assert (server.selected, server.searches) == (1, 0)
    assert page.last
    assert not page.fewer
    assert page.cursor == cursor


@pytest.mark.parametrize(
    ("uids", "following", "fewer"),
    [
        ({1, 2, 3}, 4, False),
        ({1, 3}, 4, True),
        ({1, 2, 3, 5}, 6, False),
        ({1, 3, 4, 5}, 6, True),  # one went, two came
        ({1, 3, 9}, 10, True),  # of those that came between, one is left
        ({1, 2, 3}, 90_000, True),  # it is looked at, rather than counted
    ],
)
async def test_a_listing_tells_whether_mails_are_gone_whatever_came_meanwhile(
    uids: set[int], following: int, *, fewer: bool
) -> None:
    before = {"mailbox": "INBOX", "validity": 1, "next": 4, "there": 3, "through": True}
    page = await mailbox(Server(following, uids)).page(before, None)

    assert page.last
    assert page.fewer is fewer
    assert page.cursor["there"] == len(uids)


async def test_what_is_gone_is_remembered_until_the_listing_is_through() -> None:
    box = mailbox(Server(1300, {1, *range(1000, 1300)}))
    before = {"mailbox": "INBOX", "validity": 1, "next": 4, "there": 3, "through": True}
    page = await box.page(before, None)
    assert not page.last

    assert (await box.page(page.cursor, None)).fewer


async def test_of_mails_that_were_listed_elsewhere_nobody_can_say_that_they_are_gone() -> None:
    box = mailbox(Server(10, {7}))
    odd = [{"uid": 8, "validity": 2, "mailbox": "INBOX"}, {"uid": 8, "validity": 1, "mailbox": "Other"}]
    mails = [Item(f"<{n}@a>", "10-1", "message.eml", reference=each) for n, each in enumerate(odd, 5)]
    gone = Item("<2@a>", "10-1", "message.eml", reference={"uid": 9, "validity": 1, "mailbox": "INBOX"})

    assert await box.gone(mails) == ()
    assert await box.gone([MAIL, gone, *mails]) == {"<2@a>"}


async def test_no_other_mail_is_marked_where_uidvalidity_changes_between_looking_and_marking() -> None:
    server = Server(following=10)
    box = mailbox(server)
    await box.page(None, None)
    await box.settle(MAIL, Afterwards("mark"))
    assert server.marked == []


class Odd:
    """A server of mails that gives at most `most` bytes of one at a time, or takes no notice of parts."""

    def __init__(self, mails: dict[int, bytes], most: int, *, in_parts: bool = True) -> None:
        self.mails, self.most, self.in_parts = mails, most, in_parts
        self.largest = self.asked = 0

    def fetch(self, uids: list[int], asked: list[str]) -> dict[int, dict[bytes, Any]]:
        self.asked += 1
        start, length = (int(part) for part in asked[0].partition("<")[2].rstrip(">").split("."))
        if self.in_parts:
            end = start + min(length, self.most)
            found = {u: {b"BODY[]<%d>" % start: self.mails[u][start:end]} for u in uids if u in self.mails}
        else:
            found = {u: {b"BODY[]": self.mails[u]} for u in uids if u in self.mails}
        came = sum(len(value) for answer in found.values() for value in answer.values())
        self.largest = max(self.largest, came)
        return found


async def whole(mails: Mails, uid: int, size: int, start: int = 0) -> bytes:
    return b"".join([piece async for piece in mails.bytes_of(uid, size, start)])


@pytest.mark.parametrize("said", [0, 10, 1_500_000, 3_072_000, 50_000_000])
@pytest.mark.parametrize("start", [0, 7, 200_000])
async def test_a_mail_is_whole_whatever_the_server_said_of_its_size(said: int, start: int) -> None:
    mail = bytes(range(256)) * 12_000
    for server in (Odd({1: mail}, 400_000), Odd({1: mail}, 10**9), Odd({1: mail}, 10**9, in_parts=False)):
        mails = Mails(Straight(server))  # type: ignore[arg-type]  # stands in
        mails.listed([(1, said)])
        assert await whole(mails, 1, said, start) == mail[start:]
        assert server.asked < 12


async def test_sixty_mails_that_are_all_larger_than_the_server_said_do_not_come_at_once() -> None:
    server = Odd(dict.fromkeys(range(1, 65), b"x" * 3_000_000), 10**9)
    mails = Mails(Straight(server))  # type: ignore[arg-type]  # stands in
    mails.listed([(uid, 100) for uid in range(1, 65)])
    for uid in range(1, 4):
        assert len(await whole(mails, uid, 100)) == 3_000_000
    assert server.largest <= MOST_AT_ONCE


async def test_a_mail_that_was_expunged_meanwhile_is_told_and_the_others_come() -> None:
    mails = Mails(Straight(Odd({1: b"a", 3: b"c"}, 10**9)))  # type: ignore[arg-type]  # stands in
    mails.listed([(1, 1), (2, 1), (3, 1)])
    assert await whole(mails, 1, 1) == b"a"
    with pytest.raises(ProviderError) as gone:
        await whole(mails, 2, 1)
    assert gone.value.reason.value == "content_unavailable"
    assert await whole(mails, 3, 1) == b"c"
