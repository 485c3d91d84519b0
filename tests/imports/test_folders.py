"""Folders are imported: from servers that nobody here wrote, through a worker."""

import hashlib
import io
import os
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from import_rig import told
from mails import pdf
from run_rig import Rig
from targets import Target

from sync_runner.lifecycle.sync import Standing, Sync
from sync_runner.store.shapes import dump


@pytest.fixture
def dav(wsgidav: Target, request: pytest.FixtureRequest) -> tuple[dict[str, Any], Path]:
    """Credentials of a folder of the test's own, and where it is on disk."""
    folder = wsgidav.folder / f"box-{abs(hash(request.node.nodeid))}"
    folder.mkdir()
    login = {"username": wsgidav.username, "password": wsgidav.password}
    return {"url": f"{wsgidav.url}{folder.name}", **login}, folder


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def again(rig: Rig) -> None:
    """Another run, as if one were due now."""
    await rig.due()
    await rig.work()


async def test_a_file_comes_in_once_and_again_only_when_its_bytes_change(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "a.pdf", pdf("a"))
    put(folder / "below" / "b.pdf", pdf("b"))
    rig = import_from("webdav", login)
    await rig.set_up(folder="/", subfolders=True)
    began = datetime.now(UTC)
    await rig.work()
    first = await told(rig)
    keeping = {datetime.fromisoformat(d["kept_until"]) for d in first}

    await again(rig)
    assert await told(rig) == first

    put(folder / "a.pdf", pdf("a, corrected"))
    await again(rig)

    assert [(d["external_id"], d["version"]) for d in first] == [("a.pdf", "1"), ("below/b.pdf", "1")]
    assert min(keeping) >= began.replace(microsecond=0) + timedelta(days=30), "told before the bytes go"
    assert max(keeping) < datetime.now(UTC) + timedelta(days=30)
    assert [(d["external_id"], d["version"]) for d in (await told(rig))[2:]] == [("a.pdf", "2")]


