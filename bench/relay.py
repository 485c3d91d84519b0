"""The relay against a transactional outbox collection, on real Kafka and MongoDB, in one run.

`python bench/relay.py [N]`: a backlog of N events at 1 and at 30 events a document, then 200 writes/s, write
to consumer. The peer polls an outbox by `_id`, publishes with the same producer settings, and deletes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from bson import ObjectId

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Topics, any_kafka, any_mongo

from kit import mongo
from kit.aggregates import shard_of
from kit.broker import Kafka
from kit.leases import Leases
from kit.mongo_aggregates import OWING
from kit.owed import NOBODY, About, Owed, Voice
from kit.relay import Relay, shard_names
from schemas.connections import EVENTS, ConnectionPaused
from schemas.topics import Topic

N = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
ROUNDS, RATE, SECONDS = 3, 200, 10
WARM = 2
"""Seconds of writes before the measured ones: connections are made, topics looked up."""
HEADERS = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def owed(topic: str, id_: str, version: int) -> Owed:
    voice = Voice("/bench", Topic(topic, "bench", 1, timedelta(days=1), EVENTS))
    data = ConnectionPaused(connection_id=id_, by="customer", reason="paused")
    (event,) = voice.owed(About(id_, "account", version), (data,), NOBODY, datetime.now(UTC))
    return event


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Bench:
    def __init__(self, database: mongo.Database, bootstrap: str, topic: str) -> None:
        self.database = database
        self.kafka = Kafka(bootstrap)
        self.topic = topic

    async def backlog(self, each: int) -> None:
        """N events, `each` of them owed by one document; and the same as an outbox."""
        for name in ("things", "outbox", "leases"):
            await self.database[name].drop()
        await self.database["things"].create_indexes([OWING])
        ids = [str(uuid.uuid4()) for _ in range(N // each)]
        for start in range(0, len(ids), 1000):
            events = {
                id_: [owed(self.topic, id_, n).document() for n in range(each)]
                for id_ in ids[start : start + 1000]
            }
            await self.database["things"].insert_many(
                [
                    {"_id": id_, "shard": shard_of(id_), "v": each, "pad": "y" * 600, "owes": owes}
                    for id_, owes in events.items()
                ]
            )
            await self.database["outbox"].insert_many(
                [{"_id": ObjectId(), **event} for owes in events.values() for event in owes]
            )

    @contextlib.asynccontextmanager
    async def relay(self) -> AsyncIterator[Relay]:
        leases = Leases(self.database["leases"], "bench", shard_names(), uuid.uuid4().hex)
        relay = Relay(self.database["things"], self.database["bodies"], self.kafka, leases)
        tending = asyncio.create_task(leases.tend())
        while not leases.held():  # noqa: ASYNC110 - that is all there is to ask
            await asyncio.sleep(0.01)
        await relay._started(relay._whole)  # noqa: SLF001 - the peer's producer is started before its clock, too
        yield relay
        tending.cancel()

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Coroutine[Any, Any, None]]:
        """The transactional outbox: read a thousand in order, publish, delete."""
        producer = self.kafka.producer(linger_ms=2, max_batch_size=64 * 1024)
        await producer.start()
        yield self._peer(producer)
        await producer.stop()

    async def _peer(self, producer: Any) -> None:
        outbox = self.database["outbox"]
        while True:
            found = await outbox.find({}).sort("_id", 1).limit(1000).to_list(None)
            if not found:
                await asyncio.sleep(0.05)
                continue
            sent = [
                await producer.send(self.topic, event["value"], event["key"].encode(), headers=HEADERS)
                for event in found
            ]
            await asyncio.gather(*sent)
            await outbox.delete_many({"_id": {"$in": [event["_id"] for event in found]}})

    async def emptied(self, collection: str, query: dict[str, Any]) -> None:
        while await self.database[collection].find_one(query, {"_id": 1}):  # noqa: ASYNC110 - only Mongo knows
            await asyncio.sleep(0.02)

    async def speeds(self, each: int) -> tuple[float, float]:
        """Events per second of the relay and of the peer, with the same backlog."""
        await self.backlog(each)
        count = N // each * each
        async with self.relay() as relay:
            started = time.perf_counter()
            async with running(relay.run()):
                await self.emptied("things", {"owes.0": {"$exists": True}})
                ours = count / (time.perf_counter() - started)
        async with self.peer() as publish:
            started = time.perf_counter()
            async with running(publish):
                await self.emptied("outbox", {})
                peers = count / (time.perf_counter() - started)
        return ours, peers

    async def latency(self) -> list[float]:
        """Seconds from the write's beginning to the consumer, at 200 writes/s, each rung."""
        await self.backlog(1)
        await self.database["things"].update_many({}, {"$set": {"owes": []}})
        ids = await self.database["things"].distinct("_id")
        await self.settle()
        seen: list[float] = []
        consumer = self.kafka.consumer(self.topic)
        await consumer.start()
        await consumer.seek_to_end()
        async with self.relay() as relay, running(relay.run()):
            reading = asyncio.create_task(self._read(consumer, seen))
            await self._write(ids, relay.ring, WARM)
            await asyncio.sleep(1)
            seen.clear()
            await self._write(ids, relay.ring, SECONDS)
            await asyncio.sleep(1)
            reading.cancel()
        await consumer.stop()
        return sorted(seen)

    async def _read(self, consumer: Any, seen: list[float]) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                now = time.time()
                written = [json.loads(record.value).get("at") for record in records]
                seen.extend(now - at for at in written if at)

    async def settle(self) -> None:
        """Let what the backlogs left behind end: files to drop, pages to write, garbage of ours.

        Alone it held everybody up for most of a second, once, in some runs: no service has that behind it.
        """
        await self.database.client.admin.command("fsync")
        await asyncio.sleep(5)
        gc.collect()
        gc.freeze()

    async def _write(self, ids: list[str], ring: Callable[[], None], seconds: int) -> None:
        pending: set[asyncio.Task[None]] = set()
        started = time.time()
        for n in range(RATE * seconds):
            task = asyncio.create_task(self._one(random.choice(ids), n, ring))
            pending.add(task)
            task.add_done_callback(pending.discard)
            await asyncio.sleep(max(0.0, started + n / RATE - time.time()))
        await asyncio.gather(*pending)

    async def _one(self, id_: str, n: int, ring: Callable[[], None]) -> None:
        event = owed(self.topic, id_, n).document()
        event["value"] = event["value"][:-1] + b',"at":%r}' % time.time()
        await self.database["things"].update_one({"_id": id_}, {"$inc": {"v": 1}, "$push": {"owes": event}})
        ring()


