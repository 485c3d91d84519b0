"""What every driver promises, at every server: see `providers.drivers.Driver`."""

import asyncio
import hashlib
import resource
import socket
import traceback
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from subjects import CANARY, Subject

from providers.content import Body, of_bytes
from providers.drivers import Driver, Receipt
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40
ODD = [
    "ä ö ü ß.pdf",
    "a#b%c&d+e?f€.pdf",
    "100 %20 %2F.pdf",
    "…" * 60 + ".pdf",
    "ends with dots...",
    "ends with a space ",
    "[x]{y};=@!$'(),~.pdf",
    '2026-05-15 Café <b>Noir<_b> & "fils" + 1 R-1004.pdf',
]


def a_folder() -> str:
    return f"/{uuid4().hex[:12]}"


async def refused(driver: Driver, path: str, body: Body) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await driver.put(path, body)
    return caught.value


async def test_a_login_that_is_right_passes_the_check_and_says_whose_it_is(subject: Subject, reach: Reach):
    async with subject.open(reach) as driver:
        await driver.check()

        assert "@" in await driver.identity()


async def test_a_wrong_login_is_told_as_such_without_repeating_it(subject: Subject, reach: Reach):
    if not subject.wrong:
        pytest.skip("by capability: this server lets everybody in")
    with pytest.raises(ProviderError) as caught:
        async with subject.open(reach, **subject.wrong) as driver:
            await driver.check()

    assert (caught.value.kind, caught.value.reason) == ("auth", Reason.CREDENTIALS_WRONG)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


async def test_a_host_that_does_not_listen_is_unreachable(subject: Subject, reach: Reach):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderError) as caught:
            async with subject.open(reach, **subject.at("127.0.0.1", taken.getsockname()[1])) as driver:
                await driver.check()

    assert (caught.value.kind, caught.value.reason) == ("transient", Reason.HOST_UNREACHABLE)


async def test_a_name_that_does_not_resolve_is_unreachable(subject: Subject, reach: Reach):
    with pytest.raises(ProviderError) as caught:
        async with subject.open(reach, **subject.at("no-such-host.invalid", 443)) as driver:
            await driver.check()

    assert caught.value.reason is Reason.HOST_UNREACHABLE


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "2852039166"])
async def test_a_forbidden_address_is_refused(subject: Subject, reach: Reach, host: str):
    with pytest.raises(ProviderError) as caught:
        async with subject.open(reach, **subject.at(host, 80)) as driver:
            await driver.check()

    assert caught.value.reason is Reason.ADDRESS_REFUSED


