"""The driver `rest` on Mayan EDMS, a document archive that nobody here wrote, by its manifest alone."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archiveserver import PASSWORD, USER, Archive, archive
from import_rig import told
from mails import pdf
from run_rig import Rig
from servers import NoServer

from providers.egress import Guard
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import open_source
from schemas.manifest import Manifest
from schemas.reasons import Reason


@pytest.fixture
def mayan(tmp_path: Path) -> Iterator[Archive]:
    try:
        with archive(tmp_path) as server:
            yield server
    except NoServer as missing:
        pytest.skip(str(missing))


def in_pages_of(manifest: Manifest, size: int) -> Manifest:
    """The same, which reads so many documents a page."""
    whole = manifest.wire()
    whole["source"]["lists"][0]["paging"]["size"] = size
    return Manifest.model_validate(whole)


@pytest.mark.targets
@pytest.mark.timeout(900)  # the first time, it is made
async def test_documents_of_an_archive_come_in_once_and_a_newer_file_is_a_newer_version(
    mayan: Archive, import_from: Callable[..., Rig]
) -> None:
    files = {f"Rechnung Müller {n}.pdf": pdf(f"number {n}") for n in range(4)}
    ids = {name: mayan.put(name, data) for name, data in files.items()}
    login = {"url": mayan.url, "username": USER, "password": PASSWORD}
    manifest = in_pages_of(load(CATALOGUE / "mayan-edms"), 2)
    async with (
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_source(manifest, login, {}, reach) as source,
        open_source(manifest, login | {"password": "wrong"}, {}, reach) as stranger,
    ):
        who = await source.identity()
        with pytest.raises(ProviderError) as refused:
            await stranger.check()
    rig = import_from(manifest, login)
    await rig.set_up()
    await rig.work()
    first = await told(rig)

    await rig.due()
    await rig.work()
    second = (await told(rig))[len(first) :]
    name = "Rechnung Müller 3.pdf"
    mayan.replace(ids[name], name, pdf("corrected"))
    await rig.due()
    await rig.work()
    third = (await told(rig))[len(first) :]

    assert (who, refused.value.reason) == (USER, Reason.CREDENTIALS_WRONG)
    hashes = {each: hashlib.sha256(data).hexdigest() for each, data in files.items()}
    assert {d["filename"]: d["sha256"] for d in first} == hashes
    assert {d["external_id"] for d in first} == {str(id_) for id_ in ids.values()}
    assert second == []
    corrected = hashlib.sha256(pdf("corrected")).hexdigest()
    newer = [(d["external_id"], d["version"], d["sha256"]) for d in third]
    assert newer == [(str(ids[name]), "2", corrected)]
