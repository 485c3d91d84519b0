"""Uploads: our drivers beside rclone, in turn, at the same servers; then one large file through each.

    python bench/drivers.py [--files 2000] [--rounds 5] [--only webdav sftp ftp s3] [--large 1000]

Many files of 50 KB: files a second of the median round, and milliseconds of the client's processor for a
file, which says more where others use the machine too. rclone runs as one uses it, its pacer off, checks off,
as many transfers as we have puts at once. `webdav` writes beside and moves; `webdav (atomic_put)` writes one
request; `s3` looks first, `s3 (conditional)` does not. Client and server share the machine.

The large file: megabytes a second beside the fastest of rclone and a bare client that neither hashes nor
checks, and how much the process grew meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil
import uvloop

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from subjects import LOOPBACK, manifest  # noqa: E402 - the suite's own servers are found by the line above
from targets import Target, rclone_ftp, rclone_s3, rclone_sftp, rclone_webdav  # noqa: E402 - as above

from providers.content import Body, of_bytes  # noqa: E402 - as above
from providers.drivers import Driver, introduce, open_driver  # noqa: E402 - as above
from providers.egress import Guard  # noqa: E402 - as above
from providers.reach import Reach  # noqa: E402 - as above

BODY = of_bytes(os.urandom(50_000), "application/pdf")
AT_ONCE = 16
RCLONE = Path(sys.executable).parent / "rclone"
MEGABYTE = 1_000_000
SERVERS = {"webdav": rclone_webdav, "sftp": rclone_sftp, "ftp": rclone_ftp, "s3": rclone_s3}


@dataclass(frozen=True)
class Way:
    """One of our drivers, as it is set up."""

    server: str
    kind: str
    settings: dict[str, Any]


WAYS = {
    "webdav (atomic_put)": Way("webdav", "webdav", {"atomic_put": True}),
    "webdav": Way("webdav", "webdav", {}),
    "sftp": Way("sftp", "sftp", {}),
    "ftp": Way("ftp", "ftp", {"security": "none"}),
    "s3 (conditional)": Way("s3", "object", {"conditional": True}),
    "s3": Way("s3", "object", {}),
}


@dataclass(frozen=True)
class Figure:
    """One round: files (or megabytes) a second, and the client's processor for one, in milliseconds."""

    a_second: float
    processor: float


async def at_open(way: Way, target: Target, work: Callable[[Driver], Awaitable[None]]) -> None:
    """`work` at the open driver."""
    spec = manifest(way.kind, **way.settings)
    spec = spec.model_copy(update={"limits": spec.limits.model_copy(update={"concurrency": AT_ONCE})})
    login = {
        "url": target.url,
        "host": target.host,
        "port": target.port,
        "endpoint": target.url,
        "bucket": "papers",
        "username": target.username,
        "password": target.password,
        "access_key_id": target.username,
        "secret_access_key": target.password,
    }
    async with Reach(Guard(LOOPBACK)) as reach:
        met = await introduce(spec, login, reach)
        async with open_driver(spec, {**login, **(met.pins if met else {})}, {}, reach) as driver:
            await work(driver)


def ours(way: Way, target: Target, count: int) -> Figure:
    """Many small files, as a run puts them: on uvloop, what is imported out of garbage collection."""

    async def work(driver: Driver) -> None:
        folder, numbers = f"/{uuid4().hex}", iter(range(1, count))
        await driver.make_folder(folder)
        # Alone: rclone's S3 server now and then answers 500 where several make one folder at once.
        await driver.put(f"{folder}/0.pdf", BODY)

        async def lane() -> None:
            for number in numbers:
                await driver.put(f"{folder}/{number}.pdf", BODY)

        await asyncio.gather(*(lane() for _ in range(AT_ONCE)))

    processor, began = time.process_time(), time.perf_counter()
    uvloop.run(at_open(way, target, work))
    return Figure(count / (time.perf_counter() - began), (time.process_time() - processor) / count * 1000)


def remote(server: str, target: Target) -> str:
    """How rclone calls a new folder at the server."""
    done = subprocess.run([RCLONE, "obscure", target.password], capture_output=True, text=True, check=True)
    secret, new = done.stdout.strip(), uuid4().hex
    login = f"user={target.username},pass='{secret}'"
    return {
        "webdav": f":webdav,url='{target.url}',{login},pacer_min_sleep=0:{new}",
        "sftp": f":sftp,host={target.host},port={target.port},{login}:{new}",
        "ftp": f":ftp,host={target.host},port={target.port},{login},concurrency=0:{new}",
        "s3": f":s3,provider=Rclone,endpoint='{target.url}',access_key_id={target.username},"
        f"secret_access_key='{target.password}':papers/{new}",
    }[server]


def rclones(server: str, target: Target, source: Path, count: int) -> Figure:
    """The whole process, as one uses it."""
    fast = ["--transfers", str(AT_ONCE), "--checkers", str(AT_ONCE), "--no-check-dest", "--ignore-checksum"]
    command = [str(RCLONE), "copy", str(source), remote(server, target), "--config", os.devnull, *fast]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(count / seconds, used / count * 1000)


