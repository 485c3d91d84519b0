"""One process: started in order, ended in time, honest about what keeps it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit import mongo as kit_mongo
from kit.broker import Kafka
from kit.edge import Edge
from kit.http import make_app
from kit.parking import Parking
from kit.service import AT_ONCE, CLOSE, LOOPS, STOP, Listener, Loop, Service, running
from kit.settings import Settings
from paperbus.keeping import GRACE
from tests.kit.world import now

ROOT = Path(__file__).parents[2]
PROCESS = """
import asyncio, sys, time
from concurrent.futures import ThreadPoolExecutor
from kit.http import make_app
from kit.service import Listener, Loop, Service, main

async def forever():
    try:
        await asyncio.Event().wait()
    finally:
        print("loop ended", flush=True)

async def stubborn():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def said(word):
    print(word, flush=True)

async def start():
    print("started", flush=True)
    ThreadPoolExecutor().submit(time.sleep, 60)

def build(settings):
    hang = lambda: asyncio.sleep(60)
    app = make_app("tests")
    app.add_api_route("/slow", hang)
    return Service("tests", [Listener(app, int(sys.argv[1]))], None,
        [Loop("forever", forever), Loop("stubborn", stubborn)],
        start=[start], stop=[lambda: said("stopped"), hang, stubborn],
        close=[lambda: said("closed"), hang, hang])

main(build)
"""
STARTING = """
import sys
from datetime import datetime
from kit import mongo
from kit.broker import Kafka
from kit.edge import Edge
from kit.parking import Parking
from kit.service import Service, main

client = mongo.connect(sys.argv[1])

async def prepare():
    print("preparing", flush=True)
    await mongo.ready(client)

async def closed():
    client.close()
    print("closed", flush=True)

def build(settings):
    edge = Edge(Kafka("127.0.0.1:1"), "tests", Parking(client[sys.argv[2]]["parked"]), datetime.now)
    return Service("tests", edge=edge, start=[prepare], close=[closed])

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
            await asyncio.wait_for(failed.wait(), 30)

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
                await asyncio.wait_for(failed.wait(), 30)

        with pytest.raises(OSError, match=f"{port} is taken"):
            await through()


def test_a_signal_ends_it_in_time_whatever_hangs() -> None:
    port = free_port()
    with started(PROCESS, str(port)) as process, socket.socket() as asking:
        _until_live(port)
        asking.connect(("127.0.0.1", port))
        asking.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(0.2)
        seconds, said = ended(process, signal.SIGTERM)

    assert process.returncode == 0
    assert said == ["started", "stopped", "loop ended", "closed"]
    assert seconds < 10


def test_the_whole_end_is_shorter_than_what_up_waits_before_it_kills() -> None:
    assert AT_ONCE + STOP + LOOPS + CLOSE + AT_ONCE < GRACE


@pytest.mark.parametrize(("away", "name"), [("Kafka", signal.SIGINT), ("MongoDB", signal.SIGTERM)])
def test_a_signal_during_the_start_ends_it(
    away: str, name: signal.Signals, mongo: str, fresh_database: str
) -> None:
    url = mongo if away == "Kafka" else "mongodb://127.0.0.1:1/?replicaSet=rs0"
    with started(STARTING, url, fresh_database) as process:
        waiting = "waiting for Kafka" if away == "Kafka" else "preparing"
        assert process.stdout is not None
        while waiting not in (line := process.stdout.readline()):
            assert line, "it ended by itself"
        seconds, said = ended(process, name)

    assert process.returncode == 0
    assert said == ["closed"]
    assert seconds < 3


async def test_a_loop_that_fails_while_kafka_is_away_ends_the_start(mongo: str, fresh_database: str) -> None:
    async def broken() -> None:
        raise LookupError("nothing there")

    client = kit_mongo.connect(mongo)
    edge = Edge(Kafka(f"127.0.0.1:{free_port()}"), "tests", Parking(client[fresh_database]["parked"]), now)

    async def through() -> None:
        async with running(Service("tests", edge=edge, loops=[Loop("broken", broken)]), Settings.load({})):
            pass

    with pytest.raises(LookupError, match="nothing there"):
        await asyncio.wait_for(through(), 30)
    client.close()


@contextlib.contextmanager
def started(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], name: signal.Signals) -> tuple[float, list[str]]:
    """Seconds that it took to end, and what it said, without its log."""
    began = time.monotonic()
    process.send_signal(name)
    said, _ = process.communicate(timeout=20)
    return time.monotonic() - began, [line for line in said.splitlines() if not line.startswith("{")]


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
    assert ended.stderr.startswith("PAPERBUS_LISTEN must be")
    assert len(ended.stderr.splitlines()) == 1


async def who_asks(scope: Any, _: object, send: Any) -> None:
    """Answers with the address that it takes the asker for."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['scheme']} {scope['client'][0]}".encode()})


@pytest.mark.parametrize(
    ("proxies", "asker"),
    [
        ((), "http 127.0.0.1"),
        (("127.0.0.0/8",), "https 192.0.2.1"),
        (("10.0.0.0/8",), "http 127.0.0.1"),
    ],
)
async def test_only_proxies_that_are_named_say_who_asks(proxies: tuple[str, ...], asker: str) -> None:
    port = free_port()
    settings = Settings.model_validate({"paperbus_trusted_proxies": proxies})
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    async with running(Service("tests", [Listener(who_asks, port)]), settings), httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/", headers=forwarded)

    assert answer.text == asker
