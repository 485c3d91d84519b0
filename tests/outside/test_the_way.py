"""The whole way of an export, walked by somebody who knows the contract alone."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from outside_steps import arrived, connect, login
from outsider import Json, Outsider
from running import Running
from servers import free_port
from targets import Target

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]
ROW = {"document_id", "version", "filename", "status", "target", "sha256", "size", "attempts", "updated_at"}
RUN = {"id", "due_at", "reason", "status", "started_at", "finished_at", "counts", "message"}
CONNECTION = {"id", "direction", "provider_id", "name", "identity", "status", "paused", "reason", "message"}
CONNECTION |= {"schedule", "options", "filters", "start", "revision", "created_at", "saved_at", "challenge"}
"""What the contract says that each has (§5)."""
PARIS = ZoneInfo("Europe/Paris")


def test_an_account_is_connected_exports_is_changed_and_is_removed(
    outsider: Outsider, webdav: Target
) -> None:
    connection, saved = connect(outsider, webdav, name="Accountant")
    assert (saved["name"], saved["revision"], saved["provider_id"]) == ("Accountant", 1, "webdav")

    with outsider.serving() as origin:
        contents = {f"Rechnung {n} äöü.pdf": f"%PDF-1.7 number {n}".encode() * (n + 1) for n in range(7)}
        documents = [outsider.document(content, name, origin) for name, content in contents.items()]
        outsider.due(connection)
        told = outsider.exported(connection, documents)
    assert {row["status"] for row in told.values()} == {"done"}
    assert arrived(webdav) == {f"Invoices/2026/{name}": content for name, content in contents.items()}
    assert sorted(outsider.fetched) == sorted(document["document_id"] for document in documents)

    here = f"{outsider.sync_runner}/v1/connections/{connection}"
    rows = outsider.get(f"{here}/documents").json()["items"]
    assert {(row["document_id"], row["status"], row["sha256"]) for row in rows} == {
        (document["document_id"], "done", document["sha256"]) for document in documents
    }
    (run,) = outsider.get(f"{here}/runs").json()["items"]
    assert (run["status"], run["counts"]["done"]) == ("done", len(documents))
    assert {name for row in rows for name in (ROW | {"run_id"}) - set(row)} | RUN - set(run) == set()

    there = f"{outsider.connections}/v1/connections/{connection}"
    assert CONNECTION - set(outsider.get(there).json()) == set()
    choices = outsider.get(f"{there}/options/folder/choices").json()["items"]
    assert "/Invoices" in [choice["value"] for choice in choices], "folders are offered after the save too"

    schedule = {"at": "02:30", "on": ["mo"], "timezone": "Europe/Paris"}
    outsider.ask(
        "ConnectionChangeRequested", connection_id=connection, expected_revision=1, schedule=schedule
    )
    changed = outsider.wait("ConnectionChanged", connection)["data"]
    assert changed["revision"] == 2
    assert {name: changed["schedule"][name] for name in schedule} == schedule
    assert [
        (clock.weekday(), f"{clock:%H:%M}")
        for clock in (datetime.fromisoformat(at).astimezone(PARIS) for at in next_times(outsider, connection))
    ] == [(0, "02:30")] * 2

    outsider.ask("ConnectionRemovalRequested", connection_id=connection)
    assert outsider.wait("ConnectionRemoved", connection)["data"]["by"] == "customer"
    page = outsider.get(f"{outsider.connections}/v1/connections/{connection}").json()
    assert page["status"] == "removed"
    rows = outsider.get(f"{outsider.sync_runner}/v1/connections/{connection}/documents").json()["items"]
    assert len(rows) == len(contents)


def next_times(outsider: Outsider, connection: str) -> list[str]:
    """The next two runs, once the change has reached sync-runner."""
    with outsider.news:
        for _ in range(100):
            found = outsider.get(f"{outsider.sync_runner}/v1/connections/{connection}/schedule").json()[
                "next"
            ]
            if found:
                return found
            outsider.news.wait(0.1)
    return []


def test_a_wrong_password_is_told_apart_from_a_dead_host(outsider: Outsider, webdav: Target) -> None:
    connection = str(uuid.uuid4())
    outsider.ask(
        "ConnectionRequested",
        connection_id=connection,
        direction="export",
        provider_id="webdav",
        answer_by="sealed",
    )
    first = outsider.wait("AuthChallengeIssued", connection)["data"]
    assert first["error"] is None
    assert {field["name"] for field in first["fields"]} == {"url", "username", "password"}

    dead = f"http://127.0.0.1:{free_port()}/"
    outsider.answer(first, {**login(webdav), "url": dead})
    second = again(outsider, connection, first)
    assert second["error"]["reason"] == "host_unreachable"
    assert second["attempts_left"] == first["attempts_left"], "an outage is no failed login"

    outsider.answer(second, {**login(webdav), "password": "wrong-canary-1"})
    third = again(outsider, connection, first, second)
    assert third["error"]["reason"] == "credentials_wrong"
    assert third["attempts_left"] == second["attempts_left"] - 1

    outsider.answer(third, {**login(webdav), "url": "http://10.1.2.3/"})
    fourth = again(outsider, connection, first, second, third)
    assert fourth["error"]["reason"] == "address_refused"

    outsider.answer(fourth, login(webdav))
    authorized = outsider.wait("ConnectionAuthorized", connection)["data"]
    assert webdav.username in authorized["identity"]
    assert {field["name"] for field in authorized["options"]} >= {"folder", "filename", "clash", "sidecar"}


def again(outsider: Outsider, connection: str, *before: Json) -> Json:
    """The challenge that follows those before."""
    known = {challenge["challenge_id"] for challenge in before}
    issued = outsider.wait("AuthChallengeIssued", connection, lambda data: data["challenge_id"] not in known)
    data: Json = issued["data"]
    return data


def test_what_was_there_before_goes_along_when_asked_for(outsider: Outsider, webdav: Target) -> None:
    with outsider.serving() as origin:
        before = [outsider.document(f"stock {n}".encode(), f"s{n}.pdf", origin) for n in range(5)]
        connection, _ = connect(outsider, webdav, start="all")
        outsider.due(connection)
        told = outsider.exported(connection, before)

    assert {row["status"] for row in told.values()} == {"done"}


def test_a_document_that_changed_is_rejected_and_blocks_no_other(outsider: Outsider, webdav: Target) -> None:
    connection, _ = connect(outsider, webdav)
    with outsider.serving() as origin:
        good = outsider.document(b"good", "good.pdf", origin)
        bad = outsider.document(b"as told", "bad.pdf", origin)
        outsider.files[bad["document_id"]] = b"differs"
        outsider.due(connection)
        told = outsider.exported(connection, [good, bad])

    assert told[good["document_id"]]["status"] == "done"
    assert (told[bad["document_id"]]["status"], told[bad["document_id"]]["reason"]) == (
        "rejected",
        "content_changed",
    )
    assert list(arrived(webdav)) == ["Invoices/2026/good.pdf"]


def test_a_due_that_finds_nothing_new_is_answered_too(outsider: Outsider, webdav: Target) -> None:
    connection, _ = connect(outsider, webdav)
    outsider.due(connection)

    moved = outsider.wait("DocumentsExported", connection)["data"]
    assert moved["documents"] == []
    assert set(moved["counts"].values()) == {0}


def test_another_account_sees_nothing(outsider: Outsider, services: Running, webdav: Target) -> None:
    connection, _ = connect(outsider, webdav)

    for service, path in (("connections", ""), ("connections", "/timeline"), ("sync-runner", "/documents")):
        url = f"{services.url(service)}/v1/connections/{connection}{path}"
        assert outsider.get(url, account="somebody-else").status_code == httpx.codes.NOT_FOUND
        assert outsider.get(url).status_code == httpx.codes.OK
        assert httpx.get(url).status_code == httpx.codes.UNAUTHORIZED


def test_no_secret_is_in_any_log_or_event(outsider: Outsider, services: Running, webdav: Target) -> None:
    connect(outsider, webdav)

    assert webdav.password not in services.logs()
    assert webdav.password not in str(outsider.heard)
