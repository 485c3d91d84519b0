"""The ledger on a real MongoDB: every document has its row, whatever overtakes what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from syncing import World, a_document, heard, now, saved, withdrawn

from kit.endings import DONE, Refused
from schemas.connections import ConnectionChanged, ConnectionRemoved
from schemas.filters import Filters
from sync_runner.handlers.documents import Documents, Ingest, Told, Wanting
from sync_runner.lifecycle.document import Word

pytestmark = pytest.mark.servers


@pytest.fixture
async def world(mongo: str, fresh_database: str) -> AsyncIterator[World]:
    world = await World(mongo, fresh_database).begin()
    yield world
    world.client.close()


class Slowly:
    """The real store, with a pause before and after everything that it does."""

    def __init__(self, documents: Documents, dice: random.Random) -> None:
        self.documents = documents
        self.dice = dice

    async def keep(self, told: Sequence[Told]) -> Mapping[str, Word]:
        return await self._slowly(self.documents.keep(told))

    async def wanting(self, accounts: Any) -> Mapping[str, Sequence[Wanting]]:
        return await self._slowly(self.documents.wanting(accounts))

    async def owe(self, pairs: Any, at: Any) -> int:
        return await self._slowly(self.documents.owe(pairs, at))

    async def _slowly(self, work: Any) -> Any:
        await asyncio.sleep(self.dice.random() * 0.05)
        result = await work
        await asyncio.sleep(self.dice.random() * 0.05)
        return result


async def test_no_document_falls_between_a_save_and_what_arrives_meanwhile(world: World) -> None:
    dice = random.Random(7)
    batches = [[heard(a_document(f"{b}-{n}")) for n in range(100)] for b in range(30)]
    connections = [str(uuid4()) for _ in range(6)]
    ingest = Ingest(Slowly(world.documents, dice), now, 400)

    async def arrive() -> None:
        for batch in batches:
            assert set(await ingest(batch)) == {DONE}

    async def connect(connection: str) -> None:
        await asyncio.sleep(dice.random() * 3)
        await world.facts([heard(saved(connection))])
        await asyncio.sleep(dice.random() * 0.05)
        while await world.fills.once():
            pass

    await asyncio.gather(arrive(), *map(connect, connections))

    for connection in connections:
        assert len(await world.ledger(connection)) == 3000


async def test_hearing_everything_again_changes_nothing(world: World) -> None:
    connection = await world.connect()
    batch = [heard(a_document("a")), heard(a_document("b", 2)), heard(withdrawn("c"))]
    await world.ingest(batch)
    before = await world.ledger(connection)

    assert await world.ingest(batch) == [DONE] * 3
    assert await world.ledger(connection) == before == {"a v1": "pending", "b v2": "pending"}


async def test_the_same_version_with_other_bytes_can_never_be_taken(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))

    endings = await world.receive(a_document("a", sha256="0" * 64), a_document("b"))

    assert isinstance(endings[0], Refused)
    assert endings[1] is DONE
    assert await world.ledger(connection) == {"a v1": "pending", "b v1": "pending"}


async def test_an_older_version_that_comes_late_is_left_out(world: World) -> None:
    connection = await world.connect()

    await world.receive(a_document("a", 2))
    await world.receive(a_document("a", 1))

    assert await world.ledger(connection) == {"a v2": "pending"}


async def test_a_late_resend_and_its_withdrawal_in_one_batch_end_with_the_withdrawal(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a", 5), a_document("b", 3))

    late = [a_document("a", 3), withdrawn("a"), a_document("b", 3, sha256="0" * 64), withdrawn("b")]
    async with asyncio.timeout(5):
        endings = await world.receive(*late)

    assert [isinstance(ending, Refused) for ending in endings] == [False, False, True, False]
    assert await world.db.documents.count_documents({"withdrawn": True}) == 2
    assert await world.ledger(connection) == {"a v5": "pending", "b v3": "pending"}


async def test_what_the_ledger_has_forgotten_is_not_owed_again(world: World) -> None:
    connection = await world.connect()
    aged = {"received_at": now() - timedelta(days=401)}

    await world.receive(a_document("forgotten", **aged), a_document("kept"))

    assert await world.ledger(connection) == {"kept v1": "pending"}


async def test_a_removed_connections_rows_are_closed_and_go_when_they_are_old(world: World) -> None:
    connection = await world.connect()
    names = ("pending", "failed", "sending", "unknown", "done")
    await world.receive(*(a_document(name) for name in names))
    for name in names:
        await world.db.ledger.update_one({"document": name}, {"$set": {"status": name}})
    await world.facts([heard(ConnectionRemoved(connection_id=connection, by="customer"))])
    await world.db.syncs.update_one({"_id": connection}, {"$set": {"covered_to": now() - timedelta(days=2)}})

    await world.fills.audit()

    assert await world.ledger(connection) == {
        "pending v1": "skipped",
        "failed v1": "skipped",
        "sending v1": "unknown",
        "unknown v1": "unknown",
        "done v1": "done",
    }
    assert await world.db.ledger.count_documents({"next_at": {"$exists": True}}) == 0
    assert await world.db.ledger.count_documents({"reason": "removed"}) == 3
    assert await world.walks.forget(await world.sync(connection), now()) == 5


async def test_a_connection_removed_before_its_walk_was_through_is_audited_too(world: World) -> None:
    await world.receive(a_document("a"))
    connection = str(uuid4())
    await world.facts([heard(saved(connection))])
    await world.receive(a_document("b"))
    await world.facts([heard(ConnectionRemoved(connection_id=connection, by="customer"))])

    assert await world.walks.uncovered(range(64), now(), 10) == [connection]


async def test_newer_metadata_is_judged_again(world: World) -> None:
    connection = await world.connect(filters=Filters(approved_only=True))
    await world.receive(a_document("a"))
    assert await world.ledger(connection) == {}

    await world.receive(a_document("a", metadata={"approved": True}))

    assert await world.ledger(connection) == {"a v1": "pending"}


async def test_a_withdrawal_stays_withdrawn_when_the_document_is_heard_again(world: World) -> None:
    first = heard(a_document("a"))
    await world.ingest([first, heard(withdrawn("a"))])

    await world.ingest([first])

    document = await world.db.documents.find_one({"_id": "acme/a"})
    assert document is not None
    assert document["withdrawn"]


async def test_a_wider_filter_brings_what_was_left_out_and_a_start_holds(world: World) -> None:
    await world.receive(
        a_document("old", received_at=now() - timedelta(days=9), metadata={"document_type": "credit_note"}),
        a_document("new", metadata={"document_type": "credit_note"}),
    )
    day = (now() - timedelta(days=2)).date().isoformat()
    connection = await world.connect(filters={"document_types": ["invoice"]}, start=day)
    assert await world.ledger(connection) == {}

    await world.facts([heard(saved(connection, ConnectionChanged, start=day, revision=2))])
    await world.fills.once()

    assert await world.ledger(connection) == {"new v1": "pending"}


async def test_a_fill_goes_on_where_it_was_when_the_process_died(world: World) -> None:
    await world.ingest([heard(a_document(f"{n:04}")) for n in range(2500)])
    connection = str(uuid4())
    await world.facts([heard(saved(connection))])
    sync = await world.sync(connection)
    assert sync.fill is not None
    fill, new, through = await world.walks.step(sync, sync.fill, now() - timedelta(days=1), now())
    await world.walks.save(sync, fill)
    assert (new, through) == (1000, False)

    again = await world.sync(connection)
    await world.fills.once()

    assert again.fill == fill
    assert len(await world.ledger(connection)) == 2500
    assert (await world.sync(connection)).fill is None


async def test_an_older_fact_that_comes_late_changes_nothing(world: World) -> None:
    connection = await world.connect()
    removed = ConnectionRemoved(connection_id=connection, by="customer")
    await world.facts([heard(removed, sequence=10**6)])

    await world.facts([heard(saved(connection, ConnectionChanged, revision=2), sequence=10**6 - 1)])
    await world.receive(a_document("a"))

    assert (await world.sync(connection)).revision == 1
    assert await world.ledger(connection) == {}


async def test_the_audit_adds_what_was_lost_and_says_so(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"), a_document("b"))
    await world.db.ledger.delete_one({"document": "b"})
    sync = await world.sync(connection)

    assert not await world.walks.missing(sync, now() + timedelta(hours=1), now())
    assert await world.walks.missing(sync, now() - timedelta(hours=1), now())


async def test_another_accounts_documents_are_nobody_elses(world: World) -> None:
    connection = await world.connect()

    await world.ingest([heard(a_document("a"), account="other")])

    assert await world.ledger(connection) == {}
