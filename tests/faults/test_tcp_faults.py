"""The line to the target breaks in every way that TCP knows, at any byte, under every driver.

A trial is one document, or one connection, that was on its way when the line broke. There are 250 of
them for each server, and each driver has two servers.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from run_rig import Platform, Rig, a_place
from subjects import Subject, bucket, dav, ftp, moto, ssh
from targets import Target

from providers.egress import Guard
from providers.reach import Reach
from tests.faults.tcp import FAULTS, FtpLine, Line, a_line
from tests.faults.trials import SEED, seconds, trials

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(seconds(1200))]
TRIALS = trials(250)
DOCUMENTS = 12
SIZE = 60_000
PATIENCE = 0.8
"""Seconds for a call: what is stalled is given up after these, and the time for its bytes (1.2 s)."""
MOST_ROUNDS = 8
MOST_TURNS = 60
"""Runs until each fault has fired, where the trials are few: not every byte to break at is ever reached."""
OPENINGS = [
    "rclone_webdav",
    "wsgidav",
    "rclone_sftp",
    "openssh",
    "rclone_s3",
    "moto_s3",
    "rclone_ftp",
    "vsftpd",
]


async def subject_of(name: str, target: Target) -> Subject:
    """What is at a server of `targets`, by its name."""
    match name:
        case "rclone_webdav":
            return dav(target, create_only=True)
        case "wsgidav":
            return dav(target)
        case "rclone_sftp" | "openssh":
            async with Reach(Guard(["127.0.0.0/8"])) as reach:
                return await ssh(target, reach)
        case "rclone_s3":
            (target.folder / "papers").mkdir(exist_ok=True)
            return bucket(target)
        case "rclone_ftp" | "vsftpd":
            return ftp(target)
        case _:
            return moto(target)


@pytest.fixture(params=OPENINGS)
async def subject(request: pytest.FixtureRequest) -> Subject:
    return await subject_of(request.param, request.getfixturevalue(request.param))


@pytest.fixture
async def line(subject: Subject) -> AsyncIterator[Line]:
    assert subject.server is not None
    kind = FtpLine if subject.manifest.driver.kind == "ftp" else Line
    async with a_line(subject.server.port, kind) as line:
        yield line


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().serving() as platform:
        yield platform


Rigged = Callable[[], Rig]


@pytest.fixture
def rig_of(subject: Subject, line: Line, platform: Platform, mongo: str, fresh_database: str) -> Rigged:
    def rigged() -> Rig:
        credentials = subject.at("127.0.0.1", line.port)
        place = a_place(mongo, fresh_database, subject.manifest, credentials, platform.key)
        return Rig(replace(place, patience=PATIENCE), platform)

    return rigged


async def trial(rig: Rig, line: Line, fault: str, dice: random.Random) -> int:
    """A run over a line that breaks, and all that follows from it; how many documents were on their way."""
    folder = f"/{rig.connection}"
    await rig.set_up(folder=folder, clash=dice.choice(["number", "skip_same", "replace"]))
    files = {f"{rig.connection}-{n}": dice.randbytes(SIZE) for n in range(DOCUMENTS)}
    await rig.receive(files, dict.fromkeys(list(files)[:3], "same.pdf"))
    line.breaks(fault, dice.choice([1, dice.randrange(3_000), dice.randrange(4 * SIZE)]), dice.randint(1, 8))

    for round_ in range(MOST_ROUNDS):
        await rig.work(60)
        if await _done(rig) == DOCUMENTS:
            break
        await rig.lease_ends()
        if round_ >= MOST_ROUNDS // 2:  # what the minute before a next try is for, which nobody waits here
            line.holds()
            await line.is_quiet()
    return await _tried_again(rig)


async def _done(rig: Rig) -> int:
    found = {"connection": rig.connection, "status": "done"}
    return int(await rig.database["ledger"].count_documents(found))


async def _tried_again(rig: Rig) -> int:
    rows = rig.database["ledger"].find({"connection": rig.connection})
    return sum([row["attempts"] - 1 async for row in rows])


async def nothing_lost_or_doubled(rig: Rig, subject: Subject) -> None:
    """Each document once at the target, where the ledger says, and told of once."""
    rows = {row["document"]: row async for row in rig.database["ledger"].find({"connection": rig.connection})}
    files = {name: rig.platform.files[name] for name in rows}
    below = f"/{rig.connection}/"
    names = {name for name in subject.names() if name.startswith(below) and not name.endswith(".part")}
    there = {name: subject.look(name) for name in names}
    # moto keeps a request whose body never came as an object of 0 bytes; S3 keeps nothing of it
    if subject.keeps_empty:
        there = {name: data for name, data in there.items() if data}

    undone = [
        (row["status"], row["attempts"], row.get("reason"), row.get("message"))
        for row in rows.values()
        if row["status"] != "done"
    ]
    assert not undone
    strays = {
        name: (len(data or b""), [row["attempts"] for row in rows.values() if row["target"] == name])
        for name, data in there.items()
        if list(there.values()).count(data) != list(files.values()).count(data)
    }
    lost = [rows[name] for name, data in files.items() if data not in there.values()]
    assert (strays, lost) == ({}, []), "doubled, or lost, at the target"
    assert all(there[row["target"]] == files[name] for name, row in rows.items()), "the ledger is wrong"
    assert await _told(rig) == Counter(files.keys()), "an event is missing or says something twice"


async def _told(rig: Rig) -> Counter[str]:
    events: list[dict[str, Any]] = [json.loads(owed["value"]) for owed in (await rig.sync())["owes"]]
    return Counter(
        document["document_id"]
        for event in events
        if "Exported" in event["type"]
        for document in event["data"]["documents"]
        if document["status"] == "done"
    )


async def test_a_line_that_breaks_loses_and_doubles_no_document(
    subject: Subject, line: Line, rig_of: Rigged
) -> None:
    dice = random.Random(SEED)
    hit = Counter[str]()
    number = 0
    while sum(hit.values()) < TRIALS or (number < MOST_TURNS and not all(hit[each] for each in FAULTS)):
        fault = FAULTS[number % len(FAULTS)]
        number += 1
        rig = rig_of()
        before = line.fired
        try:
            again = await trial(rig, line, fault, dice)
            await nothing_lost_or_doubled(rig, subject)
        except (AssertionError, TimeoutError) as wrong:
            told = f"trial {number}, {fault} after {line.after} bytes: {wrong!r}"
            raise AssertionError(told) from wrong
        finally:
            rig.client.close()
        hit[fault] += max(again, line.fired - before)
    assert all(hit[fault] for fault in FAULTS), f"a fault that never fired proves nothing: {hit}"
