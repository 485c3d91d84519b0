"""Leases and positions on real servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from kit import mongo as kit_mongo
from kit.broker import Kafka
from kit.edge import each
from kit.leases import Leases
from kit.mongo import Database
from kit.positions import Positions
from tests.kit.tally import new_id, pause
from tests.kit.world import World, a_world, until

NAMES = ("a", "b", "c", "d")


@pytest.fixture
async def database(mongo: str, fresh_database: str) -> AsyncIterator[Database]:
    client = kit_mongo.connect(mongo)
    yield client[fresh_database]
    client.close()


@asynccontextmanager
async def tended(database: Database, owner: str) -> AsyncIterator[Leases]:
    leases = Leases(database["leases"], "tests", NAMES, owner, timedelta(seconds=1.5))
    task = asyncio.create_task(leases.tend())
    try:
        yield leases
    finally:
        task.cancel()


async def holds(leases: Leases, count: int) -> bool:
    return len(leases.held()) == count


async def test_a_store_that_does_not_answer_is_said_and_is_over_once_it_does(database: Database) -> None:
    async with tended(database, "one") as one:
        assert one.stuck() == "The leases of tests cannot be renewed: our own store does not answer."
        await until(lambda: holds(one, 4))

        assert one.stuck() is None


async def test_replicas_share_and_the_fence_rises_with_every_holder(database: Database) -> None:
    async with tended(database, "one") as one:
        await until(lambda: holds(one, 4))
        assert {lease.fence for lease in one.held().values()} == {1}
        async with tended(database, "two") as two:
            await until(lambda: holds(two, 2))
            assert len(one.held()) == 2
            assert not one.held().keys() & two.held().keys()
            assert {lease.fence for lease in two.held().values()} == {2}
            await two.release()
        await until(lambda: holds(one, 4))


async def test_who_cannot_renew_holds_nothing_after_a_while(database: Database) -> None:
    async with tended(database, "one") as one:
        await until(lambda: holds(one, 4))
    assert len(one.held()) == 4

    await asyncio.sleep(1.3)

    assert one.held() == {}


async def test_a_restarted_replica_takes_up_at_once_what_it_held(database: Database) -> None:
    async with tended(database, "one") as before:
        await until(lambda: holds(before, 4))
    async with tended(database, "one") as after:
        await until(lambda: holds(after, 4), 1)

        assert {lease.fence for lease in after.held().values()} == {2}


async def test_a_group_has_caught_up_once_it_has_committed_what_was_there(
    kafka: str, mongo: str, fresh_database: str, topics: Any
) -> None:
    async with a_world(kafka, mongo, fresh_database, topics) as world:
        positions = Positions(Kafka(kafka))
        group = f"tests.{world.asks.name}"
        assert await positions.caught_up(world.asks, group, 0)
        await world.send(*(pause(new_id()) for _ in range(5)))
        assert not await positions.caught_up(world.asks, group, 0.2)

        edge = world.edge()
        edge.reads(world.asks, each(slowly), refusals=world.says)
        await edge.start()

        assert await positions.caught_up(world.asks, group, 10)
        await positions.close()


async def test_a_topic_that_is_written_in_transactions_has_an_end_too(
    kafka: str, mongo: str, fresh_database: str, topics: Any
) -> None:
    async with a_world(kafka, mongo, fresh_database, topics) as world:
        group, positions = f"tests.{world.asks.name}", Positions(Kafka(kafka))
        await in_a_transaction(world, "kept")
        await in_a_transaction(world, "given up")
        assert not await positions.caught_up(world.asks, group, 0.3), "events are unread"
        edge = world.edge()
        edge.reads(world.asks, each(slowly), refusals=world.says)
        await edge.start()

        assert await positions.caught_up(world.asks, group, 10)
        assert await world.committed() == 10, "a marker was committed, so this proves nothing"
        await positions.close()


async def in_a_transaction(world: World, outcome: str) -> None:
    producer = world.kafka.producer(transactional_id=f"tests-{world.asks.name}")
    await producer.start()
    with contextlib.suppress(InterruptedError):
        async with producer.transaction():
            for _ in range(10):
                event = pause(new_id())
                await producer.send(world.asks.name, event.encoded(), event.subject.encode())
            if outcome == "given up":
                raise InterruptedError
    await producer.stop()


async def slowly(_: object) -> None:
    await asyncio.sleep(0.05)
