"""Documents a second from a platform into a target, end to end, beside `rclone copy` of the same files.

    python bench/exports.py [--documents 2000] [--bytes 50000] [--rounds 5] [--only webdav s3]

Ours: a run over a real store; each document is fetched over HTTP, its hash checked, intended, put, recorded,
told of; one request a document, as at servers that show whole files only and honour conditions. rclone: from
the same HTTP server, and from disk; its pacer off, checks off. All take turns. Both servers are rclone's own,
and none runs in our process. Client, store, source and target share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import uvloop

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from run_rig import Platform, Rig, a_place  # noqa: E402 - found by the line above
from servers import any_mongo  # noqa: E402 - found by the line above
from subjects import Subject, bucket, dav, manifest  # noqa: E402 - found by the line above
from targets import PASSWORD, USER, Target, rclone_http, rclone_s3, rclone_webdav  # noqa: E402 - as above

RCLONE = Path(sys.executable).parent / "rclone"
LANES = 32
SERVERS = {"webdav": rclone_webdav, "s3": rclone_s3}


@dataclass(frozen=True)
class Figure:
    """One round: documents a second, and milliseconds of processor for one: the client's, and what store,
    source and target use beside it. These say more than the rate where other work runs on the machine.
    """

    a_second: float
    processor: float
    beside: float


def of_servers() -> float:
    """Seconds of processor that the store and the servers used so far, as far as they are our children."""
    children = psutil.Process().children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children)


@contextmanager
def room(names: list[str], count: int, size: int) -> Iterator[tuple[Target, dict[str, Target]]]:
    """The source with its files, and the targets, in memory where the system has such a place."""
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - what is measured is no disk
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paperbus-bench-", dir=where)))
        for name in ("source", *names):
            (folder / name / "files" / "papers").mkdir(parents=True)
        (folder / "source" / "files" / "papers").rmdir()
        for number in range(count):
            (folder / "source" / "files" / f"d{number}").write_bytes(os.urandom(size))
        source = stack.enter_context(rclone_http(folder / "source" / "files"))
        yield source, {name: stack.enter_context(SERVERS[name](folder / name / "files")) for name in names}


def subject_of(name: str, target: Target) -> Subject:
    """Our driver, set up for the server as its manifest would be."""
    made = dav(target) if name == "webdav" else bucket(target)
    spec = manifest("webdav", atomic_put=True) if name == "webdav" else manifest("object", conditional=True)
    wide = spec.model_copy(update={"limits": spec.limits.model_copy(update={"concurrency": LANES})})
    return Subject(wide, made.credentials, {}, made.look, made.names)


async def run(mongo: str, subject: Subject, source: Target) -> Figure:
    """One run from the first claim to its last event."""
    platform = Platform(origin=source.url.rstrip("/"))
    place = a_place(mongo, f"bench_{uuid4().hex[:8]}", subject.manifest, subject.credentials, platform.key)
    rig = await Rig(place, platform).set_up(folder=f"/{uuid4().hex}")
    await rig.receive({each.name: each.read_bytes() for each in source.folder.iterdir()})
    gc.collect()
    beside, processor, began = of_servers(), time.process_time(), time.perf_counter()
    await rig.work(600)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    beside = of_servers() - beside
    statuses = [row["status"] for row in (await rig.rows()).values()]
    assert set(statuses) == {"done"}, set(statuses)
    await rig.client.drop_database(place.database)
    rig.client.close()
    count = len(statuses)
    return Figure(count / seconds, processor / count * 1000, beside / count * 1000)


def rclone(name: str, target: Target, source: str, count: int) -> Figure:
    """The whole process, as one uses it."""
    hidden = subprocess.run([RCLONE, "obscure", PASSWORD], check=True, capture_output=True, text=True)
    remote = {
        "webdav": f":webdav,url='{target.url}',user={USER},pass='{hidden.stdout.strip()}',pacer_min_sleep=0:",
        "s3": f":s3,provider=Rclone,endpoint='{target.url}',access_key_id={USER},"
        f"secret_access_key='{PASSWORD}':papers/",
    }[name] + uuid4().hex
    fast = ["--transfers", str(LANES), "--checkers", str(LANES), "--no-check-dest", "--ignore-checksum"]
    beside, before, began = of_servers(), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [str(RCLONE), "copy", source, remote, "--config", os.devnull, *fast], check=True, capture_output=True
    )
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(count / seconds, used / count * 1000, (of_servers() - beside) / count * 1000)


def measured(mongo: str, name: str, source: Target, target: Target, rounds: int) -> None:
    """Every way once a round, in turn, so that all meet the same weather."""
    figures: dict[str, list[Figure]] = {"paperbus": [], "rclone, from HTTP": [], "rclone, from disk": []}
    subject, count = subject_of(name, target), len(list(source.folder.iterdir()))
    for _ in range(rounds):
        figures["paperbus"].append(uvloop.run(run(mongo, subject, source)))
        figures["rclone, from HTTP"].append(rclone(name, target, f":http,url='{source.url}':", count))
        figures["rclone, from disk"].append(rclone(name, target, str(source.folder), count))
    ours = statistics.median(figure.a_second for figure in figures["paperbus"])
    for way, every in figures.items():
        middle = statistics.median(figure.a_second for figure in every)
        processor = statistics.median(figure.processor for figure in every)
        beside = statistics.median(figure.beside for figure in every)
        against = "" if way == "paperbus" else f"  we: {ours / middle:4.2f} x"
        print(
            f"{name:8} {way:20} {middle:8,.0f}/s  {processor:6.2f} ms of processor each"
            f" and {beside:5.2f} of servers'{against}"
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--documents", type=int, default=2000)
    asked.add_argument("--bytes", type=int, default=50_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--only", nargs="*", choices=sorted(SERVERS), default=sorted(SERVERS))
    given = asked.parse_args()
    gc.freeze()  # as services do
    with any_mongo() as mongo, room(given.only, given.documents, given.bytes) as (source, targets):
        print(f"{given.documents} documents of {given.bytes} bytes, {LANES} at once, {given.rounds} rounds")
        for name, target in targets.items():
            measured(mongo, name, source, target, given.rounds)
        print(f"this process: {psutil.Process().memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    main()
