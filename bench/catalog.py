"""50,000 manifests: first load, unchanged start, search, memory. `python bench/catalog.py [--providers N]`.

Uses KAFKA_BOOTSTRAP_SERVERS and MONGO_URL where they are set, else servers from packages. The service runs as
a process of its own; its memory is compared with that of the same service with our own few providers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
from pymongo import MongoClient

from kit.tokens import new_signing_key, sign
from paperbus.local import EmbeddedKafka, EmbeddedMongo
from providers.logos import monogram

ADDRESS = "127.0.0.42"
KEY = new_signing_key("platform")
SYLLABLES = [a + b for a in "bdklmnrst" for b in "aeo"]
KINDS = (
    "Bank",
    "Cloud",
    "Drive",
    "Files",
    "Box",
    "Invoices",
    "Books",
    "Shop",
    "Pay",
    "Online",
    "Docs",
    "Archive",
)
CATEGORIES = ("storage", "accounting", "email", "shop", "payment", "bank", "erp", "archive")
QUERIES = (
    "", "storage", "clod", "bank", "comptabilité", "Onlinespeicher", "bakide files", "rechnungswesen",
    "dokatelo software", "drvie online", "s", "ba", "xylophone", "archive docs group",
)  # fmt: skip


def write_manifests(root: Path, count: int) -> None:
    """Providers as an operator would write them: most extend ours, each with a name of its own."""
    dice = random.Random(7)
    for number in range(count):
        word = "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(2, 4)))
        name = f"{word.title()} {dice.choice(KINDS)}"
        folder = root / f"{name.lower().replace(' ', '-')}-{number}"
        folder.mkdir()
        (folder / "logo.svg").write_text(monogram(name))
        (folder / "manifest.yaml").write_text(
            f"id: {folder.name}\nextends: webdav\nname: {name}\n"
            f"summary: {{en: Documents to {name}., fr: Des documents vers {name}., de: Belege zu {name}.}}\n"
            f"aliases: [{word}, {dice.choice(KINDS)} {dice.choice(KINDS)}]\n"
            f"categories: [{dice.choice(CATEGORIES)}]\ncountries: [{dice.choice(('de', 'fr', 'be', 'at'))}]\n"
            f'driver:\n  settings:\n    url: "https://dav.{word}.example/{{username}}"\n'
            "login:\n  - ask: credentials\n    fields:\n"
            "      - {name: username, label: User name, required: true}\n"
            "      - {name: password, label: Password, type: password, required: true, secret: true}\n"
        )


@contextmanager
def catalog(environment: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    """The service as a process of its own."""
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-m", "catalog"], env=environment, stdout=out, stderr=out)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(15)


def ready_after(process: psutil.Process, log: Path) -> float:
    """Seconds until it is ready: everything read and published."""
    began = time.monotonic()
    with httpx.Client(base_url=f"http://{ADDRESS}:8101", timeout=5) as http:
        while True:
            assert process.status() != psutil.STATUS_ZOMBIE, log.read_text()[-3000:]
            try:
                if http.get("/health/ready").status_code == 200:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass
            time.sleep(0.1)


def token() -> str:
    now = int(time.time())
    claims = {
        "iss": "platform", "sub": "bench", "aud": "paperbus", "iat": now, "exp": now + 3600,
        "jti": uuid4().hex, "account": "bench", "role": "member",
    }  # fmt: skip
    return sign(KEY, claims)


def search_times() -> dict[str, float]:
    """Median milliseconds of each query, over HTTP."""
    with httpx.Client(
        base_url=f"http://{ADDRESS}:8101", headers={"authorization": f"Bearer {token()}"}
    ) as http:
        times: dict[str, float] = {}
        for query in QUERIES:
            taken = []
            for _ in range(9):
                began = time.perf_counter()
                answer = http.get("/v1/providers", params={"query": query, "limit": 20})
                taken.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 200, answer.text
            times[query] = statistics.median(taken)
        return times


def measure(environment: dict[str, str], root: Path, count: int, log: Path) -> dict[str, Any]:
    def rss(process: psutil.Process) -> float:
        return process.memory_info().rss / 1e6

    def cpu(process: psutil.Process) -> float:
        times = process.cpu_times()
        return round(times.user + times.system + times.children_user + times.children_system, 1)

    command = Path(sys.executable).parent / "paperbus"
    subprocess.run([command, "topics"], env=environment, check=True, capture_output=True)
    with catalog(environment, log) as process:
        ready_after(process, log)
        search_times()
        time.sleep(3)
        few = rss(process)
    began = time.monotonic()
    write_manifests(root, count)
    print(f"wrote {count} manifests in {time.monotonic() - began:.1f} s", flush=True)
    environment = {**environment, "PAPERBUS_PROVIDERS": str(root)}
    with catalog(environment, log) as process:
        first = ready_after(process, log)
        after_first, first_cpu = rss(process), cpu(process)
    with catalog(environment, log) as process:
        again = ready_after(process, log)
        again_cpu = cpu(process)
        search_times()
        searches = search_times()
        time.sleep(3)
        many = rss(process)
    return {
        "providers": count,
        "first load, read and published (s)": round(first, 1),
        "unchanged start (s)": round(again, 1),
        "CPU of the service, first load and unchanged start (s)": [first_cpu, again_cpu],
        "search, slowest median (ms)": round(max(searches.values()), 1),
        "search, median (ms)": round(statistics.median(searches.values()), 1),
        "searches (ms)": {query: round(taken, 1) for query, taken in searches.items()},
        "memory with our own (MB)": round(few),
        "memory after the first load (MB)": round(after_first),
        "memory after an unchanged start (MB)": round(many),
        "memory more (MB)": round(many - few),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--providers", type=int, default=50_000)
    count = parser.parse_args().providers
    with tempfile.TemporaryDirectory(prefix="paperbus-bench-") as scratch:
        folder = Path(scratch)
        kafka = EmbeddedKafka(folder / "kafka", port=None)
        mongo = EmbeddedMongo(folder / "mongo", port=None)
        await asyncio.gather(kafka.start(), mongo.start())
        try:
            environment = {
                **os.environ,
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
                "MONGO_URL": mongo.url,
                "PAPERBUS_LISTEN": ADDRESS,
                "PAPERBUS_INSTANCE": "catalog-bench",
                "PAPERBUS_PLATFORM_KEYS": json.dumps({"keys": [KEY.as_dict(private=False)]}),
            }
            (folder / "providers").mkdir()
            figures = await asyncio.to_thread(
                measure, environment, folder / "providers", count, folder / "catalog.log"
            )
            with MongoClient(mongo.url) as client:
                figures["owed at the end"] = client["catalog"]["providers"].count_documents(
                    {"owes.0": {"$exists": True}}
                )
            print(json.dumps(figures, indent=2, ensure_ascii=False))
        finally:
            await asyncio.gather(kafka.stop(), mongo.stop())


if __name__ == "__main__":
    asyncio.run(main())