async def test_a_root_that_is_not_there_is_told(subject: Subject, reach: Reach):
    with pytest.raises(ProviderError) as caught:
        async with subject.open(reach, **subject.missing) as driver:
            await driver.check()

    assert caught.value.reason is Reason.DESTINATION_MISSING


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_001])
async def test_what_was_put_is_there_byte_for_byte(subject: Subject, reach: Reach, size: int):
    data = (PDF * (size // len(PDF) + 1))[:size]
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        receipt = await driver.put(f"{folder}/a.pdf", of_bytes(data))
        found = await driver.find(f"{folder}/a.pdf")
        same = await driver.same_bytes(f"{folder}/a.pdf", size, hashlib.sha256(data).hexdigest())
        other = await driver.same_bytes(f"{folder}/a.pdf", size, hashlib.sha256(b"other").hexdigest())

    assert subject.look(f"{folder}/a.pdf") == data
    assert receipt.path == f"{folder}/a.pdf"
    assert found is not None
    assert found.size == size
    assert same
    assert not other


async def test_what_is_put_twice_is_there_once_and_the_second_is_a_conflict(subject: Subject, reach: Reach):
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        await driver.put(f"{folder}/a.pdf", of_bytes(PDF))
        again = await refused(driver, f"{folder}/a.pdf", of_bytes(PDF))
        other = await refused(driver, f"{folder}/a.pdf", of_bytes(b"other"))

    assert (again.kind, again.reason) == (other.kind, other.reason) == ("conflict", Reason.EXISTS)
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/a.pdf"}
    assert subject.look(f"{folder}/a.pdf") == PDF


async def test_of_many_that_put_one_name_at_once_one_wins(subject: Subject, reach: Reach):
    folder, bodies = a_folder(), [of_bytes(PDF + bytes([each])) for each in range(6)]
    async with subject.open(reach) as driver:
        if not driver.capabilities.create_only:
            pytest.skip("by capability: this server cannot decide it, and the driver says so")
        await driver.make_folder(folder)
        puts = [driver.put(f"{folder}/a.pdf", body) for body in bodies]
        ends = await asyncio.gather(*puts, return_exceptions=True)

    winners = [each for each in ends if isinstance(each, Receipt)]
    losers = [each for each in ends if isinstance(each, ProviderError)]
    assert len(winners) == 1
    assert {each.kind for each in losers} <= {"conflict", "transient"}
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/a.pdf"}


async def test_a_file_is_replaced_only_while_it_is_the_version_that_was_seen(subject: Subject, reach: Reach):
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        await driver.put(f"{folder}/a.pdf", of_bytes(b"one"))
        found = await driver.find(f"{folder}/a.pdf")
        assert found is not None
        await driver.replace(f"{folder}/a.pdf", of_bytes(b"two, longer"), found.version)
        with pytest.raises(ProviderError) as caught:
            await driver.replace(f"{folder}/a.pdf", of_bytes(b"three"), found.version)
        seen = subject.look(f"{folder}/a.pdf")
        await driver.replace(f"{folder}/a.pdf", of_bytes(b"four"), None)

    assert (caught.value.kind, caught.value.reason) == ("conflict", Reason.REVISION_CONFLICT)
    assert seen == b"two, longer"
    assert subject.look(f"{folder}/a.pdf") == b"four"
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/a.pdf"}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_name_arrives_as_it_is(subject: Subject, reach: Reach, name: str):
    folder = f"{a_folder()}/Müller & Söhne 1 %"
    async with subject.open(reach) as driver:
        if set(name) & set(driver.capabilities.forbidden_characters):
            pytest.skip("by capability: the driver says that no such name can be given here")
        await driver.make_folder(folder)
        await driver.put(f"{folder}/{name}", of_bytes(PDF))
        found = await driver.find(f"{folder}/{name}")

    assert found is not None
    assert subject.look(f"{folder}/{name}") == PDF


@pytest.mark.parametrize("path", ["/../outside.pdf", "/a/../../b.pdf", "/line\nbreak.pdf", "/null\0.pdf"])
async def test_a_path_that_leaves_the_root_is_never_sent(subject: Subject, reach: Reach, path: str):
    async with subject.open(reach) as driver:
        error = await refused(driver, path, of_bytes(PDF))

    assert (error.kind, error.reason) == ("item_permanent", Reason.INVALID)


@pytest.mark.parametrize("said", [len(PDF) - 1, len(PDF) + 1, 0, len(PDF)])
async def test_bytes_that_are_not_the_announced_ones_leave_nothing(subject: Subject, reach: Reach, said: int):
    sha256 = hashlib.sha256(b"something else" if said == len(PDF) else PDF).hexdigest()
    body = Body(said, sha256, "application/pdf", of_bytes(PDF).open)
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        error = await refused(driver, f"{folder}/a.pdf", body)
        await driver.put(f"{folder}/b.pdf", of_bytes(PDF))

    assert (error.kind, error.reason) == ("item_permanent", Reason.CONTENT_CHANGED)
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/b.pdf"}


async def test_a_source_that_breaks_off_is_told_in_its_own_words_and_leaves_nothing_visible(
    subject: Subject, reach: Reach
):
    gone = ProviderError("transient", Reason.CONTENT_UNAVAILABLE, "The platform does not answer.")

    async def broken() -> AsyncIterator[bytes]:
        yield PDF[:5000]
        raise gone

    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        error = await refused(driver, f"{folder}/a.pdf", Body(len(PDF), "0" * 64, "x/y", broken))

    assert error is gone
    assert subject.look(f"{folder}/a.pdf") is None


async def test_a_large_document_passes_through_without_filling_the_memory(subject: Subject, reach: Reach):
    piece, count = bytes(256 * 1024), 192

    async def many() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield piece

    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(piece)
    body = Body(len(piece) * count, digest.hexdigest(), "application/pdf", many)
    folder = a_folder()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)
        await driver.put(f"{folder}/large.pdf", body)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        same = await driver.same_bytes(f"{folder}/large.pdf", body.size, body.sha256)

    assert same
    assert grown < 24 * 1024, f"{grown} KiB more for 48 MiB"


async def test_folders_are_offered_as_they_are_and_can_be_narrowed(subject: Subject, reach: Reach):
    above = a_folder()
    async with subject.open(reach) as driver:
        for name in ("Rechnungen 2026", "belege & mehr", "Archiv"):
            await driver.make_folder(f"{above}/{name}")
            await driver.put(f"{above}/{name}/a.pdf", of_bytes(PDF))
        await driver.put(f"{above}/no folder.pdf", of_bytes(PDF))
        offered = await driver.choices("folder", parent=above)
        narrowed = await driver.choices("folder", query="RECH", parent=above)
        below = await driver.choices("folder", parent=offered[0].value)
        at_root = await driver.choices("folder", query=above[1:])
        gone = await driver.choices("folder", parent=f"{above}/no such folder")

    assert [each.label for each in offered] == ["Archiv", "belege & mehr", "Rechnungen 2026"]
    assert [each.value for each in narrowed] == [f"{above}/Rechnungen 2026"]
    assert [each.value for each in at_root] == [above]
    assert below == gone == []


async def test_many_may_make_the_same_folders_at_once(subject: Subject, reach: Reach):
    folder = f"{a_folder()}/2026/11/Ausgang"
    async with subject.open(reach) as driver:
        await asyncio.gather(*(driver.make_folder(folder) for _ in range(8)))
        await driver.put(f"{folder}/a.pdf", of_bytes(PDF))
        there = await driver.folder_exists(folder)

    assert there
    assert subject.look(f"{folder}/a.pdf") == PDF


async def test_what_is_not_there_is_not_found(subject: Subject, reach: Reach):
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(folder)

        assert await driver.find(f"{folder}/no.pdf") is None
        assert not await driver.same_bytes(f"{folder}/no.pdf", 0, hashlib.sha256().hexdigest())


async def test_a_put_into_a_folder_that_is_gone_says_so(subject: Subject, reach: Reach):
    folder = a_folder()
    async with subject.open(reach) as driver:
        if await driver.folder_exists(folder):
            pytest.skip("by capability: folders are but parts of names here")
        error = await refused(driver, f"{folder}/a.pdf", of_bytes(PDF))

    assert error.reason is Reason.DESTINATION_MISSING


async def test_a_folder_in_the_way_is_seen_and_never_taken_away(subject: Subject, reach: Reach):
    folder = a_folder()
    async with subject.open(reach) as driver:
        await driver.make_folder(f"{folder}/a.pdf")
        if (found := await driver.find(f"{folder}/a.pdf")) is None:
            pytest.skip("by capability: folders are but parts of names here")
        await driver.put(f"{folder}/a.pdf/inside.pdf", of_bytes(PDF))
        error = await refused(driver, f"{folder}/a.pdf", of_bytes(PDF))
        with pytest.raises(ProviderError) as caught:
            await driver.replace(f"{folder}/a.pdf", of_bytes(PDF), None)
        same = await driver.same_bytes(f"{folder}/a.pdf", 0, hashlib.sha256().hexdigest())

    assert found.is_folder
    assert not same
    assert error.kind == caught.value.kind == "conflict"
    assert subject.look(f"{folder}/a.pdf/inside.pdf") == PDF
    assert {name for name in subject.names() if name.startswith(folder)} == {f"{folder}/a.pdf/inside.pdf"}
