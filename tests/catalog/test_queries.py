"""Every query of the catalogue's store uses an index, and none goes without the shard or the id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.handlers import record
from catalog.lifecycle import ManifestGone, ManifestRead
from catalog.reading import File, Logo
from catalog.store import CatalogStore
from catalog.wire import Wire
from kit.mongo import connect
from providers.manifests import CATALOGUE, folders, load

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROFILE_ALL, PROFILE_OFF = 2, 0


@pytest.fixture
async def kept(mongo: str, fresh_database: str) -> AsyncIterator[tuple[CatalogStore, Any]]:
    client = connect(mongo)
    database = client[fresh_database]
    store = CatalogStore(database, lambda: NOW, lambda: None)
    await store.declare()
    manifests = {folder.name: Wire.of(load(folder)) for folder in folders(CATALOGUE)}
    await record(store.providers, {id_: ManifestRead(manifest, NOW) for id_, manifest in manifests.items()})
    await store.keep_files(
        {id_: File("0" * 64, "logo.svg", ("files",)) for id_ in manifests},
        {id_: Logo("image/svg+xml", "0" * 64, b"<svg/>") for id_ in manifests},
    )
    yield store, database
    client.close()


async def test_no_hot_query_scans_a_collection(kept: tuple[CatalogStore, Any]) -> None:
    store, database = kept
    await database.command("profile", PROFILE_ALL)
    assert set(await store.read(["sftp", "webdav", "none"])) == {"sftp", "webdav"}
    assert set(await store.shown(["sftp", "webdav", "none"])) == {"sftp", "webdav"}
    assert [one async for one in store.listed(NOW)]
    assert await store.extending(["files"])
    assert not await store.nothing_owed()
    assert await store.files(["sftp"])
    assert await store.logo("sftp")
    await record(store.providers, {"sftp": ManifestRead(Wire.of(load(CATALOGUE / "sftp")), NOW)})
    await database.command("profile", PROFILE_OFF)

    seen = [one async for one in database["system.profile"].find({"op": {"$in": ["query", "update"]}})]
    plans = {(one["ns"].split(".", 1)[1], one.get("planSummary", "")) for one in seen}
    assert len(plans) >= 5
    assert not [plan for plan in plans if "COLLSCAN" in plan[1]], plans


async def test_what_was_recorded_is_read_back_as_it_was(kept: tuple[CatalogStore, Any]) -> None:
    store, _ = kept
    manifest = load(CATALOGUE / "sftp")

    found = (await store.read(["sftp"]))["sftp"]
    assert found.manifest == Wire.of(manifest)
    again = await record(store.providers, {"sftp": ManifestRead(Wire.of(manifest), NOW)})
    assert (again.changed, again.left) == (set(), set())
    edited = Wire.of(manifest.model_copy(update={"aliases": ("edited",)}))
    assert (await record(store.providers, {"sftp": ManifestRead(edited, NOW)})).changed == {"sftp"}
    assert (await store.read(["sftp"]))["sftp"].revision == 2
    assert (await store.shown(["sftp", "none"]))["sftp"].head["aliases"] == ["edited"]


async def test_a_folder_that_is_gone_is_forgotten_and_its_logo_is_not(kept: tuple[CatalogStore, Any]) -> None:
    store, _ = kept
    assert (await store.files(["sftp"]))["sftp"] == File("0" * 64, "logo.svg", ("files",))

    await store.forget_files(["sftp"])

    assert await store.files(["sftp"]) == {}
    assert await store.logo("sftp") == Logo("image/svg+xml", "0" * 64, b"<svg/>")


async def test_what_release_0_1_0_kept_is_read_searched_and_written_anew(
    kept: tuple[CatalogStore, Any],
) -> None:
    store, database = kept
    manifest = load(CATALOGUE / "sftp")
    older = {"$set": {"manifest": manifest.wire()}, "$unset": {"json": ""}}
    await database["providers"].update_one({"_id": "sftp"}, older)

    assert (await store.shown(["sftp"]))["sftp"].head["name"] == manifest.name.model_dump()
    assert (await record(store.providers, {"sftp": ManifestRead(Wire.of(manifest), NOW)})).changed == set()
    await record(store.providers, {"sftp": ManifestGone(NOW)})
    await record(store.providers, {"sftp": ManifestRead(Wire.of(manifest), NOW)})
    assert (await store.read(["sftp"]))["sftp"].manifest == Wire.of(manifest)