async def test_a_first_import_is_limited_and_what_it_left_never_comes_while_all_that_is_newer_does(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    for name in "abc":
        put(folder / f"{name}.pdf", pdf(name))
        os.utime(folder / f"{name}.pdf", (time.time() - 3600,) * 2)
    rig = import_from("webdav", login)
    await rig.set_up(folder="/", first_most=1)
    await rig.work()
    first = [d["external_id"] for d in await told(rig)]

    put(folder / "a.pdf", pdf("a, corrected"))
    put(folder / "new.pdf", pdf("new"))
    await again(rig)

    assert first == ["a.pdf"]
    later = {(d["external_id"], d["version"]) for d in (await told(rig))[1:]}
    assert later == {("a.pdf", "2"), ("new.pdf", "1")}


async def test_archives_with_many_documents_are_told_of_part_by_part(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    for number in range(9):
        put(folder / f"{number}.zip", packed({f"{n}.pdf": pdf(f"{number} {n}") for n in range(150)}))
    rig = import_from("webdav", login)
    await rig.set_up(folder="/")
    await rig.work()

    rows = await rig.rows()
    assert len(rows) == 9 * 150
    assert {"next_at" in row for row in rows.values()} == {False}, "all are told of"
    assert (await rig.sync())["last"]["parts"] > 9 * 150 / 500 + 1, (
        "more events than one telling at the end makes"
    )


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


async def test_a_file_that_is_renamed_is_not_imported_again_and_a_copy_is_told_to_be_one(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "a.pdf", pdf("a"))
    rig = import_from("webdav", login)
    await rig.set_up(folder="/", subfolders=True)
    await rig.work()

    (folder / "a.pdf").rename(folder / "renamed.pdf")
    await again(rig)
    put(folder / "copy.pdf", pdf("a"))
    await again(rig)

    documents = await told(rig)
    assert [d["external_id"] for d in documents] == ["a.pdf", "copy.pdf"]
    assert documents[1]["duplicate_of"] == f"{rig.connection}/a.pdf/1"


async def test_the_same_bytes_from_two_connections_of_an_account_are_told_and_never_across_accounts(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    said = []
    for place, account in (("one", None), ("two", None), ("three", "another")):
        put(folder / place / f"{place}.pdf", pdf("a"))
        rig = import_from("webdav", login)
        rig.account = account or rig.account
        await rig.set_up(folder=f"/{place}")
        await rig.work()
        said.append((rig.connection, [d.get("duplicate_of") for d in await told(rig)]))

    first = said[0][0]
    assert [same for _, same in said] == [[None], [f"{first}/one/one.pdf/1"], [None]]


async def test_a_file_that_is_deleted_at_the_source_is_noted_and_kept_here(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "a.pdf", pdf("a"))
    rig = import_from("webdav", login)
    await rig.set_up(folder="/")
    await rig.work()

    was = (folder / "a.pdf").stat().st_mtime_ns
    (folder / "a.pdf").unlink()
    await again(rig)

    row = (await rig.rows())["a.pdf"]
    assert row["status"] == "done"
    assert "gone_at" in row
    assert await rig.database["content.files"].count_documents({"_id": row["content"]}) == 1

    put(folder / "a.pdf", pdf("a"))
    os.utime(folder / "a.pdf", ns=(was, was))  # as a backup brings it back
    await again(rig)

    assert "gone_at" not in (await rig.rows())["a.pdf"]
    assert len(await told(rig)) == 1


async def test_files_older_than_the_day_that_was_asked_for_are_never_looked_at(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "old.pdf", pdf("old"))
    os.utime(folder / "old.pdf", (time.time() - 40 * 86400,) * 2)
    put(folder / "new.pdf", pdf("new"))
    rig = import_from("webdav", login)

    await rig.set_up(folder="/", since=time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)))
    await rig.work()

    assert [d["filename"] for d in await told(rig)] == ["new.pdf"]


async def test_a_file_is_moved_away_only_after_it_is_told_of_and_never_over_another(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "a.pdf", pdf("a"))
    put(folder / "Done" / "a.pdf", pdf("an older one"))
    rig = import_from("webdav", login)

    await rig.set_up(folder="/", subfolders=True, afterwards="move", move_to="/Done")
    await rig.work()

    assert [d["filename"] for d in await told(rig)] == ["a.pdf"]
    assert not (folder / "a.pdf").exists()
    there = {each.read_bytes() for each in (folder / "Done").iterdir()}
    assert there == {pdf("a"), pdf("an older one")}


async def test_nothing_is_deleted_unless_that_is_asked_for_in_words(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig]
) -> None:
    login, folder = dav
    put(folder / "a.pdf", pdf("a"))
    rig = import_from("webdav", login)

    await rig.set_up(folder="/", afterwards="delete")
    await rig.work()

    assert (folder / "a.pdf").exists()
    assert "SyncFailed" in await rig.events()


@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.REMOVED])
async def test_what_paperbus_exported_itself_is_not_brought_back(
    dav: tuple[dict[str, Any], Path], import_from: Callable[..., Rig], standing: Standing
) -> None:
    """Also once the export is removed: its files lie there as before."""
    login, folder = dav
    put(folder / "ours.pdf", pdf("ours"))
    put(folder / "theirs.pdf", pdf("theirs"))
    rig = import_from("webdav", login)
    await rig.set_up(folder="/")
    await exported_before(rig, standing, "/ours.pdf", pdf("ours"))

    await rig.work()

    rows = await rig.rows()
    assert [d["filename"] for d in await told(rig)] == ["theirs.pdf"]
    assert rows["ours.pdf"]["status"] == "skipped"
    assert "itself" in rows["ours.pdf"]["message"]


async def exported_before(rig: Rig, standing: Standing, target: str, data: bytes) -> None:
    """Another connection of the account put these bytes there."""
    export = Sync(id="export", account="acme", direction="export", standing=standing)
    await rig.database["syncs"].insert_one({"_id": export.id, "account": export.account} | dump(export))
    await rig.database["ledger"].insert_one(
        {
            "_id": "export/d/1",
            "account": "acme",
            "connection": "export",
            "document": "d",
            "version": 1,
            "status": "done",
            "target": target,
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    )
