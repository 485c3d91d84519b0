"""What a mailbox is asked for, where its server is odd. Real servers are asked in `tests/imports`."""

from collections.abc import Callable
from typing import Any

from providers.drivers.imap import MOST_WINDOWS, WINDOW, Mailbox
from providers.manifests import CATALOGUE, load
from providers.sources import Afterwards, Item

MAIL = Item("<1@a>", "10-1", "message.eml", reference={"uid": 7, "validity": 1, "mailbox": "INBOX"})


class Server:
    """A mailbox with no mails; UIDVALIDITY is another one each time that it is selected anew."""

    def __init__(self, following: int) -> None:
        self.following = following
        self.selected = 0
        self.searches = 0
        self.marked: list[int] = []

    def select_folder(self, _: str, readonly: bool) -> dict[bytes, Any]:  # noqa: FBT001 - the library's
        del readonly
        self.selected += 1
        return {b"UIDVALIDITY": self.selected, b"UIDNEXT": self.following}

    def search(self, *_: Any) -> list[int]:
        self.searches += 1
        return []

    def add_flags(self, uids: list[int], *_: Any, **__: Any) -> None:
        self.marked += uids


class Straight:
    """A line that asks at once."""

    host = "mail.example"
    capabilities = frozenset[str]()

    def __init__(self, server: Server) -> None:
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


async def test_no_other_mail_is_marked_where_uidvalidity_changes_between_looking_and_marking() -> None:
    server = Server(following=10)
    box = mailbox(server)
    await box.page(None, None)
    await box.settle(MAIL, Afterwards("mark"))
    assert server.marked == []
