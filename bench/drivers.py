"""Uploads a second: our drivers beside bare aiohttp, bare asyncssh and rclone, in the same run.

    python bench/drivers.py [--files 1000] [--rounds 3]

Client and server share the machine. Bare peers write one request a file. `webdav` writes beside, then moves;
`webdav (atomic_put)` writes one as well; `s3` looks first, `s3 (conditional)` does not.
rclone's pacer is off.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncssh

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from subjects import LOOPBACK, manifest  # noqa: E402 - the suite's own servers are found by the line above
from targets import Target, rclone_s3, rclone_sftp, rclone_webdav  # noqa: E402 - the suite's own servers are found by the line above

from providers.content import of_bytes  # noqa: E402 - the suite's own servers are found by the line above
from providers.drivers import introduce, open_driver  # noqa: E402 - the suite's own servers are found by the line above
from providers.egress import Guard  # noqa: E402 - the suite's own servers are found by the line above
from providers.reach import Reach  # noqa: E402 - the suite's own servers are found by the line above

BODY = of_bytes(os.urandom(50_000), "application/pdf")
AT_ONCE = 16
RCLONE = Path(sys.executable).parent / "rclone"


async def at_once(count: int, one: Callable[[int], Awaitable[object]]) -> float:
    """Files a second."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - started)


async def driver(kind: str, credentials: dict[str, object], count: int, **settings: object) -> float:
    spec, folder = manifest(kind, **settings), f"/{uuid4().hex}"
    async with Reach(Guard(LOOPBACK)) as reach:
        met = await introduce(spec, credentials, reach)
        async with open_driver(spec, {**credentials, **(met.pins if met else {})}, {}, reach) as it:
            await it.make_folder(folder)
            return await at_once(count, lambda number: it.put(f"{folder}/{number}.pdf", BODY))


async def bare_aiohttp(target: Target, count: int) -> float:
    data = b"".join([chunk async for chunk in BODY.stream()])
    folder = f"{target.url}{uuid4().hex}"
    login = {"Authorization": aiohttp.encode_basic_auth(target.username, target.password)}
    async with aiohttp.ClientSession(headers=login) as session:
        await session.request("MKCOL", f"{folder}/")

        async def one(number: int) -> None:
            async with session.put(f"{folder}/{number}.pdf", data=data) as answer:
                answer.raise_for_status()

        return await at_once(count, one)


async def bare_asyncssh(target: Target, count: int) -> float:
    data = b"".join([chunk async for chunk in BODY.stream()])
    folder = uuid4().hex
    async with asyncssh.connect(
        target.host, target.port, username=target.username, password=target.password, known_hosts=None
    ) as ssh:
        sftp = await ssh.start_sftp_client()
        await sftp.mkdir(folder)

        async def one(number: int) -> None:
            async with sftp.open(f"{folder}/{number}.pdf", "wb") as file:
                await file.write(data)

        return await at_once(count, one)


def rclone(source: Path, count: int, *remote: str) -> float:
    """The whole process, as one uses it."""
    command = [str(RCLONE), "copy", str(source), *remote, "--config", os.devnull, "--transfers", str(AT_ONCE)]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return count / (time.perf_counter() - started)


@contextmanager
def targets() -> Iterator[dict[str, Target]]:
    with ExitStack() as stack:
        made = {}
        for name, serve in (("webdav", rclone_webdav), ("sftp", rclone_sftp), ("s3", rclone_s3)):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "files"
            (folder / "papers").mkdir(parents=True)
            made[name] = stack.enter_context(serve(folder))
        yield made


def rounds(count: int, most: int) -> dict[str, list[float]]:
    """Every way once a round, in turn, so that all meet the same weather."""
    figures: dict[str, list[float]] = {}
    with targets() as at, tempfile.TemporaryDirectory() as source:
        files(Path(source), count)
        dav, ssh, s3 = at["webdav"], at["sftp"], at["s3"]
        login = {"username": dav.username, "password": dav.password}
        hidden = subprocess.run([RCLONE, "obscure", dav.password], capture_output=True, text=True, check=True)
        secret = hidden.stdout.strip()
        bucket = {
            "endpoint": s3.url,
            "bucket": "papers",
            "access_key_id": s3.username,
            "secret_access_key": s3.password,
        }
        host = {"host": ssh.host, "port": ssh.port}
        ways: dict[str, Callable[[], float]] = {
            "webdav: bare aiohttp": lambda: asyncio.run(bare_aiohttp(dav, count)),
            "webdav (atomic_put)": lambda: asyncio.run(
                driver("webdav", {"url": dav.url, **login}, count, atomic_put=True)
            ),
            "webdav": lambda: asyncio.run(driver("webdav", {"url": dav.url, **login}, count)),
            "webdav: rclone": lambda: rclone(
                Path(source),
                count,
                f":webdav,url='{dav.url}',user={dav.username},pass='{secret}',pacer_min_sleep=0:{uuid4().hex}",
            ),
            "sftp: bare asyncssh": lambda: asyncio.run(bare_asyncssh(ssh, count)),
            "sftp": lambda: asyncio.run(driver("sftp", {**host, **login}, count)),
            "sftp: rclone": lambda: rclone(
                Path(source),
                count,
                f":sftp,host={ssh.host},port={ssh.port},user={ssh.username},pass='{secret}':{uuid4().hex}",
            ),
            "s3 (conditional)": lambda: asyncio.run(driver("object", dict(bucket), count, conditional=True)),
            "s3": lambda: asyncio.run(driver("object", dict(bucket), count)),
            "s3: rclone": lambda: rclone(
                Path(source),
                count,
                f":s3,provider=Rclone,endpoint='{s3.url}',access_key_id={s3.username},"
                f"secret_access_key='{s3.password}':papers/{uuid4().hex}",
            ),
        }
        for _ in range(most):
            for name, way in ways.items():
                figures.setdefault(name, []).append(way())
    return figures


def files(folder: Path, count: int) -> None:
    data = os.urandom(50_000)
    for number in range(count):
        (folder / f"{number}.pdf").write_bytes(data)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--files", type=int, default=1000)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    print(f"{given.files} files of 50 KB, {AT_ONCE} at once, median of {given.rounds} rounds (least to most)")
    for name, all_of_them in rounds(given.files, given.rounds).items():
        middle = statistics.median(all_of_them)
        print(f"{name:24} {middle:8,.0f} files/s   ({min(all_of_them):,.0f} to {max(all_of_them):,.0f})")


if __name__ == "__main__":
    main()
