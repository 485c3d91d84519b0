"""What a run costs beside what is done already, and beside other accounts' runs.

    python bench/runs.py [--done 1000000] [--large 10000] [--rounds 3]

Nothing new: a due for a connection with so many documents done, from the handler to its one write; the target
is not asked, and nothing is lent. Shares: 100 accounts with 10 documents each, alone and beside one account
with many; one worker, a real store, documents over HTTP into rclone's WebDAV server.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import uvloop
from aiohttp import web

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from run_rig import Platform, Rig, a_place, working  # noqa: E402 - found by the line above
from servers import any_mongo  # noqa: E402 - found by the line above
from subjects import Subject, dav  # noqa: E402 - found by the line above
from syncing import ACCOUNT, World, due_now, heard  # noqa: E402 - found by the line above
from targets import rclone_webdav  # noqa: E402 - found by the line above

SMALL, EACH, BYTES = 100, 10, 5_000
DUES = 300
SLICE = 20_000


class Open(Platform):
    """A platform that gives to every account; tokens are no part of what is measured."""

    async def _give(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])


async def nothing_new(mongo: str, done: int) -> None:
    """Milliseconds from reading a due to its one write, beside so many documents that are done."""
    world = await World(mongo, f"bench_{uuid4().hex[:8]}").begin()
    connection = await world.connect()
    at = datetime.now(UTC) - timedelta(days=1)
    row = {"account": ACCOUNT, "connection": connection, "version": 1, "status": "done"}
    row |= {"received_at": at, "at": at, "run": "x", "part": 1, "fence": 1, "attempts": 1, "schema": 1}
    for start in range(0, done, SLICE):
        numbers = range(start, min(done, start + SLICE))
        rows = [
            {**row, "_id": f"{connection}/d{n}/1", "document": f"d{n}", "target": f"/in/d{n}.pdf"}
            for n in numbers
        ]
        await world.db.ledger.insert_many(rows, ordered=False)
    times = []
    for _ in range(DUES):
        due = heard(due_now(connection), id=str(uuid4()))
        began = time.perf_counter()
        await world.dues([due])
        times.append((time.perf_counter() - began) * 1000)
        assert (await world.said(connection))[-1][0] == "DocumentsExported", "it went to a worker"
        await world.db.syncs.update_one({"_id": connection}, {"$set": {"owes": [], "seen": []}})
        await asyncio.sleep(0.01)
    times.sort()
    half, most = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"nothing new beside {done:,} done: p50 {half:.1f} ms, p99 {most:.1f} ms (asked: under 10)")
    await world.client.drop_database(world.db.name)
    world.client.close()


async def ended(mongo: str, subject: Subject, large: int) -> float:
    """Seconds until all small accounts' runs have ended, beside a large one where there is one."""
    async with Open().serving() as platform:
        place = a_place(
            mongo, f"bench_{uuid4().hex[:8]}", subject.manifest, subject.credentials, platform.key
        )
        first = Rig(place, platform)
        rigs = [replace(first, connection=str(uuid4()), account=f"small-{n}") for n in range(SMALL)]
        many = [(replace(first, connection=str(uuid4()), account="large"), large)] if large else []
        for rig, count in [*many, *((rig, EACH) for rig in rigs)]:
            await rig.set_up(folder=f"/{uuid4().hex}")
            await rig.receive({f"{rig.connection}-{n}": os.urandom(BYTES) for n in range(count)})
        found = {"_id": {"$in": [rig.connection for rig in rigs]}, "state": {"$ne": "idle"}}
        gc.collect()
        async with working(place):
            began = time.perf_counter()
            while await first.database["syncs"].find_one(found, {"_id": 1}) is not None:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.02)
            seconds = time.perf_counter() - began
        small = {"account": {"$in": [rig.account for rig in rigs]}, "status": "done"}
        assert await first.database["ledger"].count_documents(small) == SMALL * EACH
        await first.client.drop_database(place.database)
        for rig in [first, *rigs, *(rig for rig, _ in many)]:
            rig.client.close()
        return seconds


def shares(mongo: str, large: int, rounds: int) -> None:
    """Both in turn, so that they meet the same weather."""
    alone, beside = [], []
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"paperbus-bench-{uuid4().hex}"  # noqa: S108 - emptied below
    folder.mkdir()
    with rclone_webdav(folder) as target:
        subject = dav(target, create_only=True)
        for _ in range(rounds):
            alone.append(uvloop.run(ended(mongo, subject, 0)))
            beside.append(uvloop.run(ended(mongo, subject, large)))
    one, two = statistics.median(alone), statistics.median(beside)
    print(
        f"{SMALL} accounts of {EACH} documents: {one:.1f} s alone, {two:.1f} s beside one of {large:,}:"
        f" {two / one:.2f} x (asked: within 2)"
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--done", type=int, default=1_000_000)
    asked.add_argument("--large", type=int, default=10_000)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with any_mongo() as mongo:
        gc.freeze()  # as services do
        if given.done:
            uvloop.run(nothing_new(mongo, given.done))
        if given.large:
            shares(mongo, given.large, given.rounds)


if __name__ == "__main__":
    main()
