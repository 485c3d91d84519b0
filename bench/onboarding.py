"""ConnectionRequested to AuthChallengeIssued, as another service sees it, at 100/s offered.

`python bench/onboarding.py [seconds] [requests a second]`. All on one machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from running import Running
from servers import packaged_kafka, packaged_mongo

from providers.manifests import load
from schemas.envelope import CONTENT_TYPE

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 100
WARM = 200
HEADERS = [("content-type", CONTENT_TYPE.encode())]
CATALOGUE = Path(__file__).parents[1] / "providers" / "catalogue"


def event(name: str, subject: str, data: dict[str, Any], account: str | None) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/bench",
        "type": f"paperbus.{name}.v1",
    }
    envelope |= {"time": datetime.now(UTC).isoformat(), "subject": subject, "data": data}
    envelope |= {"datacontenttype": "application/json"} | ({"accountid": account} if account else {})
    return json.dumps(envelope).encode()


class Asker:
    """Asks at a steady rate and notes when each first challenge comes back."""

    def __init__(self, bootstrap: str) -> None:
        self.producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        self.consumer = AIOKafkaConsumer(
            "connections.events", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
        )
        self.sent: dict[str, float] = {}
        self.took: dict[str, float] = {}

    async def listen(self) -> None:
        async for message in self.consumer:
            subject = message.key.decode()
            if subject in self.sent and b"AuthChallengeIssued" in message.value:
                self.took.setdefault(subject, time.perf_counter() - self.sent[subject])

    async def ask(self, count: int, rate: int) -> None:
        began = time.perf_counter()
        for n in range(count):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            subject = str(uuid.uuid4())
            data = {"connection_id": subject, "direction": "export", "provider_id": "webdav"}
            self.sent[subject] = time.perf_counter()
            value = event("ConnectionRequested", subject, data, f"account-{n % 97}")
            await self.producer.send("connections.requests", value, subject.encode(), headers=HEADERS)

    async def run(self) -> list[float]:
        await self.producer.start()
        await self.consumer.start()
        manifest = load(CATALOGUE / "webdav").wire()
        data = {"provider_id": "webdav", "revision": 1, "manifest": manifest}
        published = event("ProviderPublished", "webdav", data, None)
        await self.producer.send_and_wait("catalog.events", published, b"webdav", headers=HEADERS)
        listening = asyncio.create_task(self.listen())
        await asyncio.sleep(3)
        await self.ask(WARM, 20)
        warm = set(self.sent)
        await self.ask(SECONDS * RATE, RATE)
        for _ in range(300):
            if len(self.took) < len(self.sent):
                await asyncio.sleep(0.1)
        listening.cancel()
        await self.producer.stop()
        await self.consumer.stop()
        assert len(self.took) == len(self.sent), f"{len(self.sent) - len(self.took)} never answered"
        return sorted(took for subject, took in self.took.items() if subject not in warm)


async def measured(bootstrap: str) -> list[float]:
    return await Asker(bootstrap).run()


def cpu_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    with packaged_kafka() as kafka, packaged_mongo() as mongo, tempfile.TemporaryDirectory() as folder:
        services = Running(Path(folder), "127.0.0.42", kafka.bootstrap, mongo.url)
        assert services.command("topics").returncode == 0
        services.start("connections")
        try:
            services.ready("connections")
            process = psutil.Process(services.processes["connections"].pid)
            before = cpu_of(process)
            took = uvloop.run(measured(kafka.bootstrap))
            each = (cpu_of(process) - before) / (len(took) + WARM)
        finally:
            services.stop()
    middle, slow = took[len(took) // 2], took[int(len(took) * 0.99)]
    print(
        f"onboarding p50 {middle * 1000:6.1f} ms  p99 {slow * 1000:6.1f} ms  (at most 20 and 120)", end="  "
    )
    print(f"ConnectionRequested to AuthChallengeIssued, {RATE}/s offered, {len(took):,} of them")
    print(f"onboarding {each * 1000:6.2f} ms of CPU a request in connections, its idle time included")


if __name__ == "__main__":
    main()
