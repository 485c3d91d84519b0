"""Real runs: MongoDB, a platform that serves documents, a provider's server; and workers that can be killed.

A worker runs in a process of its own that ends itself by SIGKILL at a named point: before or after a call of
the store or the driver, or in the middle of a body. Nothing of this is in the code under test.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import signal
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import Key, KeySet, OKPKey

from kit.aggregates import shard_of
from kit.mongo import connect
from kit.mongo_aggregates import MongoAggregates
from kit.tokens import ServiceTokens, new_signing_key
from providers.content import Body
from providers.drivers import open_driver
from providers.egress import Guard
from providers.http import CALL_SECONDS
from providers.reach import Reach
from providers.sources import open_source
from schemas.manifest import Manifest
from schemas.reasons import Direction
from schemas.syncs import DueReason
from sync_runner.borrowing import Loan
from sync_runner.content import Contents
from sync_runner.einvoices.reader import Reader
from sync_runner.importing import Warehouse
from sync_runner.inspecting import Inspector
from sync_runner.lifecycle.sync import EVERYTHING, Run, Selection, Standing, State, Sync
from sync_runner.running import Means
from sync_runner.scanning import Clamd
from sync_runner.store import ledger
from sync_runner.store.contents import MongoContents
from sync_runner.store.documents import INDEXES as DOCUMENT_INDEXES
from sync_runner.store.import_rows import ImportRows
from sync_runner.store.imports import INDEXES as IMPORT_INDEXES, MongoImports
from sync_runner.store.rows import Rows
from sync_runner.store.runs import READY, MongoRuns
from sync_runner.store.shapes import SCHEMA, SYNC, dump, load
from sync_runner.worker import Worker

LOOPBACK = ["127.0.0.0/8"]
ACCOUNT = "acme"


HEAVY = ["aiohttp.web", "motor.motor_asyncio", "providers.drivers.webdav", "sync_runner.worker"]
multiprocessing.set_forkserver_preload(HEAVY)  # children are forked from a process that has these


class NoFiles:
    """Nothing is kept here."""

    async def read(self, account: str, file_id: str) -> AsyncIterator[bytes]:
        raise LookupError(file_id)
        yield b""


@dataclass
class Platform:
    """Serves documents' bytes to whoever shows sync-runner's token for them."""

    key: Key = field(default_factory=lambda: new_signing_key("sync-runner"))
    files: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    origin: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Platform]:
        app = web.Application()
        app.router.add_get("/{id:.*}", self._give)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _give(self, request: web.Request) -> web.Response:
        document = request.match_info["id"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with warnings.catch_warnings(action="ignore"):  # of the algorithm's newer name
            claims = jwt.decode(token, self.key, algorithms=["EdDSA"]).claims
        good = {"iss": "sync-runner", "aud": self.origin, "account": ACCOUNT, "document_id": document}
        if {name: claims[name] for name in good} != good or claims["exp"] > claims["iat"] + 300:
            return web.Response(status=403)
        self.asked[document] += 1
        found = self.files.get(document)
        return web.Response(body=found) if found is not None else web.Response(status=404)


@dataclass(frozen=True)
class Place:
    """What a worker's process needs to know; can be handed to it."""

    mongo: str
    database: str
    manifest: dict[str, Any]
    credentials: Mapping[str, Any]
    key: dict[str, Any]
    patience: float = CALL_SECONDS
    """Seconds for one call to the target."""


