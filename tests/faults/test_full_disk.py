"""A full disk under the data folder: what takes stops taking and says so; with room again, all goes on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import KafkaException, Producer
from outside_steps import arrived, connect
from outsider import Outsider
from servers import free_port
from starting import PAPERBUS, clean_environment
from targets import Target

from kit.tokens import private_key
from paperbus.where import _running as servers_of

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
ADDRESS = "127.0.0.10"
SIZE = 2_200_000_000
"""Bytes of the disk: each server wants 500 MB to start."""
SERVICES = {"catalog": 8101, "connections": 8102, "sync-runner": 8103}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, in memory."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("by capability: only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "paperbus-test", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("by capability: nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class OnDisk:
    """`paperbus up` on that disk."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data, self.log = data, log
        self.ballast = data / "ballast"
        ports = [f"--{server}-port={free_port(ADDRESS)}" for server in ("kafka", "mongo")]
        with log.open("ab") as words:
            self.process = subprocess.Popen(
                [str(PAPERBUS), "up", "--data", str(data), *ports],
                env=clean_environment()
                | {"PAPERBUS_LISTEN": ADDRESS, "PAPERBUS_PRIVATE_NETWORKS": "127.0.0.0/8"},
                stdout=words,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.log.read_text()

    def fill(self) -> None:
        """Take what is left of the disk, to the last byte."""
        with self.ballast.open("ab") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()

    def not_ready(self) -> str | None:
        """What a service says that takes nothing."""
        for name, port in SERVICES.items():
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.get(f"http://{ADDRESS}:{port}/health/ready", timeout=5)
                if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    return f"{name}: {answer.text}"
        return None

    def all_ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return all(
                httpx.get(f"http://{ADDRESS}:{port}/health/ready", timeout=5).status_code == httpx.codes.OK
                for port in SERVICES.values()
            )
        return False


@pytest.fixture
def up(disk: Path, tmp_path: Path) -> Iterator[OnDisk]:
    up = OnDisk(disk, tmp_path / "up.log")
    try:
        until(lambda: "Ready after" in up.said(), 180, up.said)
        yield up
    finally:
        up.process.terminate()
        up.process.wait(30)


def until(so: Callable[[], object], seconds: float, told: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, told()[-3000:]
        time.sleep(0.3)


def test_a_full_disk_stops_all_and_room_lets_all_go_on(up: OnDisk, webdav: Target) -> None:
    outsider = Outsider(
        servers_of(up.data)["kafka"],
        private_key(str(up.data / "keys" / "platform.json"), "the platform key"),
        f"http://{ADDRESS}:8102",
        f"http://{ADDRESS}:8103",
        (up.data / "keys" / "services.public.json").read_text(),
    )
    with outsider.listening(), outsider.serving() as origin:
        connection, _ = connect(outsider, webdav)
        taken = [outsider.document(f"before {n}".encode(), f"{n}.pdf", origin) for n in range(5)]
        services = {name: _pid(up, name) for name in SERVICES}

        up.fill()
        _offer_until_refused(outsider.kafka, up)
        until(lambda: "not enough disk space" in up.said(), 120, up.said)
        until(up.not_ready, 120, up.said)

        up.ballast.unlink()
        until(up.all_ready, 180, up.said)
        taken += [outsider.document(f"after {n}".encode(), f"after {n}.pdf", origin) for n in range(5)]
        outsider.due(connection)
        told = outsider.exported(connection, taken, seconds=120)

    assert {row["status"] for row in told.values()} == {"done"}
    assert sorted(arrived(webdav).values()) == sorted(outsider.files.values())
    assert {name: _pid(up, name) for name in SERVICES} == services, "a service did not live through it"


def _offer_until_refused(kafka: str, up: OnDisk) -> None:
    """Events that are junk, until a server has met with the full disk."""
    producer = Producer({"bootstrap.servers": kafka, "message.timeout.ms": 3000})
    for _ in range(200):
        with contextlib.suppress(BufferError, KafkaException):
            for _ in range(20):
                producer.produce("catalog.requests", os.urandom(200_000), key=str(uuid.uuid4()))
        producer.flush(2)
        if " ended: " in up.said():
            return
    raise AssertionError("no server ever met with the full disk")


def _pid(up: OnDisk, name: str) -> int:
    import psutil

    module = name.replace("-", "_")
    children = psutil.Process(up.process.pid).children(recursive=True)
    return next(child.pid for child in children if child.cmdline()[-2:] == ["-m", module])
