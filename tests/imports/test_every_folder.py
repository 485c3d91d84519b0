"""A whole import from each kind of folder: what the worker promises, at servers that nobody here wrote."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from import_rig import told
from mails import pdf
from run_rig import LOOPBACK, Rig
from subjects import Subject, ftp, moto, ssh
from targets import Target

from providers.content import of_bytes
from providers.drivers import Driver
from providers.egress import Guard
from providers.reach import Reach

pytestmark = pytest.mark.targets
SERVERS = ["openssh", "vsftpd", "moto_s3"]
"""WebDAV is looked at more closely in `test_folders`."""


async def subject_at(target: Target, kind: str, reach: Reach) -> Subject:
    if kind == "openssh":
        return await ssh(target, reach)
    return {"vsftpd": ftp, "moto_s3": moto}[kind](target)


async def put(driver: Driver, path: str, data: bytes) -> None:
    await driver.make_folder(path.rpartition("/")[0])
    await driver.put(path, of_bytes(data))


@pytest.mark.parametrize("kind", SERVERS)
async def test_files_come_in_once_with_each_new_version_and_are_put_away_once_they_are_told_of(
    kind: str, request: pytest.FixtureRequest, import_from: Callable[..., Rig]
) -> None:
    target: Target = request.getfixturevalue(kind)
    top = f"/{uuid4().hex[:8]}"
    async with Reach(Guard(LOOPBACK)) as reach:
        subject = await subject_at(target, kind, reach)
        rig = import_from(subject.manifest, dict(subject.credentials))
        async with subject.open(reach) as driver:
            await put(driver, f"{top}/a.pdf", pdf("a"))
            await put(driver, f"{top}/below/b.pdf", pdf("b"))
            await put(driver, f"{top}/notes.txt", b"no document")
            await rig.set_up(folder=top, subfolders=True, pattern="*.pdf")
            await rig.work()
            first = [(d["filename"], d["version"]) for d in await told(rig)]

            await driver.replace(f"{top}/a.pdf", of_bytes(pdf("a, corrected")), None)
            await put(driver, f"{top}/c.pdf", pdf("c"))
            moving = {"options.afterwards": "move", "options.move_to": f"{top}/Done"}
            await rig.database["syncs"].update_one({"_id": rig.connection}, {"$set": moving})
            await rig.due()
            await rig.work()
            await rig.due()
            await rig.work()

    assert sorted(first) == [("a.pdf", "1"), ("b.pdf", "1")]
    documents = await told(rig)
    assert sorted((d["filename"], d["version"]) for d in documents[2:]) == [("a.pdf", "2"), ("c.pdf", "1")]
    assert subject.look(f"{top}/Done/a.pdf") == pdf("a, corrected")
    assert subject.look(f"{top}/Done/c.pdf") == pdf("c")
    assert subject.look(f"{top}/a.pdf") is None
    assert subject.look(f"{top}/below/b.pdf") == pdf("b"), "what came before that was asked for stays"
