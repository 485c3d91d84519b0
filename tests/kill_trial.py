"""One trial of killing: workers that die at given points, one that lives, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

from run_rig import Rig
from subjects import Subject

from providers.content import of_bytes
from providers.egress import Guard
from providers.reach import Reach

POINTS = (
    "store.claim.after",
    "store.take_rows.after",
    "driver.make_folder.before",
    "driver.make_folder.after",
    "store.reached.after",
    "store.intend.before",
    "store.intend.after",
    "driver.put.before",
    "body.middle",
    "driver.put.after",
    "driver.find.after",
    "driver.replace.before",
    "driver.replace.after",
    "store.record.before",
    "store.record.after",
    "store.finish.before",
    "store.finish.after",
)
"""Every step of a run. `find` and `replace` are passed where names are taken."""
LOOPBACK = ["127.0.0.0/8"]


async def trial(
    subject: Subject, rig_at: Callable[[Subject], Rig], clash: str, kills: Sequence[tuple[str, int]]
) -> int:
    """How many of the kills happened; raises AssertionError where something was lost or doubled."""
    rig = rig_at(subject)
    folder = f"/{rig.connection}"
    await rig.set_up(folder=folder, clash=clash)
    files = {f"{rig.connection}-{n}": os.urandom(900) for n in range(12)}
    names = dict(zip(files, ["same.pdf"] * 3 + ["theirs.pdf"], strict=False))
    await rig.receive(files, names)
    before = await _theirs(subject, f"{folder}x" if "make_folder" in kills[0][0] else folder)

    fired = 0
    for point, nth in kills:
        fired += await rig.killed(point, nth)
        await rig.lease_ends()
    await rig.work()

    await _nothing_lost_or_doubled(rig, subject, folder, files, [] if clash == "replace" else before)
    return fired


async def _theirs(subject: Subject, folder: str) -> list[bytes]:
    """A file of somebody else, where one of ours is to go. In a folder that is there before us."""
    if folder.endswith("x"):
        return []
    async with Reach(Guard(LOOPBACK)) as reach, subject.open(reach) as driver:
        await driver.make_folder(folder)
        await driver.put(f"{folder}/theirs.pdf", of_bytes(b"theirs"))
    return [b"theirs"]


async def _nothing_lost_or_doubled(
    rig: Rig, subject: Subject, folder: str, files: dict[str, bytes], theirs: list[bytes]
) -> None:
    rows = {name: row for name, row in (await rig.rows()).items() if name in files}
    there = {
        name: subject.look(name)
        for name in subject.names()
        if name.startswith(folder + "/") and not name.endswith(".part")
    }
    # moto keeps a request whose body never came as an object of 0 bytes; S3 keeps nothing of it
    if subject.keeps_empty:
        there = {name: data for name, data in there.items() if data}
    assert Counter(there.values()) == Counter([*files.values(), *theirs]), "lost or doubled at the target"
    assert {row["status"] for row in rows.values()} == {"done"}
    assert {name: there[row["target"]] for name, row in rows.items()} == files, "the ledger is wrong"
    events = [json.loads(owed["value"]) for owed in (await rig.sync())["owes"]]
    said = Counter(
        document["document_id"]
        for event in events
        if "Exported" in event["type"]
        for document in event["data"]["documents"]
    )
    assert said == Counter(files.keys()), "an event is missing or says something twice"
