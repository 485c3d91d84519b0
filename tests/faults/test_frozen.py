"""Two of each service at once; one of each is frozen beyond its leases at its worst moment, and wakes.

Its late writes are refused, and nothing is lost or doubled. That they were tried, its log proves.
"""

from __future__ import annotations

import re
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from running import Running
from targets import Target

from tests.faults.crowd import Crowd
from tests.faults.test_kill_services import MORTAL, edit

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]
WORST = {
    "catalog": "owed, not published",
    "connections": "after the provider was asked",
    "sync-runner": "put, not recorded",
}
"""What each has begun, and has still to write, when it freezes."""
PATIENCE = 300.0
"""Seconds: every lease is 30, and whoever takes over looks every second."""


@pytest.fixture
def others(services: Running) -> Iterator[Running]:
    """A second replica of each service."""
    others = services.replica("127.0.0.9")
    try:
        for name in WORST:
            others.start(name)
        for name in WORST:
            others.ready(name)
        yield others
    finally:
        for process in others.processes.values():
            process.send_signal(signal.SIGCONT)
        others.stop()


def test_who_was_frozen_beyond_its_lease_writes_nothing_late(
    services: Running, others: Running, webdav: Target
) -> None:
    providers = Path(services.environment["PAPERBUS_PROVIDERS"])
    crowd = Crowd(services, webdav)
    with crowd.walking_about():
        time.sleep(3)
        for name, point in WORST.items():
            others.kill(name)
            others.start(name, (MORTAL, point, "1", "stop"))
        # One replica of the catalog publishes: the other one is to, until it freezes.
        services.end("catalog")
        _until_frozen(others, crowd, providers)
        services.start("catalog")
        services.ready("catalog")
        _until_taken_over(crowd, providers)
        for name in WORST:
            services.ready(name)
            others.processes[name].send_signal(signal.SIGCONT)
        for name in WORST:
            _until_written(others, name)
            others.ready(name)
        time.sleep(3)

    assert len(crowd.ended) > crowd.size
    _, answer = _late(others, "sync-runner")[0]
    lost = "another worker has the run" in others.log("sync-runner")
    assert (answer == "CancelledError" and lost) or int(answer) > 0, f"a late result counted: {answer}"
    tried, answered = _late(others, "connections")[0]
    assert tried != answered, "the outcome of a try counted after its lease"
    assert "Fenced" in others.log("catalog"), "the late event of a compacted topic was published"


def _until_frozen(others: Running, crowd: Crowd, providers: Path) -> None:
    """Each stops by itself, when it comes to its point."""
    deadline = time.monotonic() + PATIENCE
    waiting = set(WORST)
    while waiting:
        assert time.monotonic() < deadline, f"{waiting} never came to the point"
        crowd.is_well()
        edit(providers, str(uuid.uuid4()))
        time.sleep(1)
        waiting = {name for name in waiting if _status(others, name) != psutil.STATUS_STOPPED}


def _until_taken_over(crowd: Crowd, providers: Path) -> None:
    """Whoever was on their way has come to its end, and an edit of the catalog is published again."""
    deadline = time.monotonic() + PATIENCE
    caught, said = set(crowd.walking), str(uuid.uuid4())
    edit(providers, said)
    while not (caught.isdisjoint(list(crowd.walking)) and f"Edited {said}" in crowd.ears.published):
        assert time.monotonic() < deadline, "nobody took over what had frozen"
        crowd.is_well()
        time.sleep(0.5)


def _status(others: Running, name: str) -> str:
    return str(psutil.Process(others.processes[name].pid).status())


def _until_written(others: Running, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if _late(others, name):
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} woke and wrote nothing: {others.log(name)[-2000:]}")


def _late(others: Running, name: str) -> list[tuple[str, str]]:
    """What was written after the freeze: under which fence, and the answer."""
    told = others.log(name).partition("WOKE")[2]
    return re.findall(r"TRIED (\S+)\n(?:(?!TRIED).*\n)*?ANSWERED (\S+)", told)
