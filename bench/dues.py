"""Due → nothing new → `DocumentsExported`: published per second, and the time from reading to the one write.

`python bench/dues.py [N]`. Real Kafka and MongoDB, the service's own edge, store and relay; one replica.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Topics, any_kafka, any_mongo
from syncing import World, due_now, heard, saved

from kit.broker import Kafka
from kit.edge import Edge
from kit.endings import Ended
from kit.heard import Heard
from kit.leases import Leases
from kit.parking import Parking
from kit.positions import Positions
from kit.relay import Relay, shard_names
from schemas.envelope import CONTENT_TYPE
from schemas.topics import CONNECTIONS_EVENTS, DOCUMENTS_EVENTS, SYNCS_EVENTS, SYNCS_REQUESTS
from sync_runner.bus import CONNECTIONS_GROUP, DOCUMENTS_GROUP
from sync_runner.lifecycle import schedule
from sync_runner.lifecycle.heard import Filled, Saved
from sync_runner.lifecycle.sync import Sync
from sync_runner.store.runs import now
from sync_runner.store.shapes import SCHEMA, dump

N = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
SINGLES = 200


class Bench:
    """One replica, as far as dues need it."""

    def __init__(self, url: str, bootstrap: str) -> None:
        self.world = World(url, f"bench_{uuid.uuid4().hex[:8]}")
        self.kafka = Kafka(bootstrap)
        db = self.world.db
        leases = Leases(db.leases, "relay.syncs", shard_names(), "bench")
        self.relay = Relay(db.syncs, db.bodies, self.kafka, leases)
        self.world.syncs.ring = self.relay.ring
        self.positions = Positions(self.kafka)
        dues = self.world.dues
        dues.documents_read = partial(self.positions.caught_up, DOCUMENTS_EVENTS, DOCUMENTS_GROUP)
        dues.connections_read = partial(self.positions.caught_up, CONNECTIONS_EVENTS, CONNECTIONS_GROUP)
        self.edge = Edge(self.kafka, "sync-runner", Parking(db.parked), now)
        self.edge.reads(SYNCS_REQUESTS, self.timed, refusals=SYNCS_EVENTS)
        self.took: list[float] = []
        self.ids: list[str] = []

    async def timed(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        """The handler, with how long it took to the write."""
        started = time.perf_counter()
        endings = await self.world.dues(batch)
        self.took.append(time.perf_counter() - started)
        return endings

    async def connect(self) -> None:
        """N saved connections, written at once."""
        await self.world.begin()
        for _ in range(0, N, 5000):
            kept = [self._saved(str(uuid.uuid4())) for _ in range(5000)]
            await self.world.db.syncs.insert_many(kept, ordered=False)
            self.ids += [document["_id"] for document in kept]

    def _saved(self, connection: str) -> dict[str, object]:
        account = f"account-{len(self.ids) % 997}"
        sync = schedule.follow(Sync(id=connection, account=account), Saved(saved(connection), now())).after
        sync = schedule.follow(sync, Filled(1, now())).after
        sync = replace(sync, heard=1, wake_at=now() + timedelta(days=1))
        from kit.aggregates import shard_of

        own = {"_id": connection, "account": account, "v": 1, "shard": shard_of(connection)}
        return own | {"owes": [], "seen": [], "schema": SCHEMA} | dump(sync)

    async def send(self, ids: Sequence[str], pause: float = 0.0) -> None:
        """A due for each, so many seconds apart. One producer: what it costs is not ours to measure."""
        accounts = {
            sync["_id"]: sync["account"]
            async for sync in self.world.db.syncs.find({"_id": {"$in": list(ids)}}, {"account": 1})
        }
        headers = [("content-type", CONTENT_TYPE.encode())]
        async with self.kafka.producer(linger_ms=0 if pause else 5) as producer:
            sent = []
            for id_ in ids:
                event = heard(due_now(id_), accounts[id_], id=str(uuid.uuid4())).event
                value, key = event.encoded(), id_.encode()
                sent.append(await producer.send(SYNCS_REQUESTS.name, value, key=key, headers=headers))
                if pause:
                    await asyncio.sleep(pause)
            await asyncio.gather(*sent)

    async def answered(self, count: int) -> float:
        """Wait for so many events; the seconds from the first to the last."""
        first = last = 0.0
        async with self.kafka.consumer(SYNCS_EVENTS.name) as consumer:
            found = 0
            while found < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += len(records)
                    last = time.perf_counter()
                    first = first or last
        return last - first

    async def run(self) -> None:
        await self.connect()
        await self.send(self.ids)
        relaying = asyncio.create_task(self.relay.run())
        answered = asyncio.create_task(self.answered(N))
        await asyncio.sleep(5)  # the relay's leases
        await self.edge.start()
        took = await answered
        print(f"dues       {N / took:8.0f} DocumentsExported/s published (at least 2,000)")
        self.took.clear()
        await self.send(self.ids[:SINGLES], pause=0.05)
        await asyncio.sleep(1)
        times = sorted(self.took)
        half, most = times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3
        print(f"dues       {half:8.1f} ms from reading to the write, p50; p99 {most:.1f} (under 10)")
        await self.edge.stop()
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        await self.positions.close()
        await self.world.client.drop_database(self.world.db.name)
        self.world.client.close()


async def main(url: str, bootstrap: str) -> None:
    topics = Topics(bootstrap)
    for topic in (SYNCS_REQUESTS, SYNCS_EVENTS, DOCUMENTS_EVENTS, CONNECTIONS_EVENTS):
        await topics.make(topic.name, partitions=topic.partitions)
    await topics.make(SYNCS_REQUESTS.dead)
    await Bench(url, bootstrap).run()


if __name__ == "__main__":
    with any_mongo() as url, any_kafka() as bootstrap:
        gc.freeze()  # as every service does
        uvloop.run(main(url, bootstrap))
