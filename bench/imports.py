"""Documents a second out of a mailbox and out of a folder, beside `mbsync` and `rclone copy` of the same.

    python bench/imports.py [--mails 2000] [--old 20000] [--files 1000] [--megabytes 300] [--only mailbox]

A size of 0 leaves its part out, and `--only mailbox` or `--only folder` the other half.

Ours: a run over a real store; every document is fetched, opened, hashed, kept in GridFS, written to the
ledger and told of. rclone runs with its pacer off, checks off. Server, store and worker share the machine.
The sizes to reach are 10,000 mails, a mailbox of 500,000, 2,000 files and 1,000 megabytes. CPU is that of
this process.
"""

import argparse
import asyncio
import contextlib
import gc
import imaplib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import uvloop

sys.path[:0] = [str(Path(__file__).parents[1] / each) for each in (".", "tests", "tests/conformance")]

from imapservers import MailServer, dovecot  # noqa: E402 - found by the line above
from mails import a_mail  # noqa: E402 - found by the line above
from run_rig import Platform, Rig, a_place  # noqa: E402 - found by the line above
from servers import NoServer, any_mongo  # noqa: E402 - found by the line above
from subjects import LOOPBACK, Subject, bucket, dav, ssh  # noqa: E402 - found by the line above
from targets import (  # noqa: E402 - found by the line above
    PASSWORD,
    USER,
    Target,
    rclone_s3,
    rclone_sftp,
    rclone_webdav,
)

from providers.egress import Guard  # noqa: E402 - found by the line above
from providers.manifests import CATALOGUE, load  # noqa: E402 - found by the line above
from providers.reach import Reach  # noqa: E402 - found by the line above
from schemas.manifest import Manifest  # noqa: E402 - found by the line above

RCLONE = Path(sys.executable).parent / "rclone"
SIZE = 50_000
SERVERS = (
    ("webdav", rclone_webdav, "/papers/in"),
    ("sftp", rclone_sftp, "/papers/in"),
    ("s3", rclone_s3, "/in"),
)
"""Kind, server, and where the files are for us."""


