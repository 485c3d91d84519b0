"""Dues and runs on a real MongoDB: one run at a time, each due covered, nothing told twice or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from syncing import World, a_document, due_now, heard, now, saved

from kit.endings import DONE, NotNow, Refused
from schemas.connections import (
    ConnectionChanged,
    ConnectionNeedsAttention,
    ConnectionPaused,
    ConnectionRecovered,
    ConnectionRemoved,
    ConnectionResumed,
)
from schemas.reasons import Reason, RowStatus
from sync_runner.handlers.runs import Claim, Failure, Lost, Order, Result, Row
from sync_runner.lifecycle.sync import State

pytestmark = pytest.mark.servers


@pytest.fixture
async def world(mongo: str, fresh_database: str) -> AsyncIterator[World]:
    world = await World(mongo, fresh_database).begin()
    yield world
    world.client.close()


async def claimed(world: World, owner: str = "w1") -> Claim:
    claim = await world.runs.claim(owner)
    assert claim is not None
    return claim


async def moved(world: World, claim: Claim, status: RowStatus = RowStatus.DONE, **more: Any) -> Sequence[Row]:
    """Take everything, intend it and record it as `status`."""
    rows = await world.runs.intend(claim, await world.runs.take_rows(claim, 100))
    await world.runs.record(
        claim, [Result(row.id, status, target=f"/{row.document_id}", **more) for row in rows]
    )
    return rows


async def test_a_due_with_nothing_new_is_answered_in_one_write(world: World) -> None:
    connection = await world.connect()
    before = await world.db.syncs.find_one({"_id": connection})
    assert before is not None

    await world.dues([heard(due_now(connection))])

    after = await world.db.syncs.find_one({"_id": connection})
    assert after is not None
    assert after["v"] == before["v"] + 1
    ((name, data),) = await world.said(connection)
    assert (name, data["documents"], data["part"], data["parts"]) == ("DocumentsExported", [], 1, 1)
    assert await world.runs.claim("w1") is None


async def test_dues_fold_into_one_run_and_one_after_it(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))

    await world.dues([heard(due_now(connection)) for _ in range(5)])
    claim = await claimed(world)
    await world.dues([heard(due_now(connection, document_ids=["a"], again=True)) for _ in range(5)])
    await moved(world, claim)

    assert await world.runs.claim("w2") is None
    assert await world.runs.finish(claim)
    sync = await world.sync(connection)
    assert (sync.state, sync.next, sync.runs) == (State.WAITING, None, 2)


async def test_a_run_that_started_later_satisfies_a_due_and_covers_its_documents(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))
    due = due_now(connection)
    await world.dues([heard(due)])
    claim = await claimed(world)
    await moved(world, claim)
    assert await world.runs.take_rows(claim, 10) == []

    await world.receive(a_document("b"))
    await world.dues([heard(due)])

    assert not await world.runs.finish(claim)
    assert [row.document_id for row in await moved(world, claim)] == ["b"]
    assert await world.runs.finish(claim)
    said = await world.said(connection)
    assert [(name, data["counts"]["done"]) for name, data in said] == [("DocumentsExported", 2)]
    assert (await world.sync(connection)).state is State.IDLE


async def test_hearing_a_due_again_changes_nothing(world: World) -> None:
    connection = await world.connect()
    due = heard(due_now(connection))

    assert await world.dues([due, due]) == [DONE, DONE]
    assert await world.dues([due]) == [DONE]
    assert len(await world.said(connection)) == 1


@pytest.mark.parametrize(
    ("due", "reason"),
    [
        ({"ahead": timedelta(minutes=6)}, "invalid"),
        ({"account": "other"}, "unknown_connection"),
        ({"connection_id": "00000000-0000-4000-8000-000000000000"}, "unknown_connection"),
    ],
)
async def test_a_due_that_cannot_be_is_refused(world: World, due: dict[str, Any], reason: str) -> None:
    connection = await world.connect()
    account = due.get("account", "acme")
    due = {"due_at": now() + due["ahead"]} if "ahead" in due else due
    due = {name: value for name, value in due.items() if name != "account"}

    (ending,) = await world.dues([heard(due_now(connection, **due), account)])

    said = await world.said(connection)
    told = ending.reason if isinstance(ending, Refused) else said[0][1]["reason"]
    assert told == reason
    assert (await world.sync(connection)).state is State.IDLE


async def test_a_due_waits_for_documents_and_for_its_connection(world: World) -> None:
    connection = await world.connect()
    world.caught_up = False

    (behind,) = await world.dues([heard(due_now(connection))])

    assert isinstance(behind, NotNow)
    assert await world.said(connection) == []


async def test_dues_that_waited_often_enough_go_on_and_those_beside_them_wait_still(world: World) -> None:
    often, once, behind = [await world.connect() for _ in range(3)]
    world.caught_up = False
    dues = [heard(due_now(connection)) for connection in (often, once, behind, behind)]
    tries = zip(dues, (20, 1, 19, 20), strict=True)

    endings = await world.dues([replace(due, tries=tried) for due, tried in tries])

    assert [ending is DONE for ending in endings] == [True, False, False, False]
    assert len(await world.said(often)) == 1


async def test_a_due_sees_the_rows_of_a_walk_that_ended_after_rows_were_looked_for(world: World) -> None:
    await world.receive(a_document("a"))
    connection = str(uuid4())
    await world.facts([heard(saved(connection))])
    ready = world.dues.ledger.ready

    async def then_the_walk_ends(*asked: Any) -> set[str]:
        found = await ready(*asked)
        await world.fills.once()
        return found

    world.dues.ledger.ready = then_the_walk_ends  # type: ignore[method-assign]  # the moment that matters
    await world.dues([heard(due_now(connection))])

    assert [row.document_id for row in await moved(world, await claimed(world))] == ["a"]


async def test_what_a_failed_run_left_goes_again_after_a_new_login_also_by_hand_only(world: World) -> None:
    connection = await world.connect(schedule={"every": "manual"})
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection, reason="manual"))])
    claim = await claimed(world)
    await moved(world, claim, RowStatus.FAILED, reason=Reason.PROVIDER_DOWN, retry_after=timedelta(0))
    await world.receive(a_document("never tried"))
    assert await world.runs.finish(claim, Failure(Reason.CREDENTIALS_WRONG, "The login does not work.", 1))
    trouble = {"reason": Reason.CREDENTIALS_WRONG, "title": "-", "message": "-", "action": "reauthenticate"}
    await world.facts([heard(ConnectionNeedsAttention(connection_id=connection, **trouble))])
    await world.db.ledger.update_one({"document": "a"}, {"$set": {"next_at": now()}})
    assert await world.runs.claim("w1") is None

    await world.facts([heard(ConnectionRecovered(connection_id=connection, **trouble))])

    assert {row.document_id for row in await moved(world, await claimed(world))} == {"a", "never tried"}


async def test_what_may_be_overwritten_after_its_run_is_looked_up_though_nothing_is_due(world: World) -> None:
    connection = await world.connect(schedule={"every": "manual"})
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection, reason="manual"))])
    claim = await claimed(world)
    await moved(world, claim)
    assert await world.runs.finish(claim)

    await world.runs.doubt(claim, "/a")

    again = await claimed(world)
    assert [(row.document_id, row.doubtful) for row in await world.runs.take_rows(again, 10)] == [("a", True)]


@pytest.mark.parametrize(("ask", "asked"), [({}, False), ({"document_ids": ["a"]}, True)])
async def test_only_who_names_a_document_asks_for_one_that_may_have_arrived(
    world: World,
    ask: dict[str, Any],
    asked: bool,  # noqa: FBT001 - a row of the grid
) -> None:
    connection = await world.connect(schedule={"every": "manual"})
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection, reason="manual"))])
    claim = await claimed(world)
    await moved(world, claim, RowStatus.UNKNOWN, retry_after=timedelta(days=36_500))
    assert await world.runs.finish(claim)

    await world.dues([heard(due_now(connection, reason="manual", **ask))])

    again = await claimed(world)
    await world.runs.prepared(again)
    rows = await world.runs.take_rows(again, 10)
    assert [(row.document_id, row.doubtful, row.asked) for row in rows] == [("a", True, asked)]


async def test_what_a_run_says_names_the_due_that_asked_for_it(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))
    due = heard(due_now(connection), id="the-due", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    await world.dues([due])
    claim = await claimed(world)
    await moved(world, claim)
    assert await world.runs.finish(claim, Failure(Reason.PROVIDER_DOWN, "It is down."))

    document = await world.db.syncs.find_one({"_id": connection})

    assert document is not None
    said = [json.loads(owed["value"]) for owed in document["owes"]]
    assert len(said) == 2
    assert {(event["causationid"], event["causationsource"]) for event in said} == {("the-due", "/test")}
    assert {event["traceparent"][3:35] for event in said} == {"1" * 32}


async def test_many_that_need_not_go_are_told_of_in_parts(world: World) -> None:
    connection = await world.connect()
    await world.receive(*(a_document(f"{n}") for n in range(1200)))
    await world.db.documents.update_many({}, {"$set": {"withdrawn": True}})
    await world.dues([heard(due_now(connection))])
    claim: Claim | None = await claimed(world)

    parts = []
    while claim is not None:
        assert await world.runs.take_rows(claim, 250) == []
        parts.append(len((await world.rows.untold(claim))[0]))
        claim = None if await world.runs.finish(claim) else await world.runs.pass_on(claim)

    last = (await world.sync(connection)).last
    assert last is not None
    assert (parts, last.parts, last.counts.skipped) == ([500, 500, 200], 3, 1200)


async def test_ids_are_asked_for_only_so_often_while_a_run_waits(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))
    asked = [heard(due_now(connection, document_ids=[f"{n}-{m}" for m in range(500)])) for n in range(11)]

    endings = await world.dues(asked)
    (other,) = await world.dues([heard(due_now(connection))])

    assert [ending is DONE for ending in endings] == [True] * 10 + [False]
    assert isinstance(endings[-1], NotNow)
    assert other is DONE


async def test_a_paused_connection_refuses_dues_and_resumes_what_waited(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection))])
    claim = await claimed(world)

    await world.facts([heard(ConnectionPaused(connection_id=connection, by="customer"))])
    await world.dues([heard(due_now(connection))])

    assert await world.runs.renew(claim) is Order.STOP
    assert await world.runs.finish(claim)
    assert await world.runs.claim("w2") is None
    said = [(name, data.get("reason")) for name, data in await world.said(connection)]
    assert said == [("RequestRefused", "paused"), ("DocumentsExported", None), ("SyncFailed", "paused")]
    await world.facts([heard(ConnectionResumed(connection_id=connection, by="customer"))])
    assert (await claimed(world)).run_id != claim.run_id


async def test_a_run_that_hears_of_a_pause_before_the_fact_comes_goes_on_once_resumed(world: World) -> None:
    connection = await world.connect(schedule={"every": "manual"})
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection, reason="manual"))])

    assert await world.runs.finish(await claimed(world), Failure(Reason.PAUSED, "It is paused."))

    await world.facts([heard(ConnectionPaused(connection_id=connection, by="customer"))])
    assert (await world.sync(connection)).ready_at is None
    await world.facts([heard(ConnectionResumed(connection_id=connection, by="customer"))])
    await world.db.syncs.update_one({"_id": connection}, {"$set": {"ready_at": now()}})
    assert [row.document_id for row in await moved(world, await claimed(world))] == ["a"]


async def test_a_removed_connection_ends_its_run_with_a_word(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection))])

    await world.facts([heard(ConnectionRemoved(connection_id=connection, by="customer"))])

    assert await world.runs.claim("w1") is None
    ((name, data),) = await world.said(connection)
    assert (name, data["reason"]) == ("SyncFailed", "removed")


async def test_whoever_takes_a_run_over_looks_up_what_was_being_sent(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"), a_document("b"))
    await world.dues([heard(due_now(connection))])
    first = await claimed(world)
    rows = await world.runs.take_rows(first, 1)
    await world.runs.intend(first, rows)
    await world.db.syncs.update_one({"_id": connection}, {"$set": {"ready_at": now()}})

    second = await claimed(world, "w2")
    taken = {row.document_id: row.doubtful for row in await world.runs.take_rows(second, 10)}

    assert second.fence > first.fence
    assert taken == {name: name == rows[0].document_id for name in "ab"}
    with pytest.raises(Lost):
        await world.runs.renew(first)
    await world.runs.intend(second, await world.runs.take_rows(second, 10))
    lost = await world.runs.record(first, [Result(rows[0].id, RowStatus.DONE)])
    assert set(lost) == {rows[0].id}
    assert set((await world.ledger(connection)).values()) == {"sending"}


async def test_a_worker_that_dies_after_recording_leaves_nothing_untold(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"), a_document("b"))
    await world.dues([heard(due_now(connection))])
    first = await claimed(world)
    await moved(world, first)
    await world.db.syncs.update_one({"_id": connection}, {"$set": {"ready_at": now()}})

    assert await world.runs.finish(await claimed(world, "w2"))

    ((_, data),) = await world.said(connection)
    assert {document["document_id"] for document in data["documents"]} == {"a", "b"}
    assert await world.db.ledger.count_documents({"next_at": {"$exists": True}}) == 0


async def test_slices_are_parts_and_each_document_is_in_one(world: World) -> None:
    connection, other = await world.connect(), await world.connect()
    await world.receive(*(a_document(f"{n}") for n in range(4)))
    await world.dues([heard(due_now(connection))])
    claim = await claimed(world)
    rows = await world.runs.intend(claim, await world.runs.take_rows(claim, 3))
    await world.runs.record(claim, [Result(row.id, RowStatus.DONE) for row in rows])
    await world.dues([heard(due_now(other))])

    assert await world.runs.pass_on(claim) is None
    assert (await claimed(world)).connection_id == other
    again = await claimed(world, "w2")
    await moved(world, again)
    assert await world.runs.finish(again)

    said = [data for _, data in await world.said(connection)]
    assert [(data["part"], data["parts"], len(data["documents"])) for data in said] == [(1, 2, 3), (2, 2, 1)]
    assert said[-1]["counts"]["done"] == 4


async def test_what_failed_is_tried_again_by_itself_alone_even_by_hand_only(world: World) -> None:
    connection = await world.connect(schedule={"every": "manual"})
    await world.receive(a_document("a"))
    await world.dues([heard(due_now(connection, reason="manual"))])
    claim = await claimed(world)
    await moved(world, claim, RowStatus.FAILED, reason=Reason.PROVIDER_DOWN, retry_after=timedelta(0))

    assert await world.runs.finish(claim)

    await world.receive(a_document("later"))
    sync = await world.sync(connection)
    assert sync.run is not None
    assert sync.run.not_before is not None
    assert timedelta(seconds=50) < sync.run.not_before - now() <= timedelta(seconds=61)
    past = {"$set": {"ready_at": now()}}
    await world.db.syncs.update_one({"_id": connection}, past)
    await world.db.ledger.update_one({"document": "a"}, {"$set": {"next_at": now()}})
    again = await claimed(world)
    assert [row.document_id for row in await moved(world, again)] == ["a"]
    assert await world.runs.finish(again)
    assert await world.ledger(connection) == {"a v1": "done", "later v1": "pending"}


async def test_a_target_that_is_down_is_tried_again_and_a_wrong_password_is_not(world: World) -> None:
    for reason, again in ((Reason.PROVIDER_DOWN, True), (Reason.CREDENTIALS_WRONG, False)):
        connection = await world.connect()
        await world.receive(a_document("a"))
        await world.dues([heard(due_now(connection))])
        claim = await claimed(world)

        assert await world.runs.finish(claim, Failure(reason, "It did not go.", 3))

        _, (name, data) = await world.said(connection)
        assert (name, data["reason"], data["credentials_revision"]) == ("SyncFailed", reason, 3)
        assert (data["retry_at"] is not None) is again
        assert (await world.sync(connection)).state is (State.WAITING if again else State.IDLE)


async def test_what_was_asked_again_goes_again_and_nothing_else(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("a"), a_document("b"))
    await world.dues([heard(due_now(connection))])
    first = await claimed(world)
    rows = await world.runs.intend(first, await world.runs.take_rows(first, 10))
    became = {"a": RowStatus.DONE, "b": RowStatus.REJECTED}
    await world.runs.record(first, [Result(row.id, became[row.document_id]) for row in rows])
    assert await world.runs.finish(first)

    await world.dues([heard(due_now(connection, statuses=["rejected"]))])
    second = await claimed(world)
    assert [row.document_id for row in await moved(world, second)] == ["b"]
    assert await world.runs.finish(second)
    await world.receive(a_document("c"))
    await world.dues([heard(due_now(connection, document_ids=["a"], again=True))])
    third = await claimed(world)
    assert [row.document_id for row in await moved(world, third)] == ["a"]
    assert await world.runs.finish(third)
    assert (await world.ledger(connection))["c v1"] == "pending"


async def test_what_was_withdrawn_replaced_or_filtered_out_is_not_sent(world: World) -> None:
    connection = await world.connect()
    await world.receive(a_document("kept"), a_document("gone"), a_document("newer"))
    await world.receive(a_document("out", metadata={"tags": ["private"]}))
    await world.db.documents.update_one({"_id": "acme/gone"}, {"$set": {"withdrawn": True}})
    await world.receive(a_document("newer", 2))
    tags = {"document_types": ["invoice"]}
    await world.receive(a_document("kept", metadata={"document_type": "invoice"}))
    await world.receive(a_document("newer", 2, metadata={"document_type": "invoice"}))
    changed = saved(connection, ConnectionChanged, filters=tags, revision=2)
    await world.facts([heard(changed)])
    await world.fills.once()
    await world.dues([heard(due_now(connection))])
    claim = await claimed(world)

    rows = await moved(world, claim)
    assert await world.runs.finish(claim)

    assert {row.id.split("/", 1)[1] for row in rows} == {"kept/1", "newer/2"}
    ledger = await world.ledger(connection)
    assert ledger == {"kept v1": "done", "gone v1": "skipped", "newer v1": "skipped", "newer v2": "done"}
    ((_, data),) = await world.said(connection)
    assert data["counts"] == {"done": 2, "rejected": 0, "failed": 0, "unknown": 0, "skipped": 2}