@dataclass
class Rig:
    """One connection with documents to send, in a real store."""

    place: Place
    platform: Platform
    connection: str = field(default_factory=lambda: str(uuid4()))
    direction: Direction = "export"
    clamd: str | None = None
    account: str = ACCOUNT

    def __post_init__(self) -> None:
        self.client = connect(self.place.mongo)
        self.database = self.client[self.place.database]

    async def set_up(self, **options: Any) -> Rig:
        """The indexes and the connection, with a run that is ready."""
        await self.database["ledger"].create_indexes([*ledger.INDEXES, *IMPORT_INDEXES])
        await self.database["documents"].create_indexes(list(DOCUMENT_INDEXES))
        await self.database["syncs"].create_indexes([READY])
        now = datetime.now(UTC)
        run = Run(str(uuid4()), now, DueReason.MANUAL, EVERYTHING)
        sync = Sync(
            id=self.connection,
            account=self.account,
            standing=Standing.ACTIVE,
            state=State.WAITING,
            provider_id=self.place.manifest["id"],
            provider_revision=1,
            options=options,
            start="all",
            direction=self.direction,
            run=run,
            ready_at=now,
        )
        own = {"_id": self.connection, "account": self.account, "v": 1, "shard": shard_of(self.connection)}
        kept = own | {"owes": [], "seen": [], "schema": SCHEMA}
        await self.database["syncs"].insert_one(kept | dump(sync))
        return self

    async def due(self, selection: Selection = EVERYTHING) -> None:
        """Another run that is ready now."""
        sync = load(await self.sync())
        run = Run(str(uuid4()), datetime.now(UTC), DueReason.MANUAL, selection)
        again = dump(replace(sync, run=run, state=State.WAITING, ready_at=datetime.now(UTC)))
        await self.database["syncs"].update_one({"_id": self.connection}, {"$set": again, "$inc": {"v": 1}})

    async def receive(self, files: Mapping[str, bytes], names: Mapping[str, str] | None = None) -> None:
        """Documents, with their rows in the ledger."""
        self.platform.files |= files
        now = datetime.now(UTC) - timedelta(seconds=1)
        documents = [
            {
                "_id": f"{self.account}/{name}",
                "account": self.account,
                "document": name,
                "version": 1,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
                "media_type": "application/pdf",
                "filename": (names or {}).get(name, f"{name}.pdf"),
                "content_url": f"{self.platform.origin}/{name}",
                "received_at": now,
                "metadata": {},
                "at": now,
                "schema": 1,
            }
            for name, data in files.items()
        ]
        await self.database["documents"].insert_many(documents)
        rows = [ledger.new_row(self.account, self.connection, name, 1, now, now) for name in files]
        await ledger.add(self.database["ledger"], rows)

    async def rows(self) -> dict[str, dict[str, Any]]:
        """The ledger, by document."""
        return {row["document"]: row async for row in self.database["ledger"].find()}

    async def sync(self) -> dict[str, Any]:
        found = await self.database["syncs"].find_one({"_id": self.connection})
        assert found is not None
        return found

    async def events(self) -> list[str]:
        """The types of what is owed, in order."""
        return [owed["type"].split(".")[1] for owed in (await self.sync())["owes"]]

    async def lease_ends(self) -> None:
        """As if 30 s had passed, and every wait: the run, or its retry, is ready now, and so are its rows."""
        now = datetime.now(UTC)
        await self.database["syncs"].update_one(
            {"_id": self.connection, "state": {"$ne": "idle"}}, {"$set": {"ready_at": now}}
        )
        await self.database["ledger"].update_many(
            {"next_at": {"$gt": now}}, {"$set": {"next_at": now - timedelta(seconds=1)}}
        )

    async def work(self, seconds: float = 90, **settings: Any) -> None:
        """A worker in this process, until the run has ended."""
        async with working(self.place, clamd=self.clamd, **settings):
            await self.until_ended(seconds)

    async def until_ended(self, seconds: float = 90) -> None:
        """Until nobody works on the connection and no run of it is ready."""
        async with asyncio.timeout(seconds):
            while True:
                sync = await self.sync()
                ready = sync.get("ready_at")
                if sync["state"] == "idle" or (
                    sync["state"] == "waiting" and ready is not None and ready > datetime.now(UTC)
                ):
                    return
                await asyncio.sleep(0.02)

    async def killed(self, point: str, nth: int = 1) -> bool:
        """A worker in a process of its own, killed at the n-th passing of a point. False: never passed."""
        child = multiprocessing.get_context("forkserver").Process(
            target=_work_and_die, args=(self.place, self.connection, point, nth)
        )
        await asyncio.to_thread(child.start)
        await asyncio.to_thread(child.join, 60)
        if child.is_alive():
            child.kill()
            raise AssertionError(f"a worker that was to die at {point} hangs")
        assert child.exitcode in (0, -signal.SIGKILL), f"the worker ended with {child.exitcode}"
        return child.exitcode == -signal.SIGKILL


Knife = Callable[[str], Awaitable[None]]
"""Told of every point that is passed; it may take its time, or end the process."""


async def spare(at: str) -> None:
    """The knife that cuts nothing."""