class Highest:
    """The most memory that this process had, beyond what it had at first, in MB."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.before = self.most = self._process.memory_info().rss

    async def watch(self) -> None:
        while True:
            self.most = max(self.most, self._process.memory_info().rss)
            await asyncio.sleep(0.02)

    @property
    def more(self) -> float:
        return (self.most - self.before) / 1e6


def document(number: int, size: int = SIZE) -> bytes:
    return b"%PDF-1.4\n" + number.to_bytes(8) + os.urandom(size)


def fill(server: MailServer, count: int) -> None:
    """Mails put into the Maildir as files: faster than any APPEND."""
    new = server.folder / "new"
    for folder in ("new", "cur", "tmp"):
        (server.folder / folder).mkdir(exist_ok=True)
    for number in range(count):
        mail = a_mail(number, (f"r{number}.pdf", document(number), "application/pdf"))
        (new / f"{1_700_000_000 + number}.M{number}P1.bench").write_bytes(mail)
    subprocess.run(["chown", "-R", "dovecot:dovecot", str(server.folder)], check=True)


def lay(server: MailServer, count: int) -> None:
    """Very many mails, of few files with many names: a file system bears so many."""
    new, one = server.folder / "new", server.folder / "tmp" / "one"
    for number in range(count):
        if number % 50_000 == 0:
            one.unlink(missing_ok=True)
            one.write_bytes(a_mail(f"old {number}"))
            shutil.chown(one, "dovecot", "dovecot")
        os.link(one, new / f"{1_600_000_000 + number}.M{number}P2.bench")
    client = imaplib.IMAP4(server.host, server.port)  # it takes its time for mails that are all new
    client.login(server.username, server.password)
    client.select()
    client.logout()


@contextlib.contextmanager
def rig_for(
    mongo: str, provider: str | Manifest, credentials: dict[str, Any], lanes: int = 8
) -> Iterator[Rig]:
    manifest = load(CATALOGUE / provider) if isinstance(provider, str) else provider
    manifest = manifest.model_copy(
        update={"limits": manifest.limits.model_copy(update={"concurrency": lanes})}
    )
    platform = Platform()
    place = a_place(mongo, f"bench_{uuid4().hex[:8]}", manifest, credentials, platform.key)
    rig = Rig(place, platform, direction="import")
    try:
        yield rig
    finally:
        rig.client.close()


async def timed(rig: Rig, seconds: float = 900) -> tuple[float, float, float]:
    """A run: seconds, CPU seconds of this process, MB of memory more than before."""
    highest = Highest()
    watching = asyncio.create_task(highest.watch())
    began, cpu = time.perf_counter(), time.process_time()
    await rig.work(seconds)
    took = time.perf_counter() - began, time.process_time() - cpu, highest.more
    watching.cancel()
    return took


def spent(cpu: float, more: float) -> str:
    return f"cpu {cpu:.1f} s   memory +{more:.0f} MB"


def mbsync(server: MailServer, base: Path) -> float:
    """The same mails, by isync, into a Maildir."""
    local = base / "local"
    local.mkdir()
    config = base / "mbsyncrc"
    config.write_text(
        f"IMAPAccount a\nHost {server.host}\nPort {server.port}\nUser {server.username}\n"
        f"Pass {server.password}\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\n"
        f"MaildirStore near\nPath {local}/\nInbox {local}/INBOX\n\n"
        "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull New\nCreate Near\nSyncState *\n"
    )
    began = time.perf_counter()
    subprocess.run(["mbsync", "-q", "-c", str(config), "c"], check=True)
    return time.perf_counter() - began


async def mailbox(mongo: str, base: Path, mails: int, old: int) -> None:
    with dovecot() as server:
        fill(server, mails)
        if mails:
            await first_import(server, mongo, base, mails)
        if old:
            lay(server, old)
            await nothing_new(server, mongo, mails + old)


async def first_import(server: MailServer, mongo: str, base: Path, mails: int) -> None:
    theirs = mbsync(server, base)
    print(f"mbsync, {mails} mails                {mails / theirs:8.0f}/s")
    with rig_for(mongo, "imap", server.credentials) as rig:
        await rig.set_up(mailbox="INBOX")
        took, cpu, more = await timed(rig)
        rows = await rig.rows()
        assert len(rows) == mails, len(rows)
        print(f"paperbus, first import            {mails / took:8.0f}/s   {spent(cpu, more)}")
        print(f"paperbus / mbsync                 {theirs / took:8.2f} x")
        await rig.client.drop_database(rig.place.database)


async def nothing_new(server: MailServer, mongo: str, mails: int) -> None:
    with rig_for(mongo, "imap", server.credentials) as rig:
        await rig.set_up(mailbox="INBOX", since="2037-01-01")  # all of it is older: walked, not brought
        await timed(rig)
        assert (await rig.sync())["cursor"]["next"] > mails, "the mailbox was not walked to its end"
        runs = []
        for _ in range(3):  # for a while after it was filled, Dovecot reads a Maildir anew
            await rig.due()
            runs.append(await timed(rig))
        took, cpu, more = sorted(runs)[1]
        print(f"nothing new among {mails} mails    {took:8.2f} s   {spent(cpu, more)}")
        await rig.client.drop_database(rig.place.database)


async def folder(mongo: str, base: Path, files: int, megabytes: int) -> None:
    place = base / "files"
    (place / "papers" / "in").mkdir(parents=True)
    for number in range(files):
        (place / "papers" / "in" / f"{number}.pdf").write_bytes(document(number))
    (place / "big").mkdir()
    for kind, serve, start in SERVERS if files else ():
        with serve(place) as target:
            subject = await subject_at(kind, target)
            theirs = copied(remote(kind, target), base / f"copied-{kind}")
            print(f"rclone copy, {files} files by {kind:7} {files / theirs:8.0f}/s")
            with rig_for(mongo, subject.manifest, dict(subject.credentials)) as rig:
                await rig.set_up(folder=start)
                took, cpu, more = await timed(rig)
                assert len(await rig.rows()) == files
                print(f"paperbus, {kind:7}                 {files / took:8.0f}/s   {spent(cpu, more)}")
                print(f"paperbus / rclone                 {theirs / took:8.2f} x")
                await rig.client.drop_database(rig.place.database)
    if not megabytes:
        return
    with (place / "big" / "big.pdf").open("wb") as file:
        file.write(b"%PDF-1.4\n")
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    login = {"username": USER, "password": PASSWORD}
    with rclone_webdav(place) as target, rig_for(mongo, "webdav", login | {"url": target.url}) as rig:
        await rig.set_up(folder="/big")
        took, cpu, more = await timed(rig)
        print(
            f"one file of {megabytes} MB                {megabytes / took:8.0f} MB/s   memory +{more:.0f} MB"
        )
        await rig.client.drop_database(rig.place.database)


async def subject_at(kind: str, target: Target) -> Subject:
    if kind != "sftp":
        return (dav if kind == "webdav" else bucket)(target)
    async with Reach(Guard(LOOPBACK)) as reach:
        return await ssh(target, reach)


def remote(kind: str, target: Target) -> str:
    """The folder as rclone names it."""
    hidden = subprocess.run(
        [RCLONE, "obscure", PASSWORD], capture_output=True, text=True, check=True
    ).stdout.strip()
    if kind == "webdav":
        return (
            f':webdav,url="{target.url}",vendor=other,user={USER},pass={hidden},pacer_min_sleep=0:papers/in'
        )
    if kind == "sftp":
        return f":sftp,host={target.host},port={target.port},user={USER},pass={hidden}:papers/in"
    keys = f"access_key_id={USER},secret_access_key={PASSWORD}"
    return f":s3,provider=Rclone,endpoint='{target.url}',{keys},force_path_style=true:papers/in"


def copied(source: str, to: Path) -> float:
    fast = ["--transfers", "8", "--checkers", "8", "--no-check-dest", "--ignore-checksum"]
    command = [str(RCLONE), "copy", source, str(to), "--config", os.devnull, *fast]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


async def measured(mongo: str, base: Path, wanted: argparse.Namespace) -> None:
    if wanted.only != "mailbox":
        await folder(mongo, base, wanted.files, wanted.megabytes)
    if wanted.only == "folder":
        return
    try:
        await mailbox(mongo, base, wanted.mails, wanted.old)
    except NoServer as missing:
        print(missing)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--old", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--only", choices=("mailbox", "folder"))
    with any_mongo() as mongo, tempfile.TemporaryDirectory() as base:
        gc.freeze()  # as the service does
        uvloop.run(measured(mongo, Path(base), parser.parse_args()))


if __name__ == "__main__":
    main()
