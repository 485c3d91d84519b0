"""One suite for the stores in memory and in MongoDB: who may try, what is due, which revision is newest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connections import api, store, timeline
from connections.handlers.destinations import held
from connections.handlers.ports import Connections, Providers, Trying
from connections.lifecycle.deciding import decide
from connections.lifecycle.things import Connection
from connections.providers_store import MongoProviders
from kit import mongo as kit_mongo
from kit.heard import Heard
from kit.http import access, cursor_of, make_app
from kit.memory import MemoryAggregates
from kit.mongo_aggregates import MongoAggregates
from kit.tokens import Access
from kit.transitions import Decision
from schemas.connections import ConnectionPaused
from schemas.envelope import Event
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.unit.connections.builders import ACCOUNT, ID, MANIFEST, NOW, answered, case, request
from tests.unit.connections.fakes import MemoryProviders, MemoryTrying, SetClock


@dataclass
class Stores:
    connections: Connections
    trying: Trying
    providers: Providers

    async def tell(self, id_: str, *messages: Any) -> Connection:
        """Let these happen; a message may be made of the connection as it is then."""
        it = None
        for message in messages:

            def decided(connection: Connection | None, message: Any = message) -> Decision[Connection] | None:
                return decide(case(connection), message(connection) if callable(message) else message)

            it = await self.connections.alter(id_, decided, account=ACCOUNT)
        assert it is not None
        return it


async def nobody_needed(ids: set[str]) -> set[str]:
    """No operator has set up a client."""
    return set()


@pytest.fixture
async def stores(where: tuple[str, str] | None) -> AsyncIterator[Stores]:
    clock = SetClock(NOW)
    if where is None:
        things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, clock)
        yield Stores(things, MemoryTrying(things, clock), MemoryProviders())
        return
    client = kit_mongo.connect(where[0])
    db = client[where[1]]
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, clock)
    await kept.declare(*store.INDEXES)
    yield Stores(
        kept,
        store.MongoTrying(db.connections, "me"),
        MongoProviders(db.providers, db.manifests, nobody_needed),
    )
    client.close()


async def test_a_connection_is_read_as_it_was_written(stores: Stores) -> None:
    id_ = str(uuid4())
    wanted = request(connection_id=id_, start="2026-01-31", filters={"issued_from": "2026-01-01"})
    it = await stores.tell(id_, wanted, answered)

    (kept,) = (await stores.connections.read([id_])).values()
    assert kept.thing == it
    assert (kept.account, kept.v) == (ACCOUNT, 2)


async def test_an_answer_is_claimed_once_and_the_next_one_anew(stores: Stores) -> None:
    id_ = str(uuid4())
    await stores.tell(id_, request(connection_id=id_))
    assert await stores.trying.claim(id_) is None

    await stores.tell(id_, answered)
    assert await stores.trying.claim(id_) == 1
    assert await stores.trying.claim(id_) is None


async def test_due_is_what_waits_for_somebody_and_what_is_over(stores: Stores) -> None:
    waiting, answers = str(uuid4()), str(uuid4())
    await stores.tell(waiting, request(connection_id=waiting))
    assert await stores.trying.due(NOW, 10) == []

    await stores.tell(answers, request(connection_id=answers), answered)
    assert await stores.trying.due(NOW, 10) == [answers]
    assert await stores.trying.due(NOW + timedelta(minutes=31), 10) == [answers, waiting]
    assert await stores.trying.due(NOW + timedelta(minutes=31), 1) == [answers]


async def test_unfinished_are_those_that_a_retired_provider_ends(stores: Stores) -> None:
    id_ = str(uuid4())
    await stores.tell(id_, request(connection_id=id_))

    assert await stores.trying.unfinished_of("webdav") == [id_]
    assert await stores.trying.unfinished_of("another") == []


async def test_the_newest_revision_wins_whatever_the_order(stores: Stores) -> None:
    named = [
        MANIFEST.model_copy(update={"summary": MANIFEST.name.model_copy(update={"en": n})}) for n in "ab"
    ]
    await stores.providers.publish([(named[1], 2), (named[0], 1)])
    await stores.providers.publish([(named[0], 1)])

    newest = (await stores.providers.newest(["webdav", "none"]))["webdav"]
    assert (newest.revision, newest.manifest.summary.en, newest.retired) == (2, "b", False)
    pinned = await stores.providers.at("webdav", 1)
    assert pinned is not None
    assert pinned.manifest.summary.en == "a"
    assert await stores.providers.at("webdav", 3) is None


async def test_a_retired_provider_comes_back_with_a_newer_revision_only(stores: Stores) -> None:
    await stores.providers.publish([(MANIFEST, 1)])
    assert await stores.providers.retire("webdav", 2)
    assert await stores.providers.retire("webdav", 2)
    await stores.providers.publish([(MANIFEST, 1)])
    assert (await stores.providers.newest(["webdav"]))["webdav"].retired

    await stores.providers.publish([(MANIFEST, 3)])
    assert not (await stores.providers.newest(["webdav"]))["webdav"].retired


def driven(**settings: Any) -> Manifest:
    driver = MANIFEST.driver.model_copy(update={"settings": settings})
    return MANIFEST.model_copy(update={"driver": driver})


@pytest.mark.parametrize(
    ("before", "after", "held_back"),
    [
        ({"host": "files", "port": 22}, {"host": "files", "port": 23}, True),
        ({"host": "files"}, {"host": "archive"}, True),
        ({"host": "files"}, {"host": "files", "port": 23}, True),
        ({"endpoint": "https://s3.example", "addressing": "path"}, {"endpoint": "https://s3.example"}, True),
        ({"host": "files", "concurrency": 2}, {"host": "files", "case_sensitive": False}, False),
    ],
)
async def test_whatever_says_where_secrets_go_holds_them_back(
    stores: Stores, before: dict[str, Any], after: dict[str, Any], *, held_back: bool
) -> None:
    await stores.providers.publish([(driven(**before), 1)])
    await stores.providers.publish([(driven(**after), 2)])

    why = await held(stores.providers, "webdav", 1)
    assert why is (Reason.PROVIDER_CHANGED if held_back else None)


async def test_a_provider_that_was_retired_before_anything_of_it_was_heard_is_known_as_that(
    stores: Stores,
) -> None:
    assert await stores.providers.retire("webdav", 2)
    assert await stores.providers.retired(["webdav", "none"]) == {"webdav"}
    assert await stores.providers.newest(["webdav"]) == {}
    await stores.providers.publish([(MANIFEST, 1)])
    assert await stores.providers.retired(["webdav"]) == {"webdav"}

    await stores.providers.publish([(MANIFEST, 3)])
    assert await stores.providers.retired(["webdav"]) == set()


async def test_secrets_are_lent_again_once_they_go_where_they_went(stores: Stores) -> None:
    for revision, host in enumerate(("one.example", "two.example", "one.example"), 1):
        await stores.providers.publish([(driven(host=host), revision)])

    assert not await held(stores.providers, "webdav", 1)
    assert await held(stores.providers, "webdav", 2)


async def test_secrets_are_held_back_from_a_revision_that_sends_them_elsewhere(stores: Stores) -> None:
    def at(url: str) -> Manifest:
        return driven(url=url)

    await stores.providers.publish([(at("https://one.example/{username}"), 1)])
    await stores.providers.publish([(at("https://one.example/{username}"), 2)])
    assert not await held(stores.providers, "webdav", 1)

    await stores.providers.publish([(at("https://two.example/{username}"), 3)])
    assert await held(stores.providers, "webdav", 2)
    assert not await held(stores.providers, "webdav", 3)
    await stores.providers.publish([(at("https://two.example/{username}"), 4)])
    assert await held(stores.providers, "webdav", 2)


@pytest.mark.parametrize("query", ["due", "unfinished", "account", "claim"])
async def test_every_query_finds_its_index(mongo: str, fresh_database: str, query: str) -> None:
    client = kit_mongo.connect(mongo)
    db = client[fresh_database]
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, SetClock(NOW))
    await kept.declare(*store.INDEXES)
    shards = {"$in": list(range(64))}
    queries: dict[str, dict[str, Any]] = {
        "due": {"shard": shards, "wake_at": {"$lte": NOW}},
        "unfinished": {"shard": shards, "provider_id": "webdav", "unfinished": True},
        "account": {"account": ACCOUNT},
        "claim": {"_id": str(uuid4()), "shard": 1, "login.state": "trying"},
    }
    plan = await db.connections.find(queries[query]).explain()
    client.close()

    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


@pytest.fixture
async def reader(
    mongo: str, fresh_database: str
) -> AsyncIterator[tuple[timeline.Timeline, httpx.AsyncClient]]:
    """The timeline, and who reads it over HTTP."""
    client = kit_mongo.connect(mongo)
    lines = timeline.Timeline(client[fresh_database].timeline)
    things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, SetClock(NOW))
    await things.alter(ID, lambda _: decide(case(), request()), account=ACCOUNT)
    parts: Any = {"lists": None, "keys": None, "live": None}
    app = make_app("connections")
    app.include_router(api.routes(api.Reading(connections=things, timeline=lines, **parts)))
    app.dependency_overrides[access] = lambda: Access("jane", ACCOUNT, "member", "j", 0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as http:
        yield lines, http
    client.close()


def paused(id_: str, at: datetime) -> Heard:
    data = ConnectionPaused(connection_id=ID, by="customer")
    plain = {"source": "/s", "type": data.TYPE, "subject": ID, "accountid": ACCOUNT, "data": data}
    return Heard(Event[Any](id=id_, time=at, **plain), "connections.events", 0, 0)


async def test_a_timeline_has_each_event_once_and_is_read_page_by_page(
    reader: tuple[timeline.Timeline, httpx.AsyncClient],
) -> None:
    lines, http = reader
    events = [paused(str(n), NOW + timedelta(seconds=n // 3)) for n in range(7)]
    await lines.handle(events * 2)
    await lines.handle(events[:1])
    pages, cursor = [], ""
    while cursor is not None and len(pages) < 9:
        url = f"/v1/connections/{ID}/timeline?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = (await http.get(url)).raise_for_status().json()
        pages.append([entry["id"] for entry in page["items"]])
        cursor = page["next"]

    assert pages == [["6", "5"], ["4", "3"], ["2", "1"], ["0"]]
    assert page["items"][0]["what"] == "ConnectionPaused"
    assert page["items"][0]["data"] == {"by": "customer", "reason": None}
    assert (await http.get(f"/v1/connections/{ID}/timeline?cursor={cursor_of('x', 'y')}")).status_code == 400