@asynccontextmanager
async def working(place: Place, knife: Knife = spare, clamd: str | None = None, **settings: Any) -> Any:
    """A worker at work. `knife` is told of every point that is passed."""
    client = connect(place.mongo)
    database = client[place.database]
    syncs = MongoAggregates(SYNC, database["syncs"], database["bodies"], lambda: datetime.now(UTC))
    kept = MongoRuns(
        syncs,
        Rows(database["ledger"], database["documents"]),
        ImportRows(database["ledger"], "http://127.0.0.1/v1/content/"),
    )
    runs = Knifed(kept, knife, "store")
    warehouse = Warehouse(
        Knifed(MongoImports(database["ledger"], database["syncs"]), knife, "imports"),
        Knifed(MongoContents(database), knife, "contents"),
        Inspector(Reader(), Clamd(clamd) if clamd else None),
        timedelta(days=30),
    )
    key = OKPKey.import_key(place.key)
    manifest = Manifest.model_validate(place.manifest)

    async def of(provider_id: str, revision: int) -> Manifest:
        return manifest

    async with Reach(Guard(LOOPBACK), patience=place.patience) as reach:
        tokens = ServiceTokens(key, KeySet([key]), time.time)
        contents = Contents(reach, tokens, NoFiles())
        ways = _opens(knife, open_driver, "driver"), warehouse, _opens(knife, open_source, "source")
        means = Means(runs, _lends(place), of, _read, contents, reach, *ways)
        worker = Worker(means, f"worker-{os.getpid()}-{uuid4().hex[:6]}", **settings)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            try:
                await worker.stop()
                await task
                await warehouse.inspector.close()
            finally:
                client.close()


async def _read() -> bool:
    return True


def _lends(place: Place) -> Any:
    def for_run(account: str, connection: str, run: str, fence: int) -> Any:
        async def borrow() -> Loan:
            return Loan(
                connection_id=connection,
                account=account,
                run_id=run,
                fence=fence,
                provider_id=place.manifest["id"],
                provider_revision=1,
                credentials=dict(place.credentials),
                credentials_revision=3,
                expires_at=datetime.now(UTC) + timedelta(minutes=5),
            )

        return borrow

    return for_run


class Knifed:
    """Something whose calls are told of, before and after: `store.intend.before`."""

    def __init__(self, inner: Any, knife: Knife, name: str) -> None:
        self._inner = inner
        self._knife = knife
        self._name = name

    def __getattr__(self, member: str) -> Any:
        found = getattr(self._inner, member)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def told(*args: Any, **named: Any) -> Any:
            await self._knife(f"{self._name}.{member}.before")
            answer = await found(*(self._cut(arg) for arg in args), **named)
            await self._knife(f"{self._name}.{member}.after")
            return answer

        return told

    def _cut(self, arg: Any) -> Any:
        if not isinstance(arg, Body) or self._knife is spare:
            return arg

        async def cut() -> AsyncIterator[bytes]:
            async for chunk in arg.open():
                yield chunk[: len(chunk) // 2]
                await self._knife("body.middle")
                yield chunk[len(chunk) // 2 :]

        return Body(arg.size, arg.sha256, arg.media_type, cut)


def _opens(knife: Knife, way: Any, name: str) -> Any:
    @asynccontextmanager
    async def opened(*args: Any) -> AsyncIterator[Any]:
        async with way(*args) as open_way:
            yield Knifed(open_way, knife, name)

    return opened


def work_alone(place: Place, connection: str) -> None:
    """A worker in a process of its own, until the run has ended."""
    _work_and_die(place, connection, "never", 0)


def _work_and_die(place: Place, connection: str, point: str, nth: int) -> None:
    """The child: works until the run has ended, or kills itself."""
    passed = Counter[str]()

    async def knife(at: str) -> None:
        passed[at] += 1
        if at == point and passed[at] == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    async def main() -> None:
        rig = Rig(place, Platform(), connection)
        async with working(place, knife):
            await rig.until_ended(600)
        rig.client.close()

    asyncio.run(main())


def a_place(mongo: str, database: str, manifest: Manifest, credentials: Mapping[str, Any], key: Key) -> Place:
    """What workers need, from what fixtures give."""
    return Place(mongo, database, manifest.wire(), dict(credentials), key.as_dict(private=True))
