"""What docs/operate.md says of backups, tried: MongoDB lost and restored, then Kafka lost for good."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from outside_steps import arrived, connect, login
from outsider import Json, Outsider
from running import SERVICES, Running, running
from targets import Target, rclone_webdav

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def services() -> Iterator[Running]:
    with running("127.0.0.44") as services:
        yield services


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Target]:
    with rclone_webdav(tmp_path / "target") as target:
        yield target


def test_a_restored_mongodb_reads_again_what_came_since_and_says_nothing_under_old_numbers(
    services: Running, webdav: Target, tmp_path: Path
) -> None:
    one = platform(services)
    with one.listening(), one.serving() as origin:
        connection, _ = connect(one, webdav)
        export(one, connection, origin, "before")
        begun = back_up(services, tmp_path / "backup")

        export(one, connection, origin, "since")
        one.ask("ConnectionChangeRequested", connection_id=connection, expected_revision=1, name="renamed")
        renamed = one.wait("ConnectionChanged", connection)
        forgotten = begin(one)
        one.answer(one.wait("AuthChallengeIssued", forgotten)["data"], login(webdav))
        one.wait("ConnectionAuthorized", forgotten)
        heard = {event["id"] for _, event in one.heard}

        restore(services, tmp_path / "backup", begun)
        assert services.command("admin", "republish").returncode == 0

        changed = news(one, heard, "ConnectionChanged", connection)
        assert changed["data"]["name"] == "renamed"
        assert changed["sequence"] > renamed["sequence"]
        export(one, connection, origin, "after")
        assert arrived(webdav) == {
            f"Invoices/2026/{name}.pdf": name.encode() for name in ("before", "since", "after")
        }
        url = f"{services.url('connections')}/v1/connections/{forgotten}"
        assert one.get(url).json()["status"] == "connecting", "asked for again, its login is lost"


def test_an_empty_kafka_is_filled_from_what_mongodb_knows(services: Running, webdav: Target) -> None:
    one = platform(services)
    with one.listening():
        connection, saved = connect(one, webdav)
    with away(services, "kafka") as folder:
        shutil.rmtree(folder / "topics")
    assert services.command("topics").returncode == 0
    start(services)
    assert services.command("admin", "republish").returncode == 0

    again = platform(services, one.account)
    with again.listening(), again.serving() as origin:
        assert again.wait("ConnectionChanged", connection)["data"]["options"] == saved["options"]
        export(again, connection, origin, "on a new Kafka")
        assert connect(again, webdav), "a provider is known without the topic of old"


def platform(services: Running, account: str | None = None) -> Outsider:
    """A platform of its own, or the one of that account once more."""
    places = (services.url("connections"), services.url("sync-runner"))
    keys = services.environment["PAPERBUS_SERVICE_KEYS"]
    one = Outsider(services.kafka, services.platform_key, *places, keys)
    one.account = account or one.account
    return one


def begin(one: Outsider) -> str:
    """A connection that is asked for, and no more."""
    connection = str(uuid.uuid4())
    asked = {"provider_id": "webdav", "answer_by": "sealed", "schedule": {"every": "manual"}}
    one.ask("ConnectionRequested", connection_id=connection, direction="export", **asked)
    return connection


def export(one: Outsider, connection: str, origin: str, name: str) -> None:
    """One document on its way; it is there when this returns."""
    document = one.document(name.encode(), f"{name}.pdf", origin)
    one.due(connection)
    told = one.exported(connection, [document])
    assert {row["status"] for row in told.values()} == {"done"}


def news(one: Outsider, heard: set[str], name: str, about: str) -> Json:
    """The last event of that name that was not heard before, once there is one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for _, event in reversed(list(one.heard)):
            new = event["id"] not in heard and event["subject"] == about
            if new and event["type"] == f"paperbus.{name}.v1":
                return event
        time.sleep(0.1)
    raise AssertionError(f"no new {name} about {about}")


def back_up(services: Running, to: Path) -> datetime:
    """A copy of MongoDB's files, mongod stopped meanwhile as the documentation says; when it was begun."""
    begun = datetime.now(UTC)
    mongo = services.servers["mongo"]
    asyncio.run(mongo.stop())
    shutil.copytree(mongo.folder / "files", to)
    asyncio.run(mongo.start())
    for name in SERVICES:
        services.ready(name)
    return begun


def restore(services: Running, backup: Path, begun: datetime) -> None:
    with away(services, "mongo") as folder:
        shutil.rmtree(folder / "files")
        shutil.copytree(backup, folder / "files")
    done = services.command("admin", "restored", begun.isoformat())
    assert done.returncode == 0, done.stderr
    start(services)


@contextmanager
def away(services: Running, server: str) -> Iterator[Path]:
    """Every service is stopped, and that server is, for the length of the block; its folder."""
    for name in SERVICES:
        services.end(name)
    victim = services.servers[server]
    victim.kill()
    asyncio.run(victim.stop())
    yield victim.folder
    asyncio.run(victim.start())


def start(services: Running) -> None:
    for name in SERVICES:
        services.start(name)
    for name in SERVICES:
        services.ready(name)
