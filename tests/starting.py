"""`paperbus` in processes of their own, with the settings that a test gives and no others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from paperbus.local.folder import free_port

ADDRESS = "127.0.0.77"
STUB = Path(__file__).parent / "local" / "stub_service.py"
PAPERBUS = Path(sys.executable).with_name("paperbus")

PROGRAM = """
import sys
from pathlib import Path
from paperbus.asked import until_asked
from paperbus.commands.up import _stay
from paperbus.errors import Stopped
from paperbus.services import Service
from paperbus.up import Plan
stub, data, kafka, mongo, *services = sys.argv[1:]
table = tuple(
    Service(name, (sys.executable, stub, name, port), (int(port),))
    for name, port in (service.split("=") for service in services)
)
try:
    until_asked(_stay(Plan(Path(data), (), int(kafka), int(mongo), table)))
except Stopped as error:
    sys.exit(str(error))
"""


class Started:
    """One `up` with two stand-ins, in a process of its own; on free ports unless some are given."""

    def __init__(self, data: Path, ports: dict[str, int] | None = None, **environ: str) -> None:
        self.data = data
        names = ("catalog", "connections", "kafka", "mongo")
        self.ports = {name: free_port(ADDRESS) for name in names} | (ports or {})
        services = [f"{name}={self.ports[name]}" for name in ("catalog", "connections")]
        servers = [str(self.ports["kafka"]), str(self.ports["mongo"])]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(STUB), str(data), *servers, *services],
            env=clean_environment() | {"PAPERBUS_LISTEN": ADDRESS} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []

    def until(self, word: str) -> str:
        """The first line with `word`; fails if it ends before."""
        for line in self.process.stdout or ():
            self.said.append(line)
            if word in line:
                return line
        raise AssertionError("".join(self.said))

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, which: signal.Signals) -> float:
        """Seconds until it was gone."""
        started = time.monotonic()
        self.process.send_signal(which)
        self.said += self.process.communicate(timeout=100)[0].splitlines(keepends=True)
        return time.monotonic() - started


def clean_environment() -> dict[str, str]:
    ours = ("PAPERBUS_", "KAFKA_", "MONGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def command(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
    """`paperbus …` with these settings alone."""
    return subprocess.run(
        [PAPERBUS, *arguments],
        env=clean_environment() | environ,
        input=stdin.decode(),
        capture_output=True,
        text=True,
        check=False,
    )
