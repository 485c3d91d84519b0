"""What every source of files promises, at every server: see `providers.sources.Source` and
`providers.folders.Files`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from servers import NoServer
from subjects import Subject, ftp
from targets import vsftpd

from providers.content import of_bytes
from providers.errors import ProviderError
from providers.reach import Reach
from providers.sources import Afterwards, Item, Source
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


async def filled(subject: Subject, reach: Reach, *names: str) -> str:
    """A new folder with these files in it."""
    folder = f"/{uuid4().hex[:12]}"
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        for name in names:
            if "/" in name:
                await driver.make_folder(f"{folder}/{name.rpartition('/')[0]}")
            await driver.put(f"{folder}/{name}", of_bytes(PDF + name.encode()))
    return folder


async def listed(source: Source, since: datetime | None = None) -> dict[str, Item]:
    items: dict[str, Item] = {}
    cursor, last = None, False
    while not last:
        page = await source.page(cursor, since)
        items |= {item.id: item for item in page.items}
        cursor, last = page.cursor, page.last
    return items


async def read(source: Source, item: Item, start: int = 0) -> bytes:
    return b"".join([chunk async for chunk in source.fetch(item, start)])


async def refused(source: Source, item: Item) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await read(source, item)
    return caught.value


async def test_what_is_there_is_listed_with_its_size_and_time_and_read_byte_for_byte(
    subject: Subject, reach: Reach
):
    began = datetime.now(UTC) - timedelta(minutes=5)
    folder = await filled(subject, reach, "a.pdf", "Müller & Söhne 1 %.pdf", "b.txt", ".hidden.pdf")
    async with subject.source(reach, folder=folder, pattern="*.pdf") as source:
        items = await listed(source)
        again = await listed(source)
        whole = {name: await read(source, item) for name, item in items.items()}
        rest = await read(source, items[f"{folder}/a.pdf"], 1000)

    assert set(items) == {f"{folder}/a.pdf", f"{folder}/Müller & Söhne 1 %.pdf"}
    assert {name: item.version for name, item in items.items()} == {
        name: item.version for name, item in again.items()
    }
    assert whole == {path: PDF + path.rpartition("/")[2].encode() for path in items}
    assert rest == (PDF + b"a.pdf")[1000:]
    assert all(item.size == len(whole[path]) for path, item in items.items())
    assert all(item.received_at is not None and item.received_at > began for item in items.values())


async def test_folders_below_are_walked_only_when_asked_for(subject: Subject, reach: Reach):
    folder = await filled(subject, reach, "a.pdf", "2026/b.pdf", "2026/11/c.pdf")
    async with (
        subject.source(reach, folder=folder) as flat,
        subject.source(reach, folder=folder, subfolders=True) as deep,
    ):
        top, everything = await listed(flat), await listed(deep)
        count = await deep.count(None)

    assert set(top) == {f"{folder}/a.pdf"}
    assert set(everything) == {f"{folder}/{name}" for name in ("a.pdf", "2026/b.pdf", "2026/11/c.pdf")}
    assert count == 3


async def test_a_folder_that_is_not_there_says_so(subject: Subject, reach: Reach):
    async with subject.open(reach) as driver:
        if await driver.folder_exists("/no such folder"):
            pytest.skip("by capability: folders are but parts of names here")
    async with subject.source(reach, folder="/no such folder") as source:
        with pytest.raises(ProviderError) as caught:
            await listed(source)

    assert (caught.value.kind, caught.value.reason) == ("config", Reason.DESTINATION_MISSING)


async def test_a_file_that_was_changed_since_it_was_listed_is_never_given_as_that_version(
    subject: Subject, reach: Reach
):
    folder = await filled(subject, reach, "a.pdf")
    async with subject.source(reach, folder=folder) as source:
        before = (await listed(source))[f"{folder}/a.pdf"]
        async with subject.open(reach) as driver:
            await driver.replace(f"{folder}/a.pdf", of_bytes(b"another one"), None)
        error = await refused(source, before)
        after = (await listed(source))[f"{folder}/a.pdf"]
        whole = await read(source, after)

    assert (error.kind, error.reason) == ("item_permanent", Reason.CONTENT_CHANGED)
    assert after.version != before.version
    assert whole == b"another one"


async def test_a_file_that_changes_while_it_is_read_is_given_whole_or_not_at_all(
    subject: Subject, reach: Reach
):
    data = PDF * 300
    folder = await filled(subject, reach)
    async with subject.open(reach) as driver, subject.source(reach, folder=folder) as source:
        await driver.put(f"{folder}/a.pdf", of_bytes(data))
        item = (await listed(source))[f"{folder}/a.pdf"]
        stream = source.fetch(item)
        got = await anext(stream)
        await driver.replace(f"{folder}/a.pdf", of_bytes(b"another one"), None)
        trouble: ProviderError | None = None
        try:
            got += b"".join([chunk async for chunk in stream])
        except ProviderError as error:
            trouble = error

    if trouble is None:
        assert got == data
    else:
        assert trouble.later or trouble.reason is Reason.CONTENT_CHANGED


async def test_a_file_that_may_be_listed_but_not_read_is_its_own_trouble(tmp_path: Path, reach: Reach):
    (tmp_path / "files" / "in").mkdir(parents=True)
    (tmp_path / "files" / "in" / "a.pdf").write_bytes(PDF)
    try:
        with vsftpd(tmp_path / "files", download_enable="NO") as target:
            async with ftp(target).source(reach, folder="/in") as source:
                items = await listed(source)
                error = await refused(source, items["/in/a.pdf"])
    except NoServer as missing:
        pytest.skip(str(missing))

    assert (error.kind, error.reason) == ("item_permanent", Reason.PERMISSION_MISSING)


async def test_a_file_that_is_gone_is_told_as_gone(subject: Subject, reach: Reach):
    folder = await filled(subject, reach, "a.pdf", "b.pdf")
    async with subject.source(reach, folder=folder) as source:
        items = await listed(source)
        item = items[f"{folder}/a.pdf"]
        assert await source.settle(item, Afterwards("delete")) is None
        again = await source.settle(item, Afterwards("delete"))
        error = await refused(source, item)
        gone = await source.gone(items.values())
        left = await listed(source)

    assert (error.kind, error.reason) == ("item_permanent", Reason.CONTENT_UNAVAILABLE)
    assert again is None
    assert list(gone) == [f"{folder}/a.pdf"]
    assert set(left) == {f"{folder}/b.pdf"}


async def test_a_file_that_was_replaced_since_is_neither_moved_nor_deleted(subject: Subject, reach: Reach):
    folder = await filled(subject, reach, "a.pdf")
    async with subject.open(reach) as driver, subject.source(reach, folder=folder) as source:
        before = (await listed(source))[f"{folder}/a.pdf"]
        await driver.replace(f"{folder}/a.pdf", of_bytes(b"another one"), None)
        await source.settle(before, Afterwards("delete"))
        await source.settle(before, Afterwards("move", f"{folder}/done"))

    assert subject.look(f"{folder}/a.pdf") == b"another one"
    assert subject.look(f"{folder}/done/a.pdf") is None


async def test_what_was_imported_is_moved_away_and_overwrites_nothing(subject: Subject, reach: Reach):
    folder = await filled(subject, reach, "a.pdf")
    done = f"{folder}/done/2026"
    options = {"folder": folder, "subfolders": True, "afterwards": "move", "move_to": done}
    places = []
    async with subject.source(reach, **options) as source:
        for content in (b"first", b"second"):
            item = (await listed(source))[f"{folder}/a.pdf"]
            places.append(await source.settle(item, Afterwards("move", done)))
            assert await source.settle(item, Afterwards("move", done)) is None  # it is done already
            assert await listed(source) == {}
            async with subject.open(reach) as driver:
                await driver.put(f"{folder}/a.pdf", of_bytes(content))

    assert len(set(places)) == 2
    assert places[0] == f"{done}/a.pdf"
    assert subject.look(places[0]) == PDF + b"a.pdf"
    assert subject.look(str(places[1])) == b"first"
    assert subject.look(f"{folder}/a.pdf") == b"second"


async def test_pages_go_on_after_a_name_whatever_comes_and_goes_between_them(
    subject: Subject, reach: Reach, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("providers.drivers.reading.PAGE", 2)
    names = [f"{number}.pdf" for number in range(5)]
    folder = await filled(subject, reach, *names)
    async with subject.source(reach, folder=folder) as source:
        page = await source.page(None, None)
        seen = [item.id for item in page.items]
        await source.settle(page.items[0], Afterwards("delete"))
        while not page.last:
            page = await source.page(page.cursor, None)
            seen += [item.id for item in page.items]

    assert sorted(seen) == [f"{folder}/{name}" for name in names]


@pytest.mark.parametrize("subject", ["rclone_ftp", "vsftpd", "rclone_sftp", "openssh"], indirect=True)
async def test_a_folder_of_more_entries_than_are_looked_at_is_refused_and_never_taken_in_part(
    subject: Subject, reach: Reach, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("providers.drivers.ftplists.SCANNED", 5)
    monkeypatch.setattr("providers.drivers.sftp_files.MOST_ENTRIES", 5)
    full = await filled(subject, reach, *(f"{number}.pdf" for number in range(5)))
    crowded = await filled(subject, reach, *(f"{number}.pdf" for number in range(6)))

    async with subject.source(reach, folder=crowded) as source:
        with pytest.raises(ProviderError) as caught:
            await source.page(None, None)
    async with subject.source(reach, folder=full) as source:
        whole = await listed(source)

    assert (caught.value.field, len(whole)) == ("folder", 5)
    assert "more than 5" in caught.value.message
