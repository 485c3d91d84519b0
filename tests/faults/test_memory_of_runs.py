"""A worker's memory does not grow with how many documents it moves, or how large they are."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from kill_trial import Rig
from run_rig import Platform, a_place, work_alone
from subjects import Subject, dav
from targets import rclone_webdav

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(900)]
LARGE = 2_200_000_000
"""More bytes than 31 bits count."""
BLOCK = bytes(1_000_000)


class Endless(Platform):
    """A platform whose documents are zeros, as many as it was told."""

    async def _give(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(LARGE)})
        await answer.prepare(request)
        for _ in range(LARGE // len(BLOCK)):
            await answer.write(BLOCK)
        return answer


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Subject]:
    folder = tmp_path / "files"
    folder.mkdir()
    with rclone_webdav(folder) as target:
        yield dav(target)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform().serving() as platform:
        yield platform


async def measured(rig: Rig) -> tuple[float, float]:
    """Megabytes of a worker in a process of its own: once it is at work, and at most."""
    child = multiprocessing.get_context("forkserver").Process(
        target=work_alone, args=(rig.place, rig.connection)
    )
    child.start()
    seen: list[float] = []
    try:
        while child.is_alive():
            done = await rig.database["ledger"].count_documents({"attempts": {"$gt": 0}}, limit=1)
            if done:
                seen.append(psutil.Process(child.pid).memory_info().rss / 1e6)
            await asyncio.sleep(0.1)
    except psutil.NoSuchProcess:
        pass
    assert await asyncio.to_thread(child.join, 10) is None
    assert child.exitcode == 0
    return seen[min(20, len(seen) - 1)], max(seen)


async def test_ten_thousand_documents_take_no_more_memory_than_a_few(
    webdav: Subject, platform: Platform, mongo: str, fresh_database: str
) -> None:
    rig = Rig(a_place(mongo, fresh_database, webdav.manifest, webdav.credentials, platform.key), platform)
    await rig.set_up(folder="/in", sidecar="csv")
    await rig.receive({f"d{number}": b"a small document" for number in range(10_000)})

    early, most = await measured(rig)

    assert await rig.database["ledger"].count_documents({"status": "done"}) == 10_000
    assert await rig.database["ledger"].count_documents({"next_at": {"$exists": True}}) == 0
    assert most - early < 25, f"{early:.0f} MB at the beginning, {most:.0f} MB at most"
    rig.client.close()


async def test_a_large_document_passes_in_pieces(webdav: Subject, mongo: str, fresh_database: str) -> None:
    async with Endless().serving() as platform:
        rig = Rig(a_place(mongo, fresh_database, webdav.manifest, webdav.credentials, platform.key), platform)
        await rig.set_up()
        await rig.receive({"large": b"", "small": b""})
        digest = hashlib.sha256()
        for _ in range(LARGE // len(BLOCK)):
            digest.update(BLOCK)
        told = {"size": LARGE, "sha256": digest.hexdigest()}
        await rig.database["documents"].update_one({"document": "large"}, {"$set": told})

        _, most = await measured(rig)

        rows = await rig.rows()
        assert rows["large"]["status"] == "done", rows["large"]
        assert most < 250, f"{most:.0f} MB"
        rig.client.close()
