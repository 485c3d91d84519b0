"""Our own store and broker go away and come back: consuming stops, nothing is lost, nothing doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from servers import Topics

from kit.edge import Ended, Heard
from tests.kit.tally import decide, new_id, pause, request
from tests.kit.world import World, a_world, until


@pytest.fixture
async def fragile(kafka: str, fresh_mongo: Any, topics: Any) -> AsyncIterator[World]:
    async with a_world(kafka, fresh_mongo.url, "faults", topics) as world:
        yield world


async def started(world: World) -> None:
    edge = world.edge()

    async def handle(batch: Sequence[Heard]) -> Sequence[Ended]:
        return await world.store.fold(batch, decide)

    edge.reads(world.asks, handle, refusals=world.says, refuse=world.store.refuse, most=5)
    await edge.start()


async def test_without_mongo_nothing_is_consumed_and_afterwards_everything_is(
    fragile: World, fresh_mongo: Any
) -> None:
    ids = [new_id() for _ in range(10)]
    await fragile.send(*map(request, ids))
    await started(fragile)
    await fragile.until_committed(10)

    fresh_mongo.kill()
    await fragile.send(*(pause(id_) for id_ in ids for _ in range(4)))

    async def noticed() -> bool:
        return fragile.edges[0].stuck() is not None

    await until(noticed, 90, "a not-ready edge")
    assert await fragile.committed() == 10

    await fresh_mongo.start_again()
    await fragile.until_committed(50, 60)

    kept = await fragile.store.read(ids)
    assert [(kept[id_].thing.count, kept[id_].v) for id_ in ids] == [(4, 5)] * 10
    assert fragile.edges[0].stuck() is None


async def test_without_kafka_events_stay_owed_and_are_published_once_it_is_back(
    fresh_kafka: Any, mongo: str, fresh_database: str
) -> None:
    async with a_world(fresh_kafka.bootstrap, mongo, fresh_database, Topics(fresh_kafka.bootstrap)) as world:
        ids = [new_id() for _ in range(20)]
        await started(world)
        world.relay()
        await world.send(*map(request, ids), *(pause(id_) for id_ in ids))
        await world.until_committed(40)

        fresh_kafka.kill()
        for id_ in ids:
            event = pause(id_)
            await world.store.fold([Heard(event, world.asks.name, 0, 0)], decide)

        async def noticed() -> bool:
            return "Kafka does not answer" in (world.edges[0].stuck() or "")

        await until(noticed, 30, "a not-ready edge")
        owed = await world.store.collection.count_documents({"owes.0": {"$exists": True}})
        assert owed == 20, "the fault did not fire: something was published without Kafka"
        await fresh_kafka.start_again()

        async def all_there() -> bool:
            return len({event["id"] for event in await world.events(world.says.name)}) == 60

        await until(all_there, 90)
        events = await world.events(world.says.name)
        for id_ in ids:
            first = dict.fromkeys(event["sequence"] for event in events if event["subject"] == id_)
            assert [int(sequence) for sequence in first] == [1, 2, 3]

        await world.send(*(pause(id_) for id_ in ids))
        await world.until_committed(60, 90)
        assert world.edges[0].stuck() is None
