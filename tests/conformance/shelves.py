"""Where things lie that a source lists, of every kind: files at each server, mails, records with a file."""

import imaplib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import web
from imapservers import MailServer
from mails import a_mail
from restserver import manifest as rest_manifest, serving
from subjects import Subject

from providers.content import of_bytes
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import Afterwards, Source, open_source


class Shelf(Protocol):
    """A place of a test's own."""

    async def put(self, name: str, data: bytes) -> bytes:
        """Lays a thing there. Returns its bytes as the source is to give them."""

    async def take_away(self, name: str) -> None:
        """As somebody else would."""

    def open(self) -> AbstractAsyncContextManager[Source]:
        """The source over it."""


class Files:
    """A folder at a server of files."""

    def __init__(self, subject: Subject, reach: Reach) -> None:
        self._subject, self._reach = subject, reach
        self._folder = f"/{uuid4().hex[:12]}"

    async def put(self, name: str, data: bytes) -> bytes:
        async with self._subject.open(self._reach) as driver:
            await driver.make_folder(self._folder)
            await driver.put(f"{self._folder}/{name}", of_bytes(data))
        return data

    async def take_away(self, name: str) -> None:
        async with self.open() as source:
            page = await source.page(None, None)
            item = next(item for item in page.items if item.name == name)
            await source.settle(item, Afterwards("delete"))

    def open(self) -> AbstractAsyncContextManager[Source]:
        return self._subject.source(self._reach, folder=self._folder)


class Mails:
    """A mailbox."""

    def __init__(self, server: MailServer, reach: Reach) -> None:
        self._server, self._reach = server, reach
        self._name = f"box-{uuid4().hex[:12]}"
        with self._talking() as client:
            client.create(self._name)

    async def put(self, name: str, data: bytes) -> bytes:
        mail = a_mail(name, (name, data, "application/pdf"))
        with self._talking() as client:
            client.append(self._name, "", "", mail)
        return mail.replace(b"\n", b"\r\n")

    async def take_away(self, name: str) -> None:
        with self._talking() as client:
            client.select(self._name)
            _, found = client.search(None, "SUBJECT", f'"{name}"')
            client.store(found[0].decode(), "+FLAGS", "\\Deleted")
            client.expunge()

    def open(self) -> AbstractAsyncContextManager[Source]:
        options = {"mailbox": self._name}
        return open_source(load(CATALOGUE / "imap"), self._server.credentials, options, self._reach)

    @contextmanager
    def _talking(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(self._server.host, self._server.port) as client:
            client.login(self._server.username, self._server.password)
            yield client


class Records:
    """Records of a JSON interface, each with a file."""

    def __init__(self, origin: str, records: dict[str, bytes], reach: Reach) -> None:
        self._manifest = rest_manifest(
            origin,
            paging={"by": "page", "param": "page", "size": 2},
            since={"param": "since", "overlap_hours": 0},
            version=["/id"],
            received_at="/at",
        )
        self._records, self._reach = records, reach

    async def put(self, name: str, data: bytes) -> bytes:
        self._records[name] = data
        return data

    async def take_away(self, name: str) -> None:
        del self._records[name]

    def open(self) -> AbstractAsyncContextManager[Source]:
        return open_source(self._manifest, {"key": "x"}, {}, self._reach)


@asynccontextmanager
async def records(reach: Reach) -> AsyncIterator[Records]:
    there: dict[str, bytes] = {}
    moments: dict[str, datetime] = {}

    def handler(request: web.Request) -> Any:
        if request.path.startswith("/file/"):
            return there.get(request.path.removeprefix("/file/"), web.Response(status=404))
        page = int(request.query.get("page", 1))
        since = datetime.fromisoformat(request.query.get("since", "2000-01-01T00:00:00Z"))
        for name in there:
            moments.setdefault(name, datetime.now(UTC))
        new = [name for name in there if moments[name] >= since]
        known = [{"id": name, "at": moments[name].isoformat()} for name in new]
        return {"items": known[2 * (page - 1) : 2 * page]}

    async with serving(handler) as origin:
        yield Records(origin, there, reach)