async def median(measure: Callable[[], Awaitable[tuple[float, float]]]) -> tuple[float, float]:
    pairs = [await measure() for _ in range(ROUNDS)]
    return tuple(sorted(values)[ROUNDS // 2] for values in zip(*pairs, strict=True))  # type: ignore[return-value]


async def main(bootstrap: str, url: str) -> None:
    topic = await Topics(bootstrap).fresh("bench", partitions=16)
    client = mongo.connect(url)
    bench = Bench(client[f"bench_{uuid.uuid4().hex[:8]}"], bootstrap, topic)
    for each, least, times in ((1, 10_000, 0.9), (30, 20_000, 1.8)):
        ours, peers = await median(lambda each=each: bench.speeds(each))
        print(f"relay, {each:2} a document   {ours:8.0f}/s (at least {least})")
        print(f"outbox                  {peers:8.0f}/s: ours is {ours / peers:.2f} x (at least {times})")
    waits = await bench.latency()
    p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    print(f"relay, write to consumer at {RATE}/s ({len(waits)}): p50 {p50:.1f} ms, p99 {p99:.1f} ms (20, 90)")
    await client.drop_database(bench.database.name)
    client.close()


if __name__ == "__main__":
    with any_kafka() as bootstrap, any_mongo() as url:
        gc.freeze()  # as every service does
        uvloop.run(main(bootstrap, url))
