"""The relay on real Kafka and MongoDB: nothing lost, nothing out of order, whatever dies."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from kit.debt import Debt
from kit.leases import Leases
from kit.owed import BODY_BYTES, Emit
from kit.relay import ALL, FencedRelay, Relay
from kit.transitions import Decision
from tests.kit.tally import LongWinded, Tally, decide, heard, new_id, pause, request, said, said_on
from tests.kit.world import World, a_world, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def world(kafka: str, mongo: str, fresh_database: str, topics: Any) -> AsyncIterator[World]:
    async with a_world(kafka, mongo, fresh_database, topics, partitions=4) as world:
        yield world


@contextmanager
def relay_process(
    world: World, mongo: str, owner: str, kind: str = "plain"
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.kit.relay_process"]
    arguments = [world.kafka.bootstrap, mongo, world.database.name, owner, kind]
    process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def nothing_owed(world: World) -> bool:
    return await world.store.collection.count_documents({"owes.0": {"$exists": True}}) == 0


async def test_what_is_owed_is_published_in_order_and_cleared(world: World) -> None:
    ids = [new_id() for _ in range(40)]
    for _ in range(3):
        await world.store.fold(heard(*(make(id_) for id_ in ids for make in (request, pause, pause))), decide)
    world.relay()

    await until(lambda: nothing_owed(world))

    events = await world.events(world.says.name)
    for id_ in ids:
        mine = [int(event["sequence"]) for event in events if event["subject"] == id_]
        assert mine == list(range(1, len(mine) + 1))
        assert len(mine) == 9
    keys = {record.key for record in await world.read(world.says.name)}
    assert keys == {id_.encode() for id_ in ids}


async def test_a_ring_is_heard_at_once_and_a_poll_finds_what_nobody_rang_for(world: World) -> None:
    id_ = new_id()
    relay = world.relay()
    await world.store.fold(heard(request(id_)), decide)
    relay.ring()
    await until(lambda: nothing_owed(world))
    world.store.ring = lambda: None

    await world.store.fold(heard(pause(id_)), decide)

    await until(lambda: nothing_owed(world))
    assert len(await world.events(world.says.name)) == 2


async def test_a_large_event_travels_whole_and_its_body_goes(world: World) -> None:
    id_ = new_id()
    long = LongWinded(connection_id=id_, text="x" * BODY_BYTES)
    await world.store.alter(id_, lambda _: Decision(Tally(), (said(id_), long, said(id_))), account="a")
    assert await world.store.bodies.count_documents({}) == 1
    world.relay()

    await until(lambda: nothing_owed(world))

    events = await world.events(world.says.name)
    assert [event["data"].get("text") for event in events] == [None, long.text, None]
    assert await world.store.bodies.count_documents({}) == 0


async def test_what_kafka_does_not_take_holds_up_its_own_thing_only(world: World) -> None:
    bad, good = new_id(), [new_id() for _ in range(10)]
    nowhere = Emit(said(bad), topic=said_on("nowhere.events"))
    await world.store.alter(bad, lambda _: Decision(Tally(), (nowhere, said(bad))), account="a")
    world.relay()

    await world.store.fold(heard(*map(request, good)), decide)

    async def others_done() -> bool:
        return len(await world.events(world.says.name)) == 10

    await until(others_done, 40)
    owed = (await world.store.collection.find_one({"_id": bad}) or {})["owes"]
    assert len(owed) == 2


async def test_a_relay_killed_at_any_moment_loses_nothing_and_keeps_order(world: World, mongo: str) -> None:
    ids = [new_id() for _ in range(30)]
    await world.store.fold(heard(*map(request, ids)), decide)
    kills = 0

    async def write() -> None:
        for _ in range(15):
            await world.store.fold(heard(*(pause(id_) for id_ in ids)), decide)
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(write())
    while not writing.done():
        with relay_process(world, mongo, "relay") as process:
            await asyncio.sleep(0.8)
            process.send_signal(signal.SIGKILL)
            kills += 1
    await writing
    world.relay()
    await until(lambda: nothing_owed(world), 30)

    assert kills >= 2
    events = await world.events(world.says.name)
    for id_ in ids:
        mine = [event for event in events if event["subject"] == id_]
        assert _known(mine) == list(range(1, 17))


def _known(events: list[dict[str, Any]]) -> list[int]:
    """What a reader keeps that drops ids it has seen. New ones with a lower sequence were out of order."""
    seen: dict[str, int] = {}
    for event in events:
        seen.setdefault(event["id"], int(event["sequence"]))
    return list(seen.values())


async def test_two_relays_share_the_shards_and_the_survivor_takes_the_rest(world: World, mongo: str) -> None:
    ids = [new_id() for _ in range(100)]
    with relay_process(world, mongo, "one") as one, relay_process(world, mongo, "two"):

        async def shared() -> bool:
            held = world.database["leases"].aggregate(
                [{"$match": {"name": {"$exists": True}}}, {"$group": {"_id": "$owner", "n": {"$sum": 1}}}]
            )
            return {found["_id"]: found["n"] async for found in held} == {"one": 32, "two": 32}

        await until(shared)
        one.send_signal(signal.SIGKILL)
        await world.store.fold(heard(*map(request, ids)), decide)
        await until(lambda: nothing_owed(world))

    assert len({event["id"] for event in await world.events(world.says.name)}) == 100


class Frozen(FencedRelay):
    """Stops between reading what is owed and sending it, until told to go on."""

    thawed: asyncio.Event | None = None
    frozen: asyncio.Event | None = None

    async def _debts(self, shards: Sequence[int]) -> list[Debt]:
        debts = await super()._debts(shards)
        if self.thawed and self.frozen:
            self.frozen.set()
            await self.thawed.wait()
        return debts


async def test_a_relay_frozen_beyond_its_lease_cannot_overwrite_what_is_newer(
    kafka: str, mongo: str, fresh_database: str, topics: Any
) -> None:
    async with a_world(kafka, mongo, fresh_database, topics, partitions=1) as world:
        id_ = new_id()
        leases = Leases(world.database["leases"], "relay", ALL, "zombie", timedelta(seconds=2))
        zombie = Frozen(world.store.collection, world.store.bodies, world.kafka, leases)
        tending = asyncio.create_task(leases.tend())
        await world.store.fold(heard(request(id_)), decide)
        await until(lambda: published(zombie, 1))
        tending.cancel()
        zombie.thawed, zombie.frozen = asyncio.Event(), asyncio.Event()
        await world.store.fold(heard(pause(id_)), decide)
        late = asyncio.create_task(zombie._round(zombie._whole))
        await zombie.frozen.wait()
        with relay_process(world, mongo, "heir", "fenced"):
            await until(lambda: nothing_owed(world))
            await world.store.fold(heard(pause(id_)), decide)
            await until(lambda: nothing_owed(world))
            zombie.thawed.set()

            with pytest.raises(KafkaError):
                await late

        await zombie._close(zombie._whole)
        assert [int(event["sequence"]) for event in await world.events(world.says.name)] == [1, 2, 3]


async def published(relay: Relay, count: int) -> bool:
    return await relay._round(relay._whole) == count
