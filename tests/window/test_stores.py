"""What is kept in memory for tests and what is kept in MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connections.answer_keys import AnswerKeys, KeyStore
from connections.answer_keys_store import MongoKeyStore
from connections.lending import Lent
from connections.lending_store import MongoAudit
from connections.vault import Place, Sealed, Vault, VaultKeysRefused
from connections.vault_store import MongoRecords, canary_records, prove, rewrap_all
from connections.window.store import MongoWindows
from connections.window.windows import Window, WindowStore, digest, fresh_secret
from console.sessions import Session, SessionStore
from console.store import MongoLists, MongoSessions
from kit import mongo as kit_mongo
from kit.mongo import Database
from tests.unit.answers.made import MemoryKeys
from tests.unit.console.room import MemorySessions
from tests.unit.window.fakes import MemoryWindows

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
OLD, NEW = ("old", bytes(range(32))), ("new", bytes(range(32, 64)))


@pytest.fixture
def db(mongo: str, fresh_database: str) -> Iterator[Database]:
    """An empty database of a real MongoDB."""
    client = kit_mongo.connect(mongo)
    yield client[fresh_database]
    client.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.servers)])
def kept_in(request: pytest.FixtureRequest) -> Database | None:
    """None: in memory; else in this database."""
    return request.getfixturevalue("db") if request.param == "mongo" else None


@pytest.fixture
async def store(kept_in: Database | None) -> WindowStore:
    if kept_in is None:
        return MemoryWindows()
    await kit_mongo.declare(kept_in.windows, MongoWindows.INDEXES)
    return MongoWindows(kept_in.windows)


def window(**changed: Any) -> Window:
    members = {
        "id": fresh_secret(),
        "ticket": digest(fresh_secret()),
        "connection": "c",
        "account": "a",
        "session": "s",
        "return_url": "https://x.example/",
        "state": "",
        "label": "A",
        "locale": "en",
        "made_at": NOW,
    }
    return Window(**members | changed)


async def test_a_window_comes_back_as_it_was_kept(store: WindowStore) -> None:
    kept = window()
    await store.add(kept)
    await store.remember(kept.id, {"url": "https://x", "port": 22})

    found = await store.by_ticket(kept.ticket)
    assert found == await store.by_id(kept.id)
    assert found is not None
    assert (found.made_at, dict(found.typed)) == (NOW, {"url": "https://x", "port": 22})
    assert await store.by_ticket("nothing") is None
    assert await store.by_id("nothing") is None
    assert await store.by_proof("c", "nothing") is None


async def test_of_twenty_browsers_one_is_bound(store: WindowStore) -> None:
    kept = window()
    await store.add(kept)

    bound = await asyncio.gather(*(store.bind(kept.id, f"b{n}", NOW) for n in range(20)))
    assert sum(bound) == 1


@pytest.mark.parametrize(("after", "bound"), [(0, True), (299, True), (300, False)])
async def test_a_window_is_bound_within_five_minutes(
    store: WindowStore, after: float, *, bound: bool
) -> None:
    kept = window()
    await store.add(kept)

    assert await store.bind(kept.id, "b", NOW + timedelta(seconds=after)) is bound


async def test_of_windows_made_at_once_exactly_one_can_be_opened(store: WindowStore) -> None:
    opened, foreign = window(made_at=NOW - timedelta(seconds=9)), window(connection="other")
    await store.add(opened)
    await store.bind(opened.id, "b", NOW)
    await store.add(foreign)
    made = [window() for _ in range(10)]
    await asyncio.gather(*(store.add(one) for one in made))

    assert sum([await store.bind(one.id, "b", NOW) for one in made]) == 1
    assert await store.bind(foreign.id, "b", NOW)
    again = await store.by_id(opened.id)
    assert again is not None
    assert not again.replaced


async def test_a_newer_proof_replaces_an_older_one(store: WindowStore) -> None:
    kept = window()
    await store.add(kept)
    await store.end(kept.id, NOW, "p1")
    await store.end(kept.id, NOW + timedelta(minutes=1), "p2")
    await store.proven(kept.id, NOW + timedelta(minutes=2))

    assert await store.by_proof("c", "p1") is None
    assert await store.by_proof("other", "p2") is None
    found = await store.by_proof("c", "p2")
    assert found is not None
    assert found.proof_until == NOW + timedelta(minutes=6)
    assert found.proven_at == NOW + timedelta(minutes=2)
    await store.end(kept.id, NOW, None)
    assert await store.by_proof("c", "p2") is not None


async def test_replicas_share_answer_keys_and_destroy_what_is_old(kept_in: Database | None) -> None:
    store: KeyStore = MemoryKeys()
    if kept_in is not None:
        await kit_mongo.declare(kept_in.answer_keys, MongoKeyStore.INDEXES)
        store = MongoKeyStore(kept_in.answer_keys)
    at = [NOW]
    replicas = [AnswerKeys(store, Vault([NEW]), lambda: at[0]) for _ in range(5)]
    await asyncio.gather(*(replica.tend() for replica in replicas))
    [first] = (await replicas[0].published())["keys"]
    at[0] += timedelta(days=30)
    await asyncio.gather(*(replica.tend() for replica in replicas))

    published = [key["kid"] for key in (await replicas[1].published())["keys"]]
    assert (len(published), published[1]) == (2, first["kid"])
    assert (await replicas[2].private(first["kid"])).kid == first["kid"]
    at[0] += timedelta(hours=3)
    await asyncio.gather(*(replica.tend() for replica in replicas))
    assert [key.sealed is None for key in await store.all()] == [False, True]


async def test_sessions_of_the_console_and_their_tokens(kept_in: Database | None) -> None:
    store: SessionStore = MemorySessions()
    if kept_in is not None:
        sessions = MongoSessions(kept_in)
        await sessions.prepare()
        store = sessions
    session = Session("id", "acme", "jane", "admin", NOW, NOW)
    await store.add(session)

    assert sum(await asyncio.gather(*(store.spend("j-1", NOW) for _ in range(10)))) == 1
    assert await store.find("id") == session
    await store.seen("id", NOW + timedelta(minutes=2))
    seen = await store.find("id")
    assert seen is not None
    assert seen.seen_at == NOW + timedelta(minutes=2)
    await store.end("id")
    assert await store.find("id") is None


async def test_lists_of_the_console_are_kept_as_they_were_shown_last(db: Database) -> None:
    lists = MongoLists(db)
    await lists.prepare()
    for lines in ([{"name": "Old"}], [{"name": "New"}], [{"name": "New"}]):
        await lists.keep("acme", lines, NOW)

    assert await lists.kept("acme") == [{"name": "New"}]
    assert await lists.kept("other") is None
    await lists.keep("acme", [{"name": "New"}], NOW + timedelta(days=1))
    kept = await db.lists.find_one({"_id": "acme"})
    assert kept is not None
    assert kept["at"] > NOW.replace(tzinfo=kept["at"].tzinfo)


async def test_the_audit_trail_is_there_when_it_says_so(db: Database) -> None:
    await kit_mongo.declare(db.audit, MongoAudit.INDEXES)
    await MongoAudit(db.audit).write(Lent(NOW, "c", "a", "r", 7, 4, NOW + timedelta(minutes=5)))

    line = await db.audit.find_one({"connection": "c"}, {"_id": 0})
    assert line is not None
    assert (line["run_id"], line["fence"], line["to"]) == ("r", 7, "sync-runner")


async def test_wrong_vault_keys_are_noticed_before_anything_is_touched(db: Database) -> None:
    await asyncio.gather(*(prove(Vault([OLD]), db.vault) for _ in range(5)))
    before = await db.vault.find_one({"_id": "canary"})

    with pytest.raises(VaultKeysRefused, match="give the old key set back"):
        await prove(Vault([NEW]), db.vault)
    with pytest.raises(VaultKeysRefused):
        await prove(Vault([("old", NEW[1])]), db.vault)
    assert await db.vault.find_one({"_id": "canary"}) == before
    await rewrap_all(Vault([NEW, OLD]), [canary_records(db.vault)])
    await prove(Vault([NEW]), db.vault)


async def test_keys_rotate_beside_writers_and_nothing_is_lost(db: Database) -> None:
    """Writers replace whole records, some still with the old key first, while two rotations run at once."""

    def place(document: Any) -> Place:
        return Place("a", document["_id"], "credentials", document["revision"])

    both, old, new = Vault([NEW, OLD]), Vault([OLD]), Vault([NEW])
    ids = [str(uuid.uuid4()) for _ in range(200)]
    wanted = {}
    for id_ in ids:
        document = {"_id": id_, "revision": 1}
        sealed = old.seal(place(document), id_.encode())
        await db.things.insert_one({**document, "credentials": sealed.document()})
        wanted[id_] = id_.encode()
    dice = random.Random(7)

    async def write() -> None:
        for n in range(300):
            id_ = dice.choice(ids)
            found = await db.things.find_one({"_id": id_})
            document = {"_id": id_, "revision": found["revision"] + 1}
            secret = f"{id_} {n}".encode()
            sealed = (old if n < 150 else both).seal(place(document), secret)
            done = await db.things.update_one(
                {"_id": id_, "revision": found["revision"]},
                {"$set": {"revision": document["revision"], "credentials": sealed.document()}},
            )
            if done.modified_count:
                wanted[id_] = secret

    records = MongoRecords(db.things, "credentials", place)
    first, second, _ = await asyncio.gather(rewrap_all(both, [records]), rewrap_all(both, [records]), write())
    last = await rewrap_all(both, [records])

    assert first.broken == second.broken == last.broken == last.lost == 0
    async for document in db.things.find():
        assert new.open(place(document), Sealed.of(document["credentials"])) == wanted[document["_id"]]
