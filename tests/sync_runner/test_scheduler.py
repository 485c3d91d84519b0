"""The scheduler on a real MongoDB and Kafka: nothing due is lost, however often it is killed."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from servers import Topics
from syncing import World, due_now, heard, now, saved

from kit.broker import Kafka
from schemas.connections import ConnectionChanged, ConnectionPaused
from schemas.envelope import Event, Reader
from schemas.schedules import Schedule
from schemas.syncs import DueReason, ExportDue
from schemas.topics import SYNCS_REQUESTS
from sync_runner.bus import DueEmitter
from sync_runner.scheduler import Scheduler, event_of
from sync_runner.store.due import DueSync, MongoDue

pytestmark = pytest.mark.servers
HOUR = timedelta(hours=1)


class Heap:
    """Emits into a list; `gone` times it fails first."""

    def __init__(self) -> None:
        self.events: list[Event[ExportDue]] = []
        self.failures = 0

    async def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        reader = Reader(SYNCS_REQUESTS.types)
        for key, value in events:
            self.events.append(reader.read(value))
            assert self.events[-1].subject == key


@pytest.fixture
async def world(mongo: str, fresh_database: str) -> AsyncIterator[World]:
    world = await World(mongo, fresh_database).begin()
    yield world
    world.client.close()


def scheduler(world: World, heap: Heap, ahead: timedelta = timedelta(0)) -> Scheduler:
    return Scheduler(world.due, heap, lambda: range(64), lambda: now() + ahead)


async def test_a_due_is_said_once_at_its_time_and_then_for_the_next(world: World) -> None:
    connection, heap = await world.connect(), Heap()
    first = (await world.sync(connection)).due_at
    assert first is not None

    assert await scheduler(world, heap).once() == 0
    assert await scheduler(world, heap, HOUR * 1.1).once() == 1
    assert await scheduler(world, heap, HOUR * 1.1).once() == 0

    (event,) = heap.events
    assert (event.data.due_at, event.data.reason) == (first, DueReason.SCHEDULE)
    sync = await world.sync(connection)
    assert sync.due_at == first + HOUR
    assert sync.wake_at == sync.due_at + timedelta(milliseconds=sync.delay)


async def test_what_was_missed_is_one_catch_up(world: World) -> None:
    connection, heap = await world.connect(), Heap()

    await scheduler(world, heap, timedelta(days=3)).once()

    ((reason, again),) = [(event.data.reason, event.data.again) for event in heap.events]
    assert (reason, again) == (DueReason.CATCH_UP, None)
    due_at = (await world.sync(connection)).due_at
    assert due_at is not None
    assert timedelta(days=3) - HOUR * 0.1 < due_at - now() < timedelta(days=3) + HOUR


async def test_what_could_not_be_said_is_said_later_under_the_same_id(world: World) -> None:
    await world.connect()
    heap = Heap()
    heap.failures = 1
    due = scheduler(world, heap, HOUR * 1.1)
    with pytest.raises(ConnectionError):
        await due.once()

    assert await due.once() == 1
    assert len(heap.events) == 1


async def test_a_schedule_that_changed_meanwhile_is_not_moved_by_the_old_one(world: World) -> None:
    connection, heap = await world.connect(), Heap()

    class Meddling(MongoDue):
        async def move(self, shards, moves) -> None:
            change = saved(connection, ConnectionChanged, schedule=Schedule(every="P1D"), revision=2)
            await world.facts([heard(change)])
            await super().move(shards, moves)

    meddling = Scheduler(Meddling(world.db.syncs), heap, lambda: range(64), lambda: now() + HOUR * 1.1)
    await meddling.once()

    due_at = (await world.sync(connection)).due_at
    assert due_at is not None
    assert due_at - now() > timedelta(hours=23)


async def test_quiet_hours_hold_a_due_back_until_they_end(world: World) -> None:
    clock = now() + HOUR * 1.1
    begin, end = clock - timedelta(minutes=30), clock + timedelta(minutes=30)
    heap = Heap()
    connection = await world.connect()
    quiet = [{"from": f"{begin:%H:%M}", "to": f"{end:%H:%M}"}]
    await world.db.syncs.update_one({"_id": connection}, {"$set": {"schedule.quiet": quiet}})

    await scheduler(world, heap, HOUR * 1.1).once()

    sync = await world.sync(connection)
    assert heap.events == []
    assert sync.wake_at is not None
    assert clock < sync.wake_at <= end


async def test_a_paused_connection_is_not_due(world: World) -> None:
    connection, heap = await world.connect(), Heap()
    await world.facts([heard(ConnectionPaused(connection_id=connection, by="customer"))])

    assert await scheduler(world, heap, timedelta(days=9)).once() == 0


def test_the_event_written_by_hand_is_the_event() -> None:
    id_, at = str(uuid4()), now()
    sync = DueSync(id_, 'a"c\\mé', Schedule(every="PT1H"), at, at, 1, 0)
    event = Reader(SYNCS_REQUESTS.types).read(event_of(sync, DueReason.SCHEDULE, at))

    assert event.data == due_now(id_, due_at=at)
    assert (event.accountid, event.subject, event.time) == ('a"c\\mé', id_, at)
    assert json.loads(event_of(sync, DueReason.SCHEDULE, at)) == json.loads(event.encoded())


def schedule_until_killed(url: str, database: str, kafka: str, batches: int) -> None:
    """A scheduler's process that ends itself by SIGKILL between saying a batch and moving it on."""

    async def work() -> None:
        world, left = World(url, database), [batches]

        class Dying(MongoDue):
            async def move(self, shards, moves) -> None:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                await super().move(shards, moves)

        emitter = DueEmitter(Kafka(kafka))
        await Scheduler(Dying(world.db.syncs), emitter, lambda: range(64), lambda: now() + HOUR * 1.1).once()

    asyncio.run(work())


async def test_a_scheduler_killed_again_and_again_loses_no_due_and_doubles_none(
    world: World, fresh_database: str, mongo: str, kafka: str, all_topics: Topics
) -> None:
    connections = [str(uuid4()) for _ in range(3000)]
    await world.facts([heard(saved(connection)) for connection in connections])
    spawn = multiprocessing.get_context("spawn")
    kills = 0
    for batches in (0, 1, 99):
        process = spawn.Process(target=schedule_until_killed, args=(mongo, fresh_database, kafka, batches))
        process.start()
        await asyncio.to_thread(process.join, 60)
        kills += process.exitcode == -signal.SIGKILL

    said = Counter()
    async with AIOKafkaConsumer(
        SYNCS_REQUESTS.name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    ) as consumer:
        while records := await consumer.getmany(timeout_ms=3000):
            for record in (record for batch in records.values() for record in batch):
                event = json.loads(record.value)
                said[event["subject"], event["id"]] += 1

    assert kills == 2
    assert {subject for subject, _ in said} == set(connections)
    assert len(said) == len(connections), "a due said again has the id it had"
    assert said.total() > len(connections), "the kills left nothing to say again: they hit nothing"
