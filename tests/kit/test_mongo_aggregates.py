"""MongoDB keeps the promise of the store."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kit import mongo as kit_mongo
from kit.aggregates import Aggregates, Change
from kit.mongo_aggregates import MongoAggregates
from tests.kit.aggregates_contract import AggregatesContract, Clock
from tests.kit.tally import ACCOUNT, Tally, decide, heard, kind, new_id, pause, request


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(mongo: str, fresh_database: str, clock: Clock) -> AsyncIterator[MongoAggregates[Tally]]:
    client = kit_mongo.connect(mongo)
    database = client[fresh_database]
    store = MongoAggregates(kind(), database["tallies"], database["bodies"], clock)
    await store.declare()
    yield store
    client.close()


class TestMongoAggregates(AggregatesContract):
    async def document(self, store: Aggregates[Tally], id_: str) -> dict[str, Any]:
        assert isinstance(store, MongoAggregates)
        found = await store.collection.find_one({"_id": id_})
        assert found is not None
        return found

    async def test_a_writer_whose_write_landed_unnoticed_does_not_repeat_it(
        self, store: MongoAggregates[Tally]
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_)), decide)
        event = pause(id_)
        await store.fold(heard(event), decide)  # acknowledged to nobody, say

        await store.fold(heard(event), decide)

        assert (await store.read([id_]))[id_].thing.count == 1

    async def test_every_query_uses_an_index(self, store: MongoAggregates[Tally]) -> None:
        await store.fold(heard(*(request(new_id()) for _ in range(50))), decide)
        owing = store.collection.find({"shard": {"$in": [1, 2]}, "owes.0": {"$exists": True}}).hint("owing")

        plan = await owing.explain()

        assert plan["executionStats"]["totalDocsExamined"] == plan["executionStats"]["nReturned"]
        assert plan["queryPlanner"]["winningPlan"]["inputStage"]["stage"] == "IXSCAN"

    async def test_every_query_names_its_shard_also_after_a_lost_write(
        self, store: MongoAggregates[Tally]
    ) -> None:
        database, ids = store.collection.database, [new_id(), new_id()]
        await database.command("profile", 2)

        await store.fold(heard(*map(request, ids)), decide)
        lost = await store.write([Change(id_, ACCOUNT, v, {}) for id_, v in zip(ids, (1, 7), strict=True)])

        await database.command("profile", 0)
        assert lost == {ids[1]}
        profiled = database["system.profile"].find({"ns": store.collection.full_name})
        commands = [one["command"] async for one in profiled if one["op"] in ("query", "update")]
        queries = [command.get("filter", command.get("q")) for command in commands]
        assert len(queries) >= 5
        assert [query for query in queries if "shard" not in query] == []


async def test_a_standalone_server_is_refused_with_what_to_do(mongo: str) -> None:
    client = kit_mongo.connect(mongo)

    await kit_mongo.ready(client)

    assert client.write_concern.document == {"w": "majority", "j": True}
    client.close()
