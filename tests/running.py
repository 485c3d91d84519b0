"""The services as processes of their own, on servers of their own: started, killed, started again.

Used by tests that look from outside. The address 127.0.0.N keeps several such groups apart.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey, OctKey, OKPKey
from servers import packaged_kafka, packaged_mongo

from paperbus.local.server import EmbeddedServer

PORTS = {"catalog": 8101, "connections": 8102, "sync-runner": 8103, "console": 8100}
SERVICES = ("catalog", "connections", "sync-runner")
MODULES = {name: name.replace("-", "_") for name in PORTS}
PATIENCE = 120.0


def signing_key(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": "EdDSA"}, private=True)


def key_set(*keys: OKPKey | ECKey) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


class Running:
    """The services. `environment` is what each gets, besides its own key."""

    def __init__(self, folder: Path, address: str, kafka: str, mongo: str, **settings: str) -> None:
        self.servers: dict[str, EmbeddedServer] = {}
        self.folder = folder
        self.address = address
        self.kafka = kafka
        self.mongo = mongo
        self.platform_key = signing_key("platform-1")
        self.service_keys = {name: signing_key(name) for name in PORTS}
        vault = OctKey.generate_key(256, {"kid": "vault-1"}, private=True)
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PAPERBUS_", "KAFKA_"))
            },
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "MONGO_URL": mongo,
            "PAPERBUS_LISTEN": address,
            "PAPERBUS_PLATFORM_KEYS": key_set(self.platform_key),
            "PAPERBUS_SERVICE_KEYS": key_set(*self.service_keys.values()),
            "PAPERBUS_VAULT_KEYS": json.dumps({"keys": [vault.as_dict(private=True)]}),
            "PAPERBUS_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PAPERBUS_RETURN_ORIGINS": "https://platform.example",
            "PAPERBUS_CATALOG_URL": f"http://{address}:8101",
            "PAPERBUS_CONNECTIONS_URL": f"http://{address}:8102",
            "PAPERBUS_SYNC_RUNNER_URL": f"http://{address}:8103",
            "PAPERBUS_PUBLIC_URL": f"http://{address}:8112",
            "PAPERBUS_CONSOLE_URL": f"http://{address}:8100",
            **settings,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def url(self, service: str) -> str:
        return f"http://{self.address}:{PORTS[service]}"

    def replica(self, address: str) -> Running:
        """The same services once more, elsewhere: with the same keys, asked at the first ones' addresses."""
        other = copy.copy(self)
        (folder := self.folder / address).mkdir(exist_ok=True)
        other.folder, other.address, other.processes = folder, address, {}
        other.environment = {**self.environment, "PAPERBUS_LISTEN": address}
        return other

    def start(self, name: str, launcher: Sequence[str] = ("-m",)) -> None:
        """`launcher` is what Python runs, with the service's module as its last argument."""
        own = json.dumps(self.service_keys[name].as_dict(private=True))
        instance = f"{name}-{self.address}"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *launcher, MODULES[name]],
                env={**self.environment, "PAPERBUS_SERVICE_KEY": own, "PAPERBUS_INSTANCE": instance},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """As a power cut would. Asserts that there was something to kill."""
        process = self.processes[name]
        assert process.poll() is None, f"{name} had ended before it was killed: {self.log(name)[-2000:]}"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self, name: str) -> None:
        """In order, as an operator would."""
        self.processes[name].terminate()
        self.processes[name].wait(12)

    def ready(self, name: str) -> None:
        """Wait until it is; fails with its log where it is not in time."""
        deadline = time.monotonic() + PATIENCE
        said = ""
        while time.monotonic() < deadline:
            assert self.processes[name].poll() is None, f"{name} ended: {self.log(name)[-3000:]}"
            try:
                answer = httpx.get(f"{self.url(name)}/health/ready", timeout=2)
                if answer.status_code == httpx.codes.OK:
                    return
                said = answer.text
            except httpx.TransportError as error:
                said = repr(error)
            time.sleep(0.1)
        raise AssertionError(f"{name} is not ready after {PATIENCE:.0f} s: {said}\n{self.log(name)[-3000:]}")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def logs(self) -> str:
        return "".join(self.log(name) for name in self.processes)

    def command(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """`paperbus …` with the same settings."""
        return subprocess.run(
            [str(Path(sys.executable).parent / "paperbus"), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(12)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"{name} did not end within 12 s of SIGTERM.") from None


@contextmanager
def running(address: str, *also: str, **settings: str) -> Iterator[Running]:
    """The three services and those of `also`, ready, on servers of their own."""
    with packaged_kafka() as kafka, packaged_mongo() as mongo, tempfile.TemporaryDirectory() as folder:
        services = Running(Path(folder), address, kafka.bootstrap, mongo.url, **settings)
        services.servers = {"kafka": kafka, "mongo": mongo}
        made = services.command("topics")
        assert made.returncode == 0, made.stdout + made.stderr
        try:
            for name in (*SERVICES, *also):
                services.start(name)
            for name in (*SERVICES, *also):
                services.ready(name)
            yield services
        finally:
            services.stop()


Json = dict[str, Any]
