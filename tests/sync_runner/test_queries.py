"""Every hot query, explained by a real MongoDB: an index carries it, and it names accounts or shards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from syncing import World, a_document, now

from kit.mongo_aggregates import MongoAggregates
from schemas.reasons import RowStatus
from sync_runner.handlers.lists import Place, Wanted
from sync_runner.handlers.runs import Claim
from sync_runner.lifecycle.sync import EVERYTHING, TRIED, Selection
from sync_runner.store import documents, due, fills, ledger, lists, overview, rows, runs
from sync_runner.store.ledger import UNTOLD

pytestmark = pytest.mark.servers

SHARDS = range(64)
NOW = now()
CLAIM = Claim(
    connection_id="c",
    account="acme",
    run_id="r",
    fence=1,
    owner="w",
    due_at=NOW,
    started_at=NOW,
    provider_id="webdav",
    provider_revision=1,
    options={},
    revision=1,
    part=1,
)
WANTED = Wanted("acme", "c")
QUERIES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "what is due": ("syncs", due.due_query(SHARDS, NOW), "wake_at", "wake"),
    "what is ready": ("syncs", runs.ready_query(NOW), "ready_at", "ready"),
    "what is to be filled": ("syncs", fills.filling_query(SHARDS), "", "filling"),
    "what is to be audited": ("syncs", fills.covered_query(SHARDS, NOW), "covered_to", "covered"),
    "who wants documents": ("syncs", documents.live_query(["acme"]), "", "exports"),
    "whatever was exported to": ("syncs", documents.exports_query("acme"), "", "exports"),
    "a walk": ("documents", fills.walk_query("acme", NOW, None), "received_at", "received"),
    "a walk, further": ("documents", fills.walk_query("acme", NOW, (NOW, "x")), "received_at", "received"),
    "which rows wait": ("ledger", ledger.ready_query(["acme"], ["c"], NOW), "", "open"),
    "rows to take": ("ledger", rows.takeable(CLAIM, EVERYTHING, NOW), "next_at", "open"),
    "rows tried before": ("ledger", rows.takeable(CLAIM, TRIED, NOW), "next_at", "open"),
    "some rows": ("ledger", rows.takeable(CLAIM, Selection(only=("a",)), NOW), "next_at", "open"),
    "results untold": ("ledger", rows.own(CLAIM, next_at=UNTOLD, run="r", part=1), "", "open"),
    "whose a name is": ("ledger", rows.own(CLAIM, target={"$in": ["/a"]}, status="done"), "", "target"),
    "how many": ("ledger", overview.standing_query("acme", "c", RowStatus.DONE), "", "list"),
    "the newest": ("documents", overview.newest_query("acme", NOW), "received_at", "received"),
    "the list": ("ledger", lists.list_query(WANTED, None), "received_at", "list"),
    "the list, further": ("ledger", lists.list_query(WANTED, Place(NOW, 1)), "received_at", "list"),
}


HINTED = {"whose a name is"}
"""So it is asked, for with many rows that are done the planner might walk them all."""


@pytest.fixture
async def world(mongo: str, fresh_database: str) -> AsyncIterator[World]:
    world = await World(mongo, fresh_database).begin()
    await world.connect()
    await world.receive(*(a_document(f"{n}") for n in range(50)))
    yield world
    world.client.close()


def stages(plan: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", [])
    inner += [plan["queryPlan"]] if "queryPlan" in plan else []
    return [plan, *(stage for one in inner for stage in stages(one))]


async def test_every_hot_query_has_an_index_and_names_accounts_or_shards(world: World) -> None:
    for name, (collection, query, sort, index) in QUERIES.items():
        found = world.db[collection].find(query)
        found = found.hint(index) if name in HINTED else found
        plan = await (found.sort(sort, 1) if sort else found).explain()
        every = stages(plan["queryPlanner"]["winningPlan"])

        assert {stage.get("stage") for stage in every}.isdisjoint({"COLLSCAN", "SORT"}), (name, every)
        assert {stage["indexName"] for stage in every if "indexName" in stage} == {index}, name
        assert "account" in query or "shard" in query, name


async def test_one_key_is_read_for_each_connection_however_many_rows_wait(world: World) -> None:
    query = ledger.ready_query(["acme"], [key async for key in connections(world)], now())
    command = {"distinct": "ledger", "key": "connection", "query": query}

    told = await world.db.command({"explain": command, "verbosity": "executionStats"})

    assert told["executionStats"]["totalKeysExamined"] <= 3
    assert told["executionStats"]["totalDocsExamined"] == 0


async def connections(world: World) -> AsyncIterator[str]:
    syncs: MongoAggregates[Any] = world.syncs
    async for sync in syncs.collection.find({}, {"_id": 1}):
        yield sync["_id"]
