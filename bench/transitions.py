"""Transitions per second: read, decide, guarded write, event owed; against a read and a bare guarded update.

`python bench/transitions.py [N]`. Same documents, same write concern, same run; the peers owe nothing.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import uvloop
from pymongo import UpdateOne

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import any_mongo

from kit import mongo
from kit.aggregates import Kind, shard_of
from kit.heard import Heard
from kit.mongo_aggregates import MongoAggregates
from kit.owed import Voice
from kit.transitions import Decision, Row, decide
from schemas.connections import EVENTS, ConnectionPaused, ConnectionPauseRequested, ConnectionResumeRequested
from schemas.envelope import Event
from schemas.topics import Topic

N = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
THINGS, WRITERS, BATCH, ROUNDS = 8000, 32, 500, 3  # as many things as transitions: a relay keeps `owes` short


class State(StrEnum):
    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Thing:
    id: str
    state: State
    pad: str


def paused(thing: Thing, _: object) -> Sequence[ConnectionPaused]:
    return (ConnectionPaused(connection_id=thing.id, by="customer", reason="paused"),)


TABLE = {
    (State.ON, ConnectionPauseRequested): Row(State.OFF, emits=paused),
    (State.OFF, ConnectionPauseRequested): Row(State.ON, emits=paused),
    (State.OFF, ConnectionResumeRequested): Row(State.ON),
}


def decided(thing: Thing | None, event: Event[Any]) -> Decision[Thing] | None:
    assert thing is not None
    return decide(TABLE, thing.state, thing, event.data, lambda thing, state: replace(thing, state=state))


KIND: Kind[Thing] = Kind(
    "thing",
    1,
    lambda document: Thing(document["_id"], State(document["state"]), document["pad"]),
    lambda thing: {"state": thing.state.value, "pad": thing.pad},
    Voice("/bench", Topic("bench.events", "bench", 1, timedelta(days=1), EVENTS)),
)


def heard(id_: str) -> Heard:
    data = ConnectionPauseRequested(connection_id=id_)
    event: Event[Any] = Event(
        id=str(uuid.uuid4()),
        source="/b",
        type=data.TYPE,
        time=datetime.now(UTC),
        subject=id_,
        accountid="a",
        data=data,
    )
    return Heard(event, "bench.requests", 0, 0)


class Bench:
    def __init__(self, database: mongo.Database) -> None:
        self.collection = database["things"]
        self.store = MongoAggregates(KIND, self.collection, database["bodies"], lambda: datetime.now(UTC))
        self.ids = [str(uuid.uuid4()) for _ in range(THINGS)]

    async def fresh(self) -> None:
        await self.collection.drop()
        common = {
            "account": "a",
            "v": 1,
            "state": "on",
            "owes": [],
            "seen": [],
            "pad": "y" * 600,
            "schema": 1,
        }
        await self.collection.insert_many([{"_id": id_, "shard": shard_of(id_)} | common for id_ in self.ids])
        await self.store.declare()

    async def bare_single(self, event: Heard) -> None:
        id_ = event.event.subject
        while True:
            found = await self.collection.find_one({"_id": id_})
            assert found is not None
            state = "off" if found["state"] == "on" else "on"
            guard = {"_id": id_, "v": found["v"]}
            result = await self.collection.update_one(guard, {"$set": {"state": state}, "$inc": {"v": 1}})
            if result.modified_count:
                return

    async def ours_single(self, event: Heard) -> None:
        await self.store.fold((event,), decided)

    async def bare_batch(self, events: Sequence[Heard]) -> None:
        ids = [event.event.subject for event in events]
        found = {
            document["_id"]: document async for document in self.collection.find({"_id": {"$in": list(ids)}})
        }
        writes = [
            UpdateOne(
                {"_id": id_, "v": found[id_]["v"]},
                {"$set": {"state": "off" if found[id_]["state"] == "on" else "on"}, "$inc": {"v": 1}},
            )
            for id_ in ids
        ]
        await self.collection.bulk_write(writes, ordered=False)

    async def ours_batch(self, events: Sequence[Heard]) -> None:
        await self.store.fold(events, decided)

    async def singles(self, one: Callable[[Heard], Awaitable[None]]) -> float:
        await self.fresh()
        left = iter([heard(id_) for id_ in random.choices(self.ids, k=N)])

        async def writer() -> None:
            for event in left:
                await one(event)

        started = time.perf_counter()
        await asyncio.gather(*(writer() for _ in range(WRITERS)))
        return N / (time.perf_counter() - started)

    async def batches(self, many: Callable[[Sequence[Heard]], Awaitable[None]]) -> float:
        await self.fresh()
        batches = [[heard(id_) for id_ in random.sample(self.ids, BATCH)] for _ in range(N // BATCH)]
        started = time.perf_counter()
        for batch in batches:
            await many(batch)
        return N // BATCH * BATCH / (time.perf_counter() - started)


async def main(url: str) -> None:
    client = mongo.connect(url)
    bench = Bench(client[f"bench_{uuid.uuid4().hex[:8]}"])
    figures: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        figures.setdefault("one, bare", []).append(await bench.singles(bench.bare_single))
        figures.setdefault("one, ours", []).append(await bench.singles(bench.ours_single))
        figures.setdefault("batch, bare", []).append(await bench.batches(bench.bare_batch))
        figures.setdefault("batch, ours", []).append(await bench.batches(bench.ours_batch))
    median = {name: statistics.median(values) for name, values in figures.items()}
    for name, value in median.items():
        print(f"transitions {name:12} {value:8.0f}/s")
    print(f"transitions one   {median['one, ours'] / median['one, bare']:.2f} x bare (at least 0.9)")
    print(f"transitions batch {median['batch, ours'] / median['batch, bare']:.2f} x bare")
    await client.drop_database(bench.collection.database.name)
    client.close()


if __name__ == "__main__":
    with any_mongo() as url:
        gc.freeze()  # as every service does
        uvloop.run(main(url))
