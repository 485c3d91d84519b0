"""A worker killed with SIGKILL at steps of a run: every document arrives once, and the ledger agrees.

`make faults` kills at every step, many times (`tests/faults/test_kill_runs.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kill_trial import trial
from run_rig import Rig
from subjects import Subject

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]

PUTTING = [("driver.make_folder.after", 1), ("store.intend.after", 1), ("body.middle", 3)]
PUT = [("driver.put.after", 5), ("driver.find.after", 1)]
ENDING = [("store.record.before", 1), ("store.finish.before", 1)]
REPLACING = [("driver.replace.before", 1), ("driver.replace.after", 1)]


@pytest.mark.parametrize(
    ("clash", "kills"), [("number", PUTTING + PUT), ("skip_same", ENDING), ("replace", REPLACING)]
)
async def test_nothing_is_lost_or_doubled_when_one_worker_after_the_other_is_killed(
    clash: str, kills: list[tuple[str, int]], webdav: Subject, rig_at: Callable[[Subject], Rig]
) -> None:
    fired = await trial(webdav, rig_at, clash, kills)

    assert fired == len(kills)
