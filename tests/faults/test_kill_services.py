"""Each service killed with SIGKILL at every named point of onboarding and of a run, under load.

A trial is a connection that was on its way when a service died; several share a kill.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from running import Running
from targets import Target

from tests.faults.crowd import Crowd
from tests.faults.mortal import POINTS
from tests.faults.trials import SEED, rounds, seconds

pytestmark = [pytest.mark.faults, pytest.mark.timeout(seconds(1800))]
TRIALS = 200
ROUNDS = rounds(TRIALS)
SECONDS = 120
MORTAL = str(Path(__file__).with_name("mortal.py"))
LOGO = Path(__file__).parents[2] / "providers/catalogue/webdav/logo.svg"
ORDER = ("connections", "sync-runner", "catalog")
MANIFEST = """
id: edited
extends: webdav
name: Edited {number}
summary: Its file is edited while the catalog dies.
categories: [storage]
directions: [export]
"""


def in_turn() -> list[tuple[str, str]]:
    """Every point of every service, one service after the other, so that each has time to come back."""
    lists = [[(service, point) for point in POINTS[service]] for service in ORDER]
    longest = max(map(len, lists))
    return [points[number] for number in range(longest) for points in lists if number < len(points)]


def test_a_service_killed_at_any_point_loses_and_doubles_nothing(services: Running, webdav: Target) -> None:
    dice = random.Random(SEED)
    crowd = Crowd(services, webdav)
    trials = 0
    with crowd.walking_about():
        for service, point in in_turn() * ROUNDS:
            nth = 1 if service == "catalog" else dice.randint(1, 4)
            trials += _killed_at(services, crowd, service, point, nth)
            crowd.is_well()

    assert trials >= TRIALS * ROUNDS
    assert sum(walker.interrupted for walker in crowd.ended), "no login was ever interrupted"


def _killed_at(services: Running, crowd: Crowd, service: str, point: str, nth: int) -> int:
    """Let it die there, and start it again; how many connections were on their way."""
    services.kill(service)
    services.start(service, (MORTAL, point, str(nth), "kill"))
    if service == "catalog":
        services.ready(service)
        edit(Path(services.environment["PAPERBUS_PROVIDERS"]), str(uuid.uuid4()))
    try:
        code = services.processes[service].wait(SECONDS)
    except subprocess.TimeoutExpired:
        crowd.is_well()
        raise AssertionError(f"{service} never came to {point!r}") from None
    assert code == -9, f"{service} ended with {code}: {services.log(service)[-2000:]}"
    on_their_way = len(crowd.walking)
    services.start(service)
    services.ready(service)
    return on_their_way


def edit(providers: Path, said: str) -> None:
    """Change what the catalog has to publish."""
    folder = providers / "edited"
    folder.mkdir(exist_ok=True)
    shutil.copy(LOGO, folder / "logo.svg")
    (folder / "manifest.yaml").write_text(MANIFEST.format(number=said))
