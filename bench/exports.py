"""Documents a second from a platform into a WebDAV server, end to end, beside `rclone copy` of the same.

    python bench/exports.py [--documents 3000] [--bytes 50000]

Ours: a run over a real store; each document is fetched over HTTP, checked, intended, recorded. rclone: from
a local folder, checks off, its pacer off. Client, platform, store and target share the machine. Memory
is that of the worker's process, which here serves the documents too.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psutil

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from run_rig import Platform, Rig, a_place  # noqa: E402 - found by the line above
from servers import any_mongo  # noqa: E402 - found by the line above
from subjects import dav  # noqa: E402 - found by the line above
from targets import PASSWORD, USER, rclone_webdav  # noqa: E402 - found by the line above

RCLONE = Path(sys.executable).parent / "rclone"
LANES = 16


def rss() -> float:
    """Megabytes of this process."""
    return psutil.Process().memory_info().rss / 1e6


async def ours(mongo: str, folder: Path, count: int, size: int, *, atomic: bool) -> None:
    """One run; prints documents a second and how memory went."""
    with rclone_webdav(folder) as target:
        subject = dav(target, atomic_put=atomic)
        shared = os.urandom(size)
        async with Platform().serving() as platform:
            manifest = subject.manifest.model_copy(
                update={"limits": subject.manifest.limits.model_copy(update={"concurrency": LANES})}
            )
            place = a_place(mongo, f"bench_{uuid4().hex[:8]}", manifest, subject.credentials, platform.key)
            rig = await Rig(place, platform).set_up(folder="/in")
            await rig.receive({f"d{number}": shared for number in range(count)})
            before, started = rss(), time.perf_counter()
            await rig.work(600)
            seconds = time.perf_counter() - started
            statuses = {row["status"] for row in (await rig.rows()).values()}
            assert statuses == {"done"}, statuses
            name = "paperbus, one PUT" if atomic else "paperbus, put beside and moved"
            print(f"{name:32} {count / seconds:8.0f}/s   memory {before:.0f} -> {rss():.0f} MB")
            await rig.client.drop_database(place.database)
            rig.client.close()


def rclone(folder: Path, source: Path, count: int) -> None:
    """The peer: the same number of files, the same server, as many at once."""
    with rclone_webdav(folder) as target:
        secret = subprocess.run([RCLONE, "obscure", PASSWORD], check=True, capture_output=True, text=True)
        remote = f":webdav,url='{target.url}',user={USER},pass={secret.stdout.strip()},pacer_min_sleep=0:in"
        command = [RCLONE, "copy", str(source), remote, "--transfers", str(LANES), "--checkers", str(LANES)]
        options = ["--no-check-dest", "--ignore-checksum", "--config", os.devnull]
        started = time.perf_counter()
        subprocess.run([*command, *options], check=True)
        print(f"{'rclone copy, pacer off':32} {count / (time.perf_counter() - started):8.0f}/s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--bytes", type=int, default=50_000)
    asked = parser.parse_args()
    with any_mongo() as mongo, tempfile.TemporaryDirectory(prefix="paperbus-bench-") as room:
        for name, atomic in (("beside", False), ("atomic", True)):
            folder = Path(room) / name / "files"
            folder.mkdir(parents=True)
            asyncio.run(ours(mongo, folder, asked.documents, asked.bytes, atomic=atomic))
        source, folder = Path(room) / "source", Path(room) / "rclone" / "files"
        source.mkdir()
        folder.mkdir(parents=True)
        data = os.urandom(asked.bytes)
        for number in range(asked.documents):
            (source / f"d{number}.pdf").write_bytes(data)
        rclone(folder, source, asked.documents)


if __name__ == "__main__":
    main()
