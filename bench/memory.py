"""Memory of each service: idle, and sync-runner with 100,000 connections. `python bench/memory.py [N]`"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiokafka import AIOKafkaProducer
from pymongo import MongoClient

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from running import SERVICES, Running, running

from schemas.connections import ConnectionSaved
from schemas.envelope import CONTENT_TYPE, Event, sequence
from schemas.filters import Filters
from schemas.schedules import Schedule
from schemas.topics import CONNECTIONS_EVENTS

ZONES = ("Europe/Paris", "Europe/Berlin", "America/New_York", "UTC")


def megabytes(services: Running, name: str) -> float:
    return psutil.Process(services.processes[name].pid).memory_info().rss / 2**20


def saved(n: int) -> Event[ConnectionSaved]:
    connection, now = str(uuid.uuid4()), datetime.now(UTC)
    data = ConnectionSaved(
        connection_id=connection,
        direction="export",
        provider_id="webdav",
        provider_revision=1,
        name="WebDAV",
        identity="jane@dav.example.org",
        schedule=Schedule(at=f"{n % 24:02}:{n % 2 * 30:02}", timezone=ZONES[n % 4]),
        options={"folder": "/", "filename": "{filename}", "clash": "skip_same", "sidecar": "none"},
        filters=Filters(),
        start="now",
        revision=1,
        saved_at=now,
    )
    return Event(
        id=str(uuid.uuid4()),
        source="/paperbus/connections",
        type=data.TYPE,
        time=now,
        subject=connection,
        accountid=f"account-{n % 9973}",
        sequence=sequence(1),
        data=data,
    )


async def schedule(services: Running, count: int) -> None:
    headers = [("content-type", CONTENT_TYPE.encode())]
    async with AIOKafkaProducer(bootstrap_servers=services.kafka, linger_ms=20) as producer:
        for n in range(count):
            event = saved(n)
            await producer.send(
                CONNECTIONS_EVENTS.name, event.encoded(), key=event.subject.encode(), headers=headers
            )
    with MongoClient(services.mongo) as client:
        while (there := client["sync_runner"]["syncs"].estimated_document_count()) < count:
            print(f"\r{there:,} of {count:,} scheduled", end="", flush=True)
            await asyncio.sleep(1)
    print()


def main(count: int) -> None:
    with running("127.0.0.9") as services:
        time.sleep(10)
        idle = {name: megabytes(services, name) for name in SERVICES}
        for name, size in idle.items():
            print(f"{name:<12} idle {size:6.1f} MB")
        asyncio.run(schedule(services, count))
        time.sleep(10)
        now = megabytes(services, "sync-runner")
        print(f"sync-runner  with {count:,} connections {now:6.1f} MB (+{now - idle['sync-runner']:.1f} MB)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
