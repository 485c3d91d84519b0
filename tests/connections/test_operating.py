"""What operators do to the stores of connections: clients, vault keys, providers. On a real MongoDB."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connections import store
from connections.handlers.destinations import held, in_use
from connections.handlers.leaving import Left
from connections.lifecycle.tokens import Token
from connections.operating import Desk, Wrong
from connections.places import token_place
from connections.renewal_store import MongoRenewing
from connections.vault import SealBroken, Sealed, Vault
from connections.window.departures import MongoDepartures
from kit.mongo import Database, connect
from kit.mongo_aggregates import MongoAggregates
from kit.transitions import Decision
from providers.login.oauth.client import Client
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.unit.connections.builders import ACCOUNT, ID, MANIFEST, NOW, active

pytestmark = pytest.mark.servers
OLD, NEW = ("vault-1", secrets.token_bytes(32)), ("vault-2", secrets.token_bytes(32))
OAUTH = Manifest.model_validate(
    {
        **MANIFEST.wire(),
        "login": [{"redirect": "oauth"}],
        "oauth": {"authorize_url": "https://login.example/a", "token_url": "https://login.example/t"},
    }
)


@pytest.fixture
async def db(mongo: str, fresh_database: str) -> AsyncIterator[Database]:
    client = connect(mongo)
    yield client[fresh_database]
    client.close()


def desk(db: Database, *keys: tuple[str, bytes], told: list[dict[str, Any]] | None = None) -> Desk:
    return Desk(db, Vault(keys or [OLD]), (told if told is not None else []).append)


async def test_a_client_is_kept_sealed_and_counts_from_then_on(db: Database) -> None:
    typed = json.dumps({"client_id": "us", "secret": "canary-s3cret"})
    it = Desk(db, Vault([OLD]), lambda _: None, lambda: typed)
    await it.providers.publish([(OAUTH, 1)])
    assert not (await it.providers.newest(["webdav"]))["webdav"].set_up

    await it.set_client("webdav")

    assert await it.clients.of("webdav") == Client("us", "canary-s3cret", None)
    assert (await it.providers.newest(["webdav"]))["webdav"].set_up
    assert "canary-s3cret" not in repr(await db.clients.find_one({}))


async def test_a_provider_whose_customers_bring_their_own_login_takes_no_client(db: Database) -> None:
    it = desk(db)
    await it.providers.publish([(MANIFEST, 1)])

    assert (await it.providers.newest(["webdav"]))["webdav"].set_up
    with pytest.raises(Wrong, match="needs no client"):
        await it.set_client("webdav")


async def test_a_client_moved_to_another_provider_or_revision_does_not_open(db: Database) -> None:
    it = desk(db)
    await it.clients.keep("one", Client("us", "first"), "op", NOW)
    older = await db.clients.find_one({"_id": "one"})
    await it.clients.keep("one", Client("us", "second"), "op", NOW)
    await db.clients.insert_one({**older, "_id": "two"})
    await db.clients.update_one({"_id": "one"}, {"$set": {"sealed": older["sealed"]}})

    for provider in ("one", "two"):
        with pytest.raises(SealBroken):
            await it.clients.of(provider)


async def test_new_hosts_are_held_back_until_an_operator_approves_and_again_when_they_change_again(
    db: Database,
) -> None:
    it = desk(db)

    def at(host: str) -> Manifest:
        return MANIFEST.model_copy(
            update={"driver": MANIFEST.driver.model_copy(update={"settings": {"url": host}})}
        )

    await it.providers.publish([(at("https://a.example"), 1), (at("https://b.example"), 2)])
    assert await held(it.providers, "webdav", 1) is Reason.PROVIDER_CHANGED
    assert await in_use(it.providers, "webdav", 1) == 1
    await it.approve("webdav")
    fresh = desk(db)

    assert await held(fresh.providers, "webdav", 1) is None
    assert await in_use(fresh.providers, "webdav", 1) == 2
    await fresh.providers.publish([(at("https://c.example"), 3)])
    assert await held(fresh.providers, "webdav", 1) is Reason.PROVIDER_CHANGED
    assert await in_use(fresh.providers, "webdav", 1) == 1


async def test_a_paused_provider_lends_nothing_until_it_is_resumed(db: Database) -> None:
    it = desk(db)
    await it.providers.publish([(MANIFEST, 1)])
    await it.pause("webdav")
    assert await held(desk(db).providers, "webdav", 1) is Reason.PAUSED
    await it.resume("webdav")
    assert await held(desk(db).providers, "webdav", 1) is None
    with pytest.raises(Wrong, match="no provider"):
        await it.approve("nothing")


async def filled(db: Database, vault: Vault, count: int) -> MongoAggregates[Any]:
    """So many connections with tokens, sealed by `vault`."""
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, lambda: datetime.now(UTC), lambda: None)
    await kept.declare(*store.INDEXES, *store.KIDS)
    plain = active()
    for n in range(count):
        id_ = f"00000000-0000-4000-8000-{n:012}"
        sealed = vault.seal_values(token_place(ACCOUNT, id_, 1, 0), {"tokens": n}).document()
        it = plain.model_copy(
            update={
                "id": id_,
                "token": Token(sealed=sealed, credentials_revision=1, access_due=NOW),
                "credentials": None,
            }
        )
        await kept.alter(id_, lambda _, it=it: Decision(it), account=ACCOUNT)
    return kept


async def test_rotating_killed_anywhere_goes_on_and_the_old_key_may_then_go(db: Database, mongo: str) -> None:
    old = Vault([OLD])
    kept = await filled(db, old, 40)
    keys = [(kid, base64.b64encode(key).decode()) for kid, key in (NEW, OLD)]
    given = {"url": mongo, "database": db.name, "keys": keys, "dies_at": 7}
    program = Path(__file__).parent / "rotating.py"
    killed = await asyncio.create_subprocess_exec(sys.executable, program, json.dumps(given))
    assert await killed.wait() == -signal.SIGKILL
    assert await db.connections.count_documents({"token.sealed.kid": "vault-2"}) == 7
    await db.vault.insert_one({"_id": "canary", "sealed": old.seal_values(_canary(), {}).document()})
    told: list[dict[str, Any]] = []

    await desk(db, NEW, OLD, told=told).rotate()

    assert told[-1] == {"kid": "vault-2", "left": 0, "done": True}
    newest = Vault([NEW])
    for it in (await kept.read([document["_id"] async for document in db.connections.find({}, {})])).values():
        token = it.thing.token
        place = token_place(ACCOUNT, it.thing.id, 1, 0)
        assert "tokens" in newest.open_values(place, Sealed.of(token.sealed))
        with pytest.raises(SealBroken):
            old.open_values(place, Sealed.of(token.sealed))


def _canary() -> Any:
    from connections.vault_store import CANARY

    return CANARY


async def test_the_scan_for_older_keys_reads_nothing_once_all_is_new(db: Database) -> None:
    await filled(db, Vault([NEW]), 5)
    query = {"token.sealed.kid": {"$exists": True, "$ne": "vault-2"}}

    stats = (await db.connections.find(query).explain())["executionStats"]

    assert stats["totalDocsExamined"] == 0
    assert stats["totalKeysExamined"] <= 2


async def test_of_many_workers_one_renews(db: Database) -> None:
    await filled(db, Vault([NEW]), 1)
    id_ = "00000000-0000-4000-8000-000000000000"
    workers = [MongoRenewing(db.connections, db.turns, f"worker {n}") for n in range(20)]

    fences = await asyncio.gather(*(worker.claim(id_) for worker in workers))

    assert sorted(fence for fence in fences if fence is not None) == [1]
    await workers[0].release(id_, 1)
    assert await workers[1].claim(id_) == 2


async def test_who_else_holds_tokens_of_an_account_is_found(db: Database) -> None:
    kept = await filled(db, Vault([NEW]), 3)
    id_ = "00000000-0000-4000-8000-000000000000"
    other = "00000000-0000-4000-8000-000000000001"
    await db.connections.update_one({"_id": other}, {"$set": {"identity": "someone else"}})
    it = (await kept.read([id_]))[id_].thing
    renewing = MongoRenewing(db.connections, db.turns, "me")

    assert await renewing.holders(it) == {(it.provider_id, it.provider_revision)}
    await db.connections.update_many({"_id": {"$nin": [id_, other]}}, {"$set": {"token": None}})
    assert await renewing.holders(it) == set()


async def test_within_no_second_a_provider_is_asked_more_often_than_it_bears_whoever_asks(
    db: Database,
) -> None:
    workers = [MongoRenewing(db.connections, db.turns, f"worker {n}") for n in range(8)]
    granted: list[tuple[float, float]] = []
    until = time.monotonic() + 3

    async def ask(worker: MongoRenewing) -> None:
        while (asked := time.monotonic()) < until:
            if await worker.turn("acme", 40.0):
                granted.append((asked, time.monotonic()))

    await asyncio.gather(*(ask(worker) for worker in workers))

    # The server grants at a moment between question and answer: those wholly within a second count.
    assert max(sum(at <= asked and told < at + 1 for asked, told in granted) for at, _ in granted) <= 40
    assert len(granted) > 40  # it goes on after the first second


async def test_a_departure_is_taken_once(db: Database) -> None:
    departures = MongoDepartures(db.departures)
    left = Left("digest", "window", ID, ACCOUNT, "challenge", "acme", "browser", NOW, {"ct": b"1"})
    await departures.add(left)

    taken = await asyncio.gather(*(departures.take("digest") for _ in range(10)))

    assert [one.challenge_id for one in taken if one is not None] == ["challenge"]
