"""connections as a process, on real Kafka and MongoDB, and a platform that knows none of our code."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from outsider import Outsider
from running import Running, key_set
from servers import NoServer, packaged_kafka, packaged_mongo

from providers.manifests import load

Json = dict[str, Any]
ADDRESS = "127.0.0.41"
CATALOGUE = Path(__file__).parents[2] / "providers" / "catalogue"
CANARY = "canary-S3cr3t-7f1c"


@dataclass
class Platform:
    """A platform, and the service that it speaks to."""

    services: Running
    outsider: Outsider

    def publish(self, provider: str, revision: int = 1, **members: Any) -> Json:
        """Say that a provider exists, as the catalog would."""
        manifest = load(CATALOGUE / provider).wire() | members
        data = {"provider_id": provider, "revision": revision, "manifest": manifest}
        return self.outsider.say("catalog.events", "ProviderPublished", data, subject=provider)

    def request(self, provider: str = "webdav", **members: Any) -> Json:
        """Ask for a connection; returns its first challenge."""
        connection = str(uuid4())
        plain = {"direction": "export", "provider_id": provider, "answer_by": "sealed"}
        self.outsider.ask("ConnectionRequested", connection_id=connection, **{**plain, **members})
        return self.challenge(connection)

    def challenge(self, connection: str, after: Json | None = None) -> Json:
        """The challenge that comes after `after` (the first one, where none is given)."""
        seen = {after["challenge_id"]} if after else set()
        attempts = after["attempts_left"] if after else 99
        event = self.outsider.wait(
            "AuthChallengeIssued",
            connection,
            lambda data: data["challenge_id"] not in seen and data["attempts_left"] <= attempts,
        )
        return event["data"]

    def next(self, challenge: Json, fields: Json, **other: Any) -> Json:
        """Answer, and wait for the challenge that follows."""
        known = self.challenge_ids(challenge["connection_id"])
        self.outsider.answer(challenge, fields, **other)
        return self.outsider.wait(
            "AuthChallengeIssued", challenge["connection_id"], lambda data: data["challenge_id"] not in known
        )["data"]

    def challenge_ids(self, connection: str) -> set[str]:
        return {event["data"]["challenge_id"] for event in self.heard("AuthChallengeIssued", connection)}

    def heard(self, name: str, connection: str) -> list[Json]:
        kind = f"paperbus.{name}.v1"
        every = list(self.outsider.heard)
        return [event for _, event in every if event["type"] == kind and event["subject"] == connection]

    def saved(self, target: Any, **options: Any) -> str:
        """A saved WebDAV connection."""
        challenge = self.request()
        connection: str = challenge["connection_id"]
        self.outsider.answer(challenge, credentials(target))
        self.outsider.wait("ConnectionAuthorized", connection)
        self.outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=options)
        self.outsider.wait("ConnectionSaved", connection)
        return connection

    def dies(self) -> None:
        """The service is killed, and started again."""
        self.services.kill("connections")
        self.services.start("connections")
        self.services.ready("connections")

    def get(self, path: str, **access: Any) -> httpx.Response:
        return self.outsider.get(self.services.url("connections") + path, **access)


def credentials(target: Any, **other: Any) -> Json:
    return {"url": target.url, "username": target.username, "password": target.password, **other}


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """connections, ready, with the providers webdav and sftp."""
    try:
        with packaged_kafka() as kafka, packaged_mongo() as mongo, tempfile.TemporaryDirectory() as folder:
            services = Running(Path(folder), ADDRESS, kafka.bootstrap, mongo.url)
            made = services.command("topics")
            assert made.returncode == 0, made.stdout + made.stderr
            services.start("connections")
            services.ready("connections")
            keys = key_set(*services.service_keys.values())
            url = services.url("connections")
            outsider = Outsider(kafka.bootstrap, services.platform_key, url, "", keys)
            with outsider.listening():
                it = Platform(services, outsider)
                for provider in ("webdav", "sftp"):
                    it.publish(provider)
                yield it
            services.stop()
    except NoServer as error:
        pytest.skip(str(error))


@pytest.fixture(params=["lives", pytest.param("dies", marks=pytest.mark.faults)])
def between_steps(request: pytest.FixtureRequest, platform: Platform) -> Callable[[], None]:
    """What happens there: nothing, or the death of the service, which must come to the same."""
    return platform.dies if request.param == "dies" else lambda: None


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.servers)])
def where(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """The address and the name of a database; None is memory."""
    if request.param == "memory":
        return None
    return request.getfixturevalue("mongo"), request.getfixturevalue("fresh_database")


def dumped(mongo: str) -> str:
    """Everything in the database, as text."""
    from pymongo import MongoClient

    with MongoClient(mongo) as client:
        db = client["connections"]
        return json.dumps({name: list(db[name].find()) for name in db.list_collection_names()}, default=repr)


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The https address of a server whose certificate nobody vouches for."""
    folder = tmp_path_factory.mktemp("untrusted")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run([*made, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client hangs up, as it must
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/dav"
    server.shutdown()
    server.server_close()


@dataclass
class Silent:
    """A server that accepts and never answers."""

    url: str
    asked: threading.Event


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A server that accepts and never answers; `asked` once somebody has come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        it = Silent(f"http://127.0.0.1:{server.getsockname()[1]}/dav", threading.Event())
        held = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept())
                    it.asked.set()

        threading.Thread(target=accept, daemon=True).start()
        yield it
        server.shutdown(socket.SHUT_RDWR)
        for one, _ in held:
            one.close()
