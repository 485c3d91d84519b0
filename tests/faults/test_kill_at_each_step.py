"""The way of an export with a service killed at each of its steps: nothing is lost, nothing is doubled."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from outsider import Json, Outsider
from running import PORTS, Running, running
from servers import NoServer
from targets import Target, rclone_webdav

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
STEPS = ("request", "answer", "options", "documents", "due", "change", "removal")
OPTIONS = {"folder": "/in", "filename": "{filename}", "clash": "number", "sidecar": "none"}
DELAYS = (0.0, 0.005, 0.02, 0.06, 0.15)
"""Seconds between a step and the kill: before it is read, while it is decided, after it was written."""
ONCE = ("ConnectionAuthorized", "ConnectionSaved", "ConnectionChanged", "ConnectionRemoved")


@pytest.fixture(scope="module")
def services() -> Iterator[Running]:
    try:
        with running("127.0.0.8") as services:
            yield services
    except NoServer as error:
        from conftest import unavailable

        unavailable(str(error))


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Target]:
    with rclone_webdav(tmp_path / "target") as target:
        yield target


class Killer:
    """Kills one service shortly after one step, and starts it again."""

    def __init__(self, services: Running, victim: str, step: str, delay: float) -> None:
        self.services, self.victim, self.step, self.delay = services, victim, step, delay
        self.killed = 0

    def after(self, step: str) -> None:
        if step != self.step:
            return
        time.sleep(self.delay)
        self.services.kill(self.victim)
        self.killed += 1
        self.services.start(self.victim)
        self.services.ready(self.victim)


def walk(outsider: Outsider, target: Target, killer: Killer, count: int = 20) -> None:
    """The whole way; asserts what must hold at its end."""
    connection = str(uuid.uuid4())
    outsider.ask(
        "ConnectionRequested",
        connection_id=connection,
        direction="export",
        provider_id="webdav",
        answer_by="sealed",
        schedule={"every": "manual"},
    )
    killer.after("request")
    authorize(outsider, target, connection, killer)
    outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=OPTIONS)
    killer.after("options")
    outsider.wait("ConnectionSaved", connection)
    with outsider.serving() as origin:
        documents = [outsider.document(f"document {n}".encode(), f"{n}.pdf", origin) for n in range(count)]
        killer.after("documents")
        outsider.due(connection)
        killer.after("due")
        told = outsider.exported(connection, documents, seconds=120)
    outsider.ask("ConnectionChangeRequested", connection_id=connection, expected_revision=1, name="renamed")
    killer.after("change")
    outsider.wait("ConnectionChanged", connection)
    outsider.ask("ConnectionRemovalRequested", connection_id=connection)
    killer.after("removal")
    outsider.wait("ConnectionRemoved", connection)

    assert killer.killed == 1, "the fault never fired"
    assert {row["status"] for row in told.values()} == {"done"}
    arrived = sorted(path.read_bytes() for path in Path(target.folder).rglob("*") if path.is_file())
    assert arrived == sorted(f"document {n}".encode() for n in range(count))
    facts = {
        (event["type"].split(".")[1], event["id"])
        for _, event in outsider.heard
        if event["subject"] == connection
    }
    names = Counter(name for name, _ in facts)
    assert {name: names[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert "RequestRefused" not in names


def authorize(outsider: Outsider, target: Target, connection: str, killer: Killer) -> None:
    """Answers until it is authorized: a try whose worker died is asked anew, never tried again by itself."""
    fields = {"url": target.url, "username": target.username, "password": target.password}
    challenge = outsider.wait("AuthChallengeIssued", connection)["data"]
    outsider.answer(challenge, fields)
    killer.after("answer")
    answered = {challenge["challenge_id"]}

    def is_new(event: Json) -> bool:
        asked = event["subject"] == connection and event["type"] == "paperbus.AuthChallengeIssued.v1"
        return asked and event["data"]["challenge_id"] not in answered

    def moved() -> bool:
        return any(
            is_new(event)
            or (event["subject"] == connection and event["type"] == "paperbus.ConnectionAuthorized.v1")
            for _, event in list(outsider.heard)
        )

    with outsider.news:
        assert outsider.news.wait_for(moved, 90), "neither authorized nor asked anew within 90 s"
    for _, event in list(outsider.heard):
        if is_new(event):
            assert event["data"]["error"]["reason"] == "interrupted"
            outsider.answer(event["data"], fields)
    outsider.wait("ConnectionAuthorized", connection, seconds=90)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("victim", sorted(PORTS))
def test_a_service_killed_at_a_step_loses_and_doubles_nothing(
    services: Running, webdav: Target, victim: str, step: str
) -> None:
    outsider = Outsider(
        services.kafka,
        services.platform_key,
        services.url("connections"),
        services.url("sync-runner"),
        services.environment["PAPERBUS_SERVICE_KEYS"],
    )
    delay = Random(f"{victim}/{step}").choice(DELAYS)
    with outsider.listening():
        walk(outsider, webdav, Killer(services, victim, step, delay))
