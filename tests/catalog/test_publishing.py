"""From folders to events: once for each real change, live, and never lost."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import AsyncExitStack
from typing import Any

from providers.manifests import CATALOGUE, folders
from schemas.envelope import Reader
from schemas.topics import CATALOG_EVENTS


async def test_every_provider_is_published_once_and_a_restart_publishes_nothing(rig: Any) -> None:
    rig.add("Acme Docs")
    expected = {folder.name for folder in folders(CATALOGUE)} | {"acme-docs"}
    async with rig.started():
        first = await rig.events()
    async with rig.started():
        await asyncio.sleep(0.5)
        second = await rig.events()

    assert sorted(record.key.decode() for record in first) == sorted(expected)
    assert {record.key: record.value for record in second} == {record.key: record.value for record in first}
    assert len(second) == len(first)
    reader = Reader(CATALOG_EVENTS.types)
    for record in first:
        event = reader.read(record.value)
        assert event.subject == event.data.provider_id == event.data.manifest.id
        assert event.accountid is None
        assert int(event.sequence) == event.data.revision == 1


async def test_two_replicas_publish_each_provider_once_and_one_takes_over_from_the_other(rig: Any) -> None:
    folder = rig.add("Acme Docs")
    other = rig.beside("127.0.0.42")
    running = {each.address: AsyncExitStack() for each in (rig, other)}
    async with running[rig.address], running[other.address]:
        started = (running[each.address].enter_async_context(each.started()) for each in (rig, other))
        await asyncio.gather(*started)
        rig.edit(folder, "aliases: []", "aliases: [Zebra]")
        for each in (rig, other):
            await each.until(lambda each=each: _has(each.finds("zebra"), "acme-docs"))
        await rig.until(lambda: _has(rig.said("acme-docs"), ("ProviderPublished", 2)))

        publisher = (await rig.publisher()).removeprefix("catalog-")
        await running[publisher].aclose()
        rig.edit(folder, "Zebra", "Quagga")
        await rig.until(lambda: _has(rig.said("acme-docs"), ("ProviderPublished", 3)))
    await other.http.aclose()
    published = [(record.key, json.loads(record.value)["data"]["revision"]) for record in await rig.events()]

    assert len(published) == len(set(published)) == len(list(folders(CATALOGUE))) + 3
    assert [revision for key, revision in published if key == b"acme-docs"] == [1, 2, 3]


async def test_an_edit_is_taken_live_and_a_comment_is_no_change(rig: Any) -> None:
    folder = rig.add("Acme Docs")
    async with rig.started():
        rig.edit(folder, "limits:", "# only a comment\nlimits:")
        await asyncio.sleep(3)
        assert await rig.said("acme-docs") == [("ProviderPublished", 1)]

        rig.edit(folder, "aliases: []", "aliases: [Zebra]")
        await rig.until(lambda: _has(rig.finds("zebra"), "acme-docs"))
        assert await rig.said("acme-docs") == [("ProviderPublished", 1), ("ProviderPublished", 2)]


async def test_a_broken_edit_keeps_the_last_good_revision_until_it_is_mended(rig: Any, caplog: Any) -> None:
    folder = rig.add("Acme Docs")
    async with rig.started():
        rig.edit(folder, "aliases: []", "alaises: []")
        await asyncio.sleep(3)
        assert await rig.finds("acme docs") == ["acme-docs"]
        assert await rig.said("acme-docs") == [("ProviderPublished", 1)]
        assert "`alaises` is not known here; did you mean `aliases`?" in caplog.text
        assert "its last good revision stays" in caplog.text

        rig.edit(folder, "alaises: []", "aliases: [mended]")
        await rig.until(lambda: _has(rig.finds("mended"), "acme-docs"))


async def test_a_folder_that_goes_retires_and_one_that_comes_back_is_published_again(rig: Any) -> None:
    folder = rig.add("Acme Docs")
    async with rig.started():
        shutil.move(folder, folder.parent.parent / "aside")
        await rig.until(lambda: _equals(rig.finds("acme docs"), []))
        await rig.until(lambda: _has(rig.said("acme-docs"), ("ProviderRetired", 2)))
        detail = (await rig.http.get("/v1/providers/acme-docs")).json()
        assert detail["available"] is False

        shutil.move(folder.parent.parent / "aside", folder)
        await rig.until(lambda: _equals(rig.finds("acme docs"), ["acme-docs"]))
        assert (await rig.said("acme-docs"))[-1] == ("ProviderPublished", 3)


async def test_a_root_that_vanishes_retires_nothing(rig: Any) -> None:
    rig.add("Acme Docs")
    async with rig.started():
        aside = rig.folder.rename(rig.folder.parent / "unmounted")
        await asyncio.sleep(5)
        assert await rig.finds("acme docs") == ["acme-docs"]
        aside.rename(rig.folder)


async def test_a_change_of_a_provider_that_is_extended_reaches_those_that_extend_it(rig: Any) -> None:
    parent, child = rig.add("Acme Base"), rig.add("Acme Child")
    rig.edit(child, "extends: webdav", "extends: acme-base")
    rig.edit(child, "limits:\n  concurrency: 4\n", "")
    async with rig.started():
        rig.edit(parent, "concurrency: 4", "concurrency: 7")
        await rig.until(lambda: _has(rig.said("acme-child"), ("ProviderPublished", 2)))
        said = json.loads((await rig.events("acme-child"))[-1].value)

    assert said["data"]["manifest"]["limits"]["concurrency"] == 7


async def test_what_topic_or_store_lost_is_put_back(rig: Any, topics: Any) -> None:
    folder = rig.add("Acme Docs")
    async with rig.started():
        rig.edit(folder, "aliases: []", "aliases: [Zebra]")
        await rig.until(lambda: _has(rig.finds("zebra"), "acme-docs"))

    await rig.lose_the_store()
    async with rig.started():
        assert await rig.finds("zebra") == ["acme-docs"]
        said = await rig.said("acme-docs")
        rig.edit(folder, "Zebra", "Quagga")
        await rig.until(lambda: _has(rig.finds("quagga"), "acme-docs"))
    assert said == [("ProviderPublished", 1), ("ProviderPublished", 2)], "nothing older, nothing twice"
    assert (await rig.said("acme-docs"))[-1] == ("ProviderPublished", 3)

    await topics.empty()
    await topics.make_all()
    async with rig.started():
        await rig.until(lambda: _has(rig.said("acme-docs"), ("ProviderPublished", 4)))


async def test_the_events_are_keyed_and_typed_as_the_contract_says(rig: Any) -> None:
    async with rig.started():
        record = (await rig.events("sftp"))[0]

    event = json.loads(record.value)
    assert dict(record.headers)["content-type"] == b"application/cloudevents+json; charset=utf-8"
    assert event["type"] == "paperbus.ProviderPublished.v1"
    assert event["source"] == "/paperbus/catalog"
    assert set(event["data"]) == {"provider_id", "revision", "manifest"}


async def _has(found: Any, one: Any) -> bool:
    return one in await found


async def _equals(found: Any, expected: Any) -> bool:
    return await found == expected
