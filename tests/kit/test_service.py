"""One process: started in order, ended in time, honest about what keeps it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from kit.http import make_app
from kit.service import Listener, Loop, Service, running
from kit.settings import Settings

ROOT = Path(__file__).parents[2]
PROCESS = """
import asyncio, sys
from kit.http import make_app
from kit.service import Listener, Loop, Service, main

async def forever():
    try:
        await asyncio.Event().wait()
    finally:
        print("loop ended", flush=True)

async def said(word):
    print(word, flush=True)

def build(settings):
    return Service("tests", [Listener(make_app("tests"), int(sys.argv[1]))], None, [Loop("forever", forever)],
        start=[lambda: said("started")], stop=[lambda: said("stopped"), lambda: asyncio.sleep(60)],
        close=[lambda: said("closed")])

main(build)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_listeners_answer_while_it_runs_and_hooks_run_in_order() -> None:
    said: list[str] = []
    ports = [free_port(), free_port()]

    async def say(word: str) -> None:
        said.append(word)

    async def loop() -> None:
        said.append("loop")
        await asyncio.Event().wait()

    service = Service(
        "tests",
        [Listener(make_app("tests"), port) for port in ports],
        loops=[Loop("loop", loop)],
        start=[lambda: say("one"), lambda: say("two")],
        stop=[lambda: say("stop")],
        close=[lambda: say("close")],
    )
    async with running(service, Settings.load({})) as failed:
        async with httpx.AsyncClient() as client:
            answers = [await client.get(f"http://127.0.0.1:{port}/health/live") for port in ports]
        assert not failed.is_set()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert said == ["one", "two", "loop", "stop", "close"]


async def test_a_loop_that_fails_ends_the_process_with_its_reason() -> None:
    async def broken() -> None:
        raise LookupError("nothing there")

    async def through() -> None:
        async with running(Service("tests", loops=[Loop("broken", broken)]), Settings.load({})) as failed:
            await asyncio.wait_for(failed.wait(), 5)

    with pytest.raises(LookupError, match="nothing there"):
        await through()


async def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        async def through() -> None:
            service = Service("tests", [Listener(make_app("tests"), port)])
            async with running(service, Settings.load({})) as failed:
                await asyncio.wait_for(failed.wait(), 5)

        with pytest.raises(OSError, match=f"{port} is taken"):
            await through()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_where_a_hook_hangs(name: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-c", PROCESS, str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        _until_live(port)
        began = time.monotonic()
        process.send_signal(name)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 0
    assert said.split("\n")[:4] == ["started", "stopped", "loop ended", "closed"]
    assert time.monotonic() - began < 10


def _until_live(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("it never listened")


def test_a_wrong_setting_ends_the_start_with_one_sentence() -> None:
    command = [sys.executable, "-c", PROCESS, "0"]
    environ = {"PAPERBUS_LISTEN": "nowhere", "PATH": ""}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("PAPERBUS_LISTEN is wrong")
    assert len(ended.stderr.splitlines()) == 1
