"""Real runs, end to end: documents from a platform's server through a real store to servers of others."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from run_rig import Rig, working
from subjects import Subject, dav
from targets import rclone_webdav

pytestmark = pytest.mark.servers

ODD = {
    "1": "../../etc/passwd",
    "2": "Re: Rechnung „Müller & Söhne“ 50% #7?.pdf",
    "3": "CON.pdf",
    "4": "trailing. . ",
    "5": "invoice\u202efdp.exe",
    "6": "🧾👨‍👩‍👧 facture.pdf",
    "7": "é" * 250 + ".pdf",
    "8": 'a\\b:c*d|e<f>g"h.pdf',
    "9": "line\r\nbreak.pdf",
    "10": "same.pdf",
    "11": "same.pdf",
    "12": "SAME.PDF",
    "13": "%2e%2e%2fescape.pdf",
    "14": "~$~tilde'quote`.pdf",
    "15": "\u202e\u202e",
}


async def test_documents_with_the_oddest_names_arrive_byte_for_byte_everywhere(
    subject: Subject, rig_at: Callable[[Subject], Rig]
) -> None:
    rig = await rig_at(subject).set_up(folder="/in/{document_type}")
    files = {name: os.urandom(100) + name.encode() for name in ODD} | {"0": b""}
    await rig.receive(files, ODD)

    await rig.work()

    rows = await rig.rows()
    assert {row["status"] for row in rows.values()} == {"done"}, rows
    assert {name: subject.look(row["target"]) for name, row in rows.items()} == files
    assert len(subject.names()) == len(files)
    assert all(name.startswith("/in/none/") for name in subject.names())
    assert await rig.events() == ["DocumentsExported"]


@pytest.mark.parametrize(
    ("clash", "there"),
    [
        ("skip_same", {"/same.pdf", "/same (2).pdf", "/other.pdf", "/other (2).pdf"}),
        ("number", {"/same.pdf", "/same (2).pdf", "/same (3).pdf", "/other.pdf", "/other (2).pdf"}),
        ("replace", {"/same.pdf", "/same (2).pdf", "/other.pdf"}),
        ("reject", {"/same.pdf", "/other.pdf"}),
    ],
)
async def test_each_clash_rule_does_at_a_real_server_what_it_says(
    webdav: Subject, rig_at: Callable[[Subject], Rig], clash: str, there: set[str]
) -> None:
    assert webdav.server
    (webdav.server.folder / "same.pdf").write_bytes(b"A")
    (webdav.server.folder / "other.pdf").write_bytes(b"theirs")
    rig = await rig_at(webdav).set_up(clash=clash)
    await rig.receive({"1": b"A", "2": b"B", "3": b"C"}, {"1": "same.pdf", "2": "same.pdf", "3": "other.pdf"})

    await rig.work()

    rows = await rig.rows()
    assert webdav.names() == there
    assert (webdav.look("/other.pdf") == b"C") is (clash == "replace")
    if clash == "reject":
        assert [rows[n]["status"] for n in "123"] == ["done", "rejected", "rejected"]
        assert rows["3"]["reason"] == "exists"
        return
    assert {name: webdav.look(row["target"]) for name, row in rows.items()} == {
        "1": b"A",
        "2": b"B",
        "3": b"C",
    }


async def test_a_wrong_password_a_dead_host_and_changed_bytes_are_told_apart(
    webdav: Subject, rig_at: Callable[[Subject], Rig], platform: Any
) -> None:
    rig = await rig_at(webdav).set_up()
    await rig.receive({"1": b"one", "2": b"two", "3": b"three"})
    platform.files |= {"2": b"TWO"}
    del platform.files["3"]

    await rig.work()

    rows = await rig.rows()
    assert [(rows[n]["status"], rows[n].get("reason")) for n in "123"] == [
        ("done", None),
        ("rejected", "content_changed"),
        ("failed", "content_unavailable"),
    ]
    assert webdav.names() == {"/1.pdf"}


@pytest.mark.parametrize(
    ("changed", "reason", "again"),
    [
        ({"password": "wrong"}, "credentials_wrong", False),
        ({"url": "http://127.0.0.1:9/"}, "host_unreachable", True),
        ({"url": "http://169.254.169.254/"}, "address_refused", False),
    ],
)
async def test_a_run_that_cannot_go_on_says_why_and_loses_nothing(
    webdav: Subject,
    rig_at: Callable[[Subject], Rig],
    changed: dict[str, str],
    reason: str,
    again: bool,  # noqa: FBT001 - parametrised
) -> None:
    rig = await rig_at(replace(webdav, credentials={**webdav.credentials, **changed})).set_up()
    await rig.receive({"1": b"one", "2": b"two"})

    await rig.work()

    failed = json.loads((await rig.sync())["owes"][-1]["value"])["data"]
    assert await rig.events() == ["DocumentsExported", "SyncFailed"]
    assert (failed["reason"], failed["retry_at"] is not None) == (reason, again)
    assert failed["credentials_revision"] == 3
    assert {row["status"] for row in (await rig.rows()).values()} <= {"pending", "failed"}


async def test_a_target_that_comes_back_gets_everything_once(
    tmp_path: Path, rig_at: Callable[[Subject], Rig]
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    with rclone_webdav(folder) as target:
        subject = dav(target)
        rig = await rig_at(subject).set_up(clash="number")
        files = {f"{n}": os.urandom(2000) for n in range(300)}
        await rig.receive(files)
        async with working(rig.place):
            while len(list(folder.iterdir())) < 60:  # noqa: ASYNC110 - a folder tells nobody
                await asyncio.sleep(0.01)
            assert target.process
            target.process.kill()
            await rig.until_ended()
    assert "SyncFailed" in await rig.events()

    with rclone_webdav(folder, target.port):
        await rig.lease_ends()
        await rig.work()

    arrived = {
        name: data for name, data in ((n, subject.look(n)) for n in subject.names()) if ".part" not in name
    }
    assert sorted(arrived.values()) == sorted(files.values())  # type: ignore[type-var]  # no None among them
    assert {row["status"] for row in (await rig.rows()).values()} == {"done"}


async def test_a_worker_that_was_stopped_for_longer_than_its_lease_writes_no_result(
    webdav: Subject, rig_at: Callable[[Subject], Rig]
) -> None:
    rig = await rig_at(webdav).set_up(clash="number")
    files = {f"{n}": os.urandom(500) for n in range(200)}
    await rig.receive(files)
    frozen, thawed = asyncio.Event(), asyncio.Event()

    async def hold(at: str) -> None:
        if at == "driver.put.before" and len(webdav.names()) > 20:
            frozen.set()
            await thawed.wait()

    async with working(rig.place, knife=hold, renew_every=1000):
        await frozen.wait()
        await rig.lease_ends()
        await rig.work()
        after = await rig.rows()
        thawed.set()
        await asyncio.sleep(0.5)

    assert {row["status"] for row in after.values()} == {"done"}
    now = await rig.rows()
    changed = {name for name, row in now.items() if row["fence"] != after[name]["fence"]}
    # what it may have overwritten late is looked up once more, by a run of its own
    assert all(now[name]["fence"] > after[name]["fence"] for name in changed)
    assert sorted(webdav.look(name) or b"" for name in webdav.names()) == sorted(files.values())
