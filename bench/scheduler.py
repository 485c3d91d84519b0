"""Due schedules per second into a real Kafka, all due at once; beside it APScheduler 3 with MongoDB.

`python bench/scheduler.py [N] [N of the peer]`. Real schedules in four time zones; at least once.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import uuid
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Topics, any_kafka, any_mongo

from kit import mongo
from kit.aggregates import shard_of
from kit.broker import Kafka
from schemas.topics import SYNCS_REQUESTS
from sync_runner.bus import DueEmitter
from sync_runner.scheduler import Scheduler
from sync_runner.store.due import WAKE, MongoDue
from sync_runner.store.runs import now

N = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
PEER = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
ZONES = ("Europe/Paris", "Europe/Berlin", "America/New_York", "UTC")
DAYS: tuple[dict[str, Any], ...] = ({}, {"on": ["mo", "we", "fr"]}, {"on": [1, 15]})


def schedule(n: int) -> dict[str, Any]:
    """Daily, weekly, monthly, every hour or day, cron; in four zones."""
    zone = {"timezone": ZONES[n % 4], "quiet": []}
    match n % 8:
        case 0:
            return {"every": "PT1H"} | zone
        case 1:
            return {"every": "P1D"} | zone
        case 2:
            return {"cron": f"{n % 60} {n % 24} * * 1-5"} | zone
    return {"at": f"{n % 24:02}:{n % 2 * 30:02}", **DAYS[n % 3]} | zone


def due_sync(n: int, due_at: datetime) -> dict[str, Any]:
    connection = str(uuid.uuid4())
    return {
        "_id": connection,
        "account": f"account-{n % 9973}",
        "shard": shard_of(connection),
        "direction": "export",
        "schedule": schedule(n),
        "anchor": due_at - timedelta(days=1),
        "due_at": due_at,
        "wake_at": due_at,
        "delay": n % 180_000,
        "revision": 1,
        "options": {"folder": "/Invoices/{year}", "filename": "{filename}"},
        "past": [],
    }


async def ours(url: str, bootstrap: str, count: int) -> float:
    client = mongo.connect(url)
    db = client[f"bench_{uuid.uuid4().hex[:8]}"]
    await mongo.declare(db.syncs, (WAKE,))
    due_at = now() - timedelta(seconds=1)
    for start in range(0, count, 5000):
        syncs = [due_sync(n, due_at) for n in range(start, min(count, start + 5000))]
        await db.syncs.insert_many(syncs, ordered=False)
    emitter = DueEmitter(Kafka(bootstrap))
    await emitter.send([])
    scheduler = Scheduler(MongoDue(db.syncs), emitter, lambda: range(64), now)
    started = time.perf_counter()
    said = await scheduler.once()
    took = time.perf_counter() - started
    left = await db.syncs.count_documents({"wake_at": {"$lte": now()}})
    assert (said, left) == (count, 0), (said, left)
    await emitter.close()
    await client.drop_database(db.name)
    client.close()
    return said / took


fired = 0
all_fired = threading.Event()


def job() -> None:
    global fired  # noqa: PLW0603 - APScheduler stores a reference to a plain function
    fired += 1
    if fired == PEER:
        all_fired.set()


def apscheduler(url: str) -> float:
    warnings.simplefilter("ignore")
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.jobstores.mongodb import MongoDBJobStore
    from apscheduler.schedulers.background import BackgroundScheduler
    from pymongo import MongoClient

    client: Any = MongoClient(url, w="majority", journal=True)
    store = MongoDBJobStore(client=client, database=f"bench_{uuid.uuid4().hex[:8]}")
    peer = BackgroundScheduler(
        jobstores={"default": store}, executors={"default": ThreadPoolExecutor(4)}, timezone=UTC
    )
    peer.start(paused=True)
    due_at = datetime.now(UTC) + timedelta(seconds=1)
    for _ in range(PEER):
        peer.add_job(job, "interval", hours=1, next_run_time=due_at, misfire_grace_time=3600)
    time.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))
    started = time.perf_counter()
    peer.resume()
    all_fired.wait(600)
    took = time.perf_counter() - started
    name = store.collection.database.name
    peer.shutdown()  # closes its client
    with MongoClient(url) as client:
        client.drop_database(name)
    return PEER / took


def main() -> None:
    with any_mongo() as url, any_kafka() as bootstrap:
        asyncio.run(Topics(bootstrap).make(SYNCS_REQUESTS.name, partitions=SYNCS_REQUESTS.partitions))
        uvloop.run(ours(url, bootstrap, min(N, 5000)))  # both servers are warm then
        rate = uvloop.run(ours(url, bootstrap, N))
        print(f"scheduler  {rate:8.0f} dues/s of {N:,} due at once, into Kafka (at least 7,000)")
        if PEER:
            peer = apscheduler(url)
            print(f"scheduler  {peer:8.0f} jobs/s by APScheduler 3 with MongoDB, of {PEER:,}")
            print(f"scheduler  {rate / peer:8.1f} x APScheduler (at least 15)")


if __name__ == "__main__":
    main()