@contextmanager
def targets(names: list[str]) -> Iterator[dict[str, Target]]:
    """The servers, their files in memory where the system has such a place."""
    room = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - what is measured is no disk
    with ExitStack() as stack:
        made = {}
        for name in names:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=room))) / "files"
            (folder / "papers").mkdir(parents=True)
            made[name] = stack.enter_context(SERVERS[name](folder))
        yield made


def small_files(names: list[str], count: int, rounds: int) -> None:
    """Every way once a round, in turn, so that all meet the same weather."""
    figures: dict[str, list[Figure]] = {}
    ways = {name: way for name, way in WAYS.items() if way.server in names}
    with targets(names) as at, tempfile.TemporaryDirectory() as source:
        for number in range(count):
            (Path(source) / f"{number}.pdf").write_bytes(os.urandom(50_000))
        for _ in range(rounds):
            for name, way in ways.items():
                figures.setdefault(name, []).append(ours(way, at[way.server], count))
                emptied(at[way.server])
            for server in names:
                figures.setdefault(f"{server}: rclone", []).append(
                    rclones(server, at[server], Path(source), count)
                )
                emptied(at[server])
    print(f"{count} files of 50 KB, {AT_ONCE} at once, median of {rounds} rounds (least to most)")
    for name in sorted(figures):
        seconds = [figure.a_second for figure in figures[name]]
        processor = statistics.median(figure.processor for figure in figures[name])
        peer = figures.get(f"{WAYS[name].server}: rclone") if name in WAYS else None
        times = statistics.median(seconds) / statistics.median(f.a_second for f in peer) if peer else None
        spread = f"({min(seconds):,.0f} to {max(seconds):,.0f})"
        beside = f"  {times:5.2f} x rclone" if times else ""
        print(
            f"{name:22} {statistics.median(seconds):8,.0f} files/s {spread:18}"
            f" {processor:6.2f} ms of processor a file{beside}"
        )


def emptied(target: Target) -> None:
    """Away with what was written: the next round has as much room."""
    for each in target.folder.iterdir():
        for below in [each] if each.name != "papers" else list(each.iterdir()):
            shutil.rmtree(below) if below.is_dir() else below.unlink()


def large_body(megabytes: int) -> Body:
    """So many megabytes, made as they are sent."""
    piece, digest = os.urandom(MEGABYTE), hashlib.sha256()
    for _ in range(megabytes):
        digest.update(piece)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(megabytes):
            for at in range(0, MEGABYTE, 65_536):
                yield piece[at : at + 65_536]

    return Body(MEGABYTE * megabytes, digest.hexdigest(), "application/pdf", pieces)


def large_file(names: list[str], megabytes: int) -> None:
    """One large file through each, beside what the server takes from others."""
    body = large_body(megabytes)
    print(f"\none file of {megabytes} MB")
    with targets(names) as at, tempfile.TemporaryDirectory() as source:
        with (Path(source) / "large.pdf").open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(MEGABYTE))
        for name, way in WAYS.items():
            if way.server not in names:
                continue
            target = at[way.server]
            limit = rclones(way.server, target, Path(source), megabytes).a_second
            emptied(target)
            if way.server == "webdav":
                limit = max(limit, bare_put(target, megabytes))
                emptied(target)
            speed, grown = one_large(way, target, body, megabytes)
            emptied(target)
            print(
                f"{name:22} {speed:7,.0f} MB/s of {limit:7,.0f}: {speed / limit:4.2f} x"
                f"  {grown:+6.1f} MB of memory"
            )


def one_large(way: Way, target: Target, body: Body, megabytes: int) -> tuple[float, float]:
    """Megabytes a second, and how many megabytes the process grew at most."""
    grown = [0.0]

    async def work(driver: Driver) -> None:
        gc.collect()
        idle = psutil.Process().memory_info().rss

        async def watch() -> None:
            while True:
                grown[0] = max(grown[0], (psutil.Process().memory_info().rss - idle) / MEGABYTE)
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        try:
            await driver.put(f"/{uuid4().hex}.pdf", body)
        finally:
            watching.cancel()

    began = time.perf_counter()
    uvloop.run(at_open(way, target, work))
    return megabytes / (time.perf_counter() - began), grown[0]


def bare_put(target: Target, megabytes: int) -> float:
    """What the server takes by one PUT of a client that does nothing else."""
    piece = os.urandom(MEGABYTE)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(megabytes):
            yield piece

    async def put() -> None:
        login = {"Authorization": aiohttp.encode_basic_auth(target.username, target.password)}
        async with (
            aiohttp.ClientSession(headers=login, timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.put(f"{target.url}bare.pdf", data=pieces()) as answer,
        ):
            answer.raise_for_status()

    began = time.perf_counter()
    uvloop.run(put())
    return megabytes / (time.perf_counter() - began)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--files", type=int, default=2000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--large", type=int, default=1000)
    asked.add_argument("--only", nargs="*", choices=sorted(SERVERS), default=sorted(SERVERS))
    given = asked.parse_args()
    gc.freeze()  # as services do
    if given.files:
        small_files(given.only, given.files, given.rounds)
    if given.large:
        large_file(given.only, given.large)


if __name__ == "__main__":
    main()
