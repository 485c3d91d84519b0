"""Workers of imports killed with SIGKILL at every step, again and again: `FAULT_TRIALS` times, or 60.

A trial is one document in flight at a kill: not yet told of, or still to be put away at the source.
Nothing is lost, nothing is told of twice, and at no moment is anything gone from its place at the source that
no durable event tells of.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from mails import pdf
from run_rig import Platform, Rig, a_place
from targets import Target, wsgidav

from providers.manifests import CATALOGUE, load
from tests.faults.importing import POINTS, digest, one_trial, told

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(3600)]
KILLED = int(os.environ.get("FAULT_TRIALS", "60"))
"""Imports whose worker is killed, once to three times each."""
FILES = 7
EACH = 4
"""Trials for each import at the least, taken all together: 240 where 60 are killed."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("source") / "files"
    folder.mkdir()
    with wsgidav(folder) as target:
        yield target


async def trial(rig: Rig, folder: Path, kills: list[tuple[str, int]], afterwards: str) -> list[int]:
    """The documents in flight at each kill that happened; raises AssertionError for a broken promise."""
    files = {f"{n}.pdf": pdf(f"{rig.connection} {n}") for n in range(FILES)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    words = {"delete_words": "delete"} if afterwards == "delete" else {"move_to": "/Done"}
    await rig.set_up(folder="/", afterwards=afterwards, **words)

    in_flight = []
    for point, nth in kills:
        killed = await rig.killed(point, nth)
        announced = await told(rig)
        gone = [name for name in files if not (folder / name).exists()]
        early = [name for name in gone if not announced[digest(files[name])]]
        if killed:
            in_flight.append(FILES - sum(announced[digest(files[name])] for name in gone))
        assert not early, f"{early} left their place before anything told of them"
        await rig.lease_ends()
    await rig.work()

    rows = await rig.rows()
    assert await told(rig) == Counter({digest(data): 1 for data in files.values()}), "lost or told of twice"
    assert {row["status"] for row in rows.values()} == {"done"}
    kept = {file["_id"] async for file in rig.database["content.files"].find()}
    assert {row["content"] for row in rows.values()} <= kept, "bytes are missing"
    assert not any((folder / name).exists() for name in files), "not settled"
    done = folder / "Done"
    moved = Counter(each.read_bytes() for each in done.iterdir()) if done.exists() else Counter()
    assert moved == (Counter(files.values()) if afterwards == "move" else Counter()), "lost or doubled there"
    return in_flight


@pytest.mark.parametrize("seed", [1])
async def test_no_kill_loses_doubles_or_settles_a_document_too_early(
    seed: int, source: Target, mongo: str, fresh_database: str
) -> None:
    dice = random.Random(seed)
    manifest = load(CATALOGUE / "webdav")
    fired, trials = Counter[str](), 0
    for number in range(KILLED):
        point = POINTS[number % len(POINTS)]
        folder = source.folder / f"trial-{number}"
        folder.mkdir()
        login = {"username": source.username, "password": source.password}
        platform = Platform()
        place = a_place(
            mongo, fresh_database, manifest, {"url": f"{source.url}{folder.name}", **login}, platform.key
        )
        rig = Rig(place, platform, direction="import")
        kills = [(point, 1)]
        kills += [(dice.choice(POINTS), dice.randint(1, 4)) for _ in range(dice.randint(0, 2))]
        afterwards = dice.choice(["move", "delete"])
        async with one_trial(rig, f"trial {number}, {afterwards}, {kills}"):
            in_flight = await trial(rig, folder, kills, afterwards)
        fired[point] += bool(in_flight)
        trials += sum(in_flight)
    assert set(fired) == set(POINTS[:KILLED])
    assert sum(fired.values()) == KILLED, f"a kill that never happened proves nothing: {fired}"
    assert trials >= EACH * KILLED, f"only {trials} documents were in flight"
