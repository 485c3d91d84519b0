"""Our store and our broker killed with SIGKILL under load, again and again: all comes back by itself."""

from __future__ import annotations

import asyncio
import random
import time

import httpx
import pytest
from running import Running
from targets import Target

from tests.faults.crowd import Crowd
from tests.faults.trials import SEED, rounds, seconds

pytestmark = [pytest.mark.faults, pytest.mark.timeout(seconds(1200))]
KILLS = 10 * rounds(200)
BETWEEN = (1.0, 4.0)
"""Seconds of load between being ready again and the next kill."""
AWAY = (0.0, 2.0)
"""Seconds that the server stays away, besides its start."""


@pytest.mark.parametrize("server", ["mongo", "kafka"])
def test_a_server_killed_under_load_loses_and_doubles_nothing(
    services: Running, webdav: Target, server: str
) -> None:
    dice = random.Random(SEED)
    victim = services.servers[server]
    crowd = Crowd(services, webdav)
    cut_off = 0
    with crowd.walking_about():
        for _ in range(KILLS):
            time.sleep(dice.uniform(*BETWEEN))
            before = victim.pid
            victim.kill()
            cut_off += len(crowd.walking)
            time.sleep(dice.uniform(*AWAY))
            asyncio.run(victim.start_again())
            assert victim.pid != before
            _all_ready(services)
            crowd.is_well()

    assert cut_off >= KILLS, "nobody was on the way when it was killed"
    assert len(crowd.ended) > crowd.size


def _all_ready(services: Running) -> None:
    """Each service is the process that it was, and says that it goes on."""
    for name in list(services.processes):
        services.ready(name)
        assert httpx.get(f"{services.url(name)}/health/live", timeout=5).status_code == httpx.codes.OK
