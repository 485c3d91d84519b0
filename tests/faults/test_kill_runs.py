"""Workers killed with SIGKILL at every step of a run, again and again.

Each trial kills one to three workers: the first at a step in turn, the others where and when chance says.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kill_trial import POINTS, trial
from run_rig import Platform, Rig, a_place
from subjects import Subject, dav
from targets import rclone_webdav

from tests.faults.test_tcp_faults import OPENINGS, subject_of
from tests.faults.trials import SEED, seconds, trials

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(seconds(1800))]
TRIALS = trials(60)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().serving() as platform:
        yield platform


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Subject]:
    folder = tmp_path / "files"
    folder.mkdir()
    with rclone_webdav(folder) as target:
        yield dav(target)


async def test_no_kill_loses_or_doubles_a_document(
    webdav: Subject, platform: Platform, mongo: str, fresh_database: str
) -> None:
    dice = random.Random(SEED)
    fired = Counter[str]()
    for number in range(TRIALS):
        point = POINTS[number % len(POINTS)]
        clash = "replace" if "replace" in point else dice.choice(["number", "skip_same", "replace"])
        kills = [(point, 1)]
        kills += [(dice.choice(POINTS), dice.randint(1, 4)) for _ in range(dice.randint(0, 2))]
        rigs: list[Rig] = []

        def rig_at(subject: Subject, rigs: list[Rig] = rigs) -> Rig:
            place = a_place(mongo, fresh_database, subject.manifest, subject.credentials, platform.key)
            rigs.append(Rig(place, platform))
            return rigs[-1]

        try:
            fired[point] += bool(await trial(webdav, rig_at, clash, kills))
        except AssertionError as wrong:
            raise AssertionError(f"trial {number}, {clash}, {kills}: {wrong}") from wrong
        finally:
            for rig in rigs:
                rig.client.close()
    assert set(fired) == set(POINTS[:TRIALS])
    assert sum(fired.values()) == TRIALS, f"a kill that never happened proves nothing: {fired}"


@pytest.mark.parametrize("server", OPENINGS)
async def test_what_was_put_and_not_yet_written_down_goes_once_at_every_server(
    server: str, request: pytest.FixtureRequest, platform: Platform, mongo: str, fresh_database: str
) -> None:
    subject = await subject_of(server, request.getfixturevalue(server))
    place = a_place(mongo, fresh_database, subject.manifest, subject.credentials, platform.key)
    rig = Rig(place, platform)

    fired = await trial(
        subject, lambda _: rig, "number", [("driver.put.after", 3), ("store.record.before", 1)]
    )

    assert fired == 2
    rig.client.close()
