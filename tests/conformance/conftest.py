"""The fixture that runs one suite over every driver, against every server that nobody here wrote."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from providers.egress import Guard
from providers.reach import Reach

sys.path.insert(0, str(Path(__file__).parent))

from shelves import Files, Mails, Shelf, records
from subjects import LOOPBACK, Subject, bucket, dav, ftp, moto, ssh
from targets import Target


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    """The guarded way out, with loopback listed as the demo does."""
    async with Reach(Guard(LOOPBACK)) as reach:
        yield reach


SUBJECTS = [
    "rclone_webdav",
    "wsgidav",
    "rclone_sftp",
    "openssh",
    "rclone_ftp",
    "vsftpd",
    "rclone_s3",
    "moto_s3",
]


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest, reach: Reach) -> Subject:
    """Each driver at each server; the server runs for the module."""
    return await subject_at(request.param, request, reach)


async def subject_at(server: str, request: pytest.FixtureRequest, reach: Reach) -> Subject:
    target: Target = request.getfixturevalue(server)
    match server:
        case "rclone_webdav":
            return dav(target, create_only=True)
        case "wsgidav":  # It cuts the name off that a file is moved to.
            return dav(target, forbidden_characters="#?;")
        case "rclone_sftp" | "openssh":
            return await ssh(target, reach)
        case "rclone_ftp" | "vsftpd":
            return ftp(target)
        case "rclone_s3":
            (target.folder / "papers").mkdir(exist_ok=True)
            return bucket(target)
        case _:
            return moto(target)


@pytest.fixture(params=[*SUBJECTS, "dovecot", "records"])
async def shelf(request: pytest.FixtureRequest, reach: Reach) -> AsyncIterator[Shelf]:
    """A place of the test's own for each kind of source, at each server."""
    if request.param == "records":
        async with records(reach) as there:
            yield there
    elif request.param == "dovecot":
        yield Mails(request.getfixturevalue("mail_server"), reach)
    else:
        yield Files(await subject_at(request.param, request, reach), reach)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of a subject needs its server, and module by module each server is started once."""
    for item in items:
        if {"subject", "shelf"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.targets)
