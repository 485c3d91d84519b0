"""A real clamd with one signature of our own, and the file that every scanner knows."""

import base64
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from import_rig import Box, told
from mails import a_mail, pdf
from run_rig import Rig
from servers import NoServer
from targets import serving

from paperbus.local.folder import free_port
from providers.errors import ProviderError
from sync_runner.opening.blobs import Blob, TooLarge
from sync_runner.scanning import Clamd

EICAR = base64.b64decode(
    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
)


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("there is no clamd here: apt-get install clamav-daemon")
    base = tmp_path_factory.mktemp("clamd")
    database = base / "db"
    database.mkdir()
    (database / "own.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    port = free_port()
    config = base / "clamd.conf"
    config.write_text(
        f"TCPSocket {port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {database}\nForeground yes\nUser root\n"
        "StreamMaxLength 1M\n"
    )
    try:
        with serving([program, "-c", str(config)], port, database):
            yield f"127.0.0.1:{port}"
    except NoServer as error:
        pytest.skip(str(error))


Scanned = Callable[[str, bytes], Awaitable[dict[str, dict[str, Any]]]]


@pytest.fixture
def scanned(clamd: str, box: Box, import_from: Callable[..., Rig]) -> Scanned:
    """The rows by their names, once a mail with it and a good one came in, which is told of."""

    async def rows_of(name: str, data: bytes) -> dict[str, dict[str, Any]]:
        box.put(a_mail(1, (name, data, "application/pdf"), ("good.pdf", pdf("good"), "application/pdf")))
        rig = import_from("imap", box.server.credentials)
        rig.clamd = clamd
        await rig.set_up(mailbox=box.name)
        await rig.work()
        assert [document["filename"] for document in await told(rig)] == ["good.pdf"]
        return {row["filename"]: row for row in (await rig.rows()).values()}

    return rows_of


async def test_an_infected_document_is_named_and_a_clean_one_is_not(clamd: str) -> None:
    scanner = Clamd(clamd)

    assert await scanner.scan(Blob.of(pdf("clean"))) is None
    assert await scanner.scan(Blob.of(b"before " + EICAR)) == "Eicar-Test-Signature.UNOFFICIAL"


async def test_a_document_that_is_too_large_for_the_scanner_is_rejected_once_and_not_tried_for_ever(
    scanned: Scanned,
) -> None:
    rows = await scanned("large.pdf", pdf() + bytes(6_000_000))

    assert (rows["large.pdf"]["status"], "next_at" in rows["large.pdf"]) == ("rejected", False)
    assert "larger than the virus scanner" in rows["large.pdf"]["message"]


async def test_a_scanner_that_hangs_up_in_the_middle_is_still_heard(clamd: str) -> None:
    large = Blob.of(pdf() + bytes(6_000_000))
    for _ in range(20):
        with pytest.raises(TooLarge):
            await Clamd(clamd).scan(large)
    large.close()


async def test_without_an_answer_nothing_comes_in_unscanned() -> None:
    with pytest.raises(ProviderError) as wrong:
        await Clamd(f"127.0.0.1:{free_port()}").scan(Blob.of(b"x"))

    assert wrong.value.later


async def test_an_infected_attachment_is_rejected_and_its_bytes_are_not_kept(scanned: Scanned) -> None:
    rows = await scanned("bad.pdf", pdf() + EICAR)

    assert rows["bad.pdf"]["status"] == "rejected"
    assert "Eicar" in rows["bad.pdf"]["message"]
    assert "content" not in rows["bad.pdf"]


def test_the_signature_is_not_in_this_file_as_it_is() -> None:
    assert EICAR not in Path(__file__).read_bytes()
