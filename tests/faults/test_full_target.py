"""A target whose disk is full in the middle of a file: nothing half is seen, and with room all arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import targets
from run_rig import Platform, Rig, a_place

from tests.faults.test_tcp_faults import nothing_lost_or_doubled, subject_of

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(300)]
ROOM = 3_000_000
SIZES = (10_000, 6_000_000, 20_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for a few files."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("by capability: only root can mount a small disk")
    folder = tmp_path / "files"
    folder.mkdir()
    if mount(folder, f"size={ROOM}"):
        pytest.skip("by capability: nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(folder: Path, options: str) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "paperbus-test", str(folder)]
    return subprocess.run(command, check=False).returncode


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().serving() as platform:
        yield platform


@pytest.mark.parametrize("server", ["rclone_webdav", "wsgidav", "openssh", "rclone_ftp", "vsftpd"])
async def test_a_target_that_is_full_keeps_nothing_half_and_takes_all_once_there_is_room(
    server: str, small: Path, platform: Platform, mongo: str, fresh_database: str
) -> None:
    with getattr(targets, server)(small) as target:
        subject = await subject_of(server, target)
        place = a_place(mongo, fresh_database, subject.manifest, subject.credentials, platform.key)
        rig = Rig(place, platform)
        await rig.set_up(folder=f"/{rig.connection}", clash="number")
        await rig.receive({f"{rig.connection}-{n}": os.urandom(size) for n, size in enumerate(SIZES)})

        await rig.work(60)
        large = (await rig.rows())[f"{rig.connection}-1"]
        assert large["status"] in ("pending", "failed"), "the fault never fired"
        seen = [subject.look(name) or b"" for name in subject.names() if not name.endswith(".part")]
        assert all(data in rig.platform.files.values() for data in seen), "half a file is seen"
        assert await said_of(rig, f"{rig.connection}-1"), "nobody was told"

        assert mount(small, "remount,size=50m") == 0
        for _ in range(3):
            await rig.lease_ends()
            await rig.work(60)
        await nothing_lost_or_doubled(rig, subject)
        rig.client.close()


async def said_of(rig: Rig, document: str) -> list[str]:
    """What was told of a document that did not go, or of its run."""
    events = [json.loads(owed["value"]) for owed in (await rig.sync())["owes"]]
    runs = [event["data"]["reason"] for event in events if "SyncFailed" in event["type"]]
    return runs + [
        told["reason"]
        for event in events
        for told in event["data"].get("documents", ())
        if told["document_id"] == document and told["status"] != "done"
    ]
