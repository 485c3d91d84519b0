"""A rig for real runs: MongoDB, a platform, a provider's server."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

import targets
from run_rig import Platform, Rig, a_place
from subjects import LOOPBACK, Subject, bucket, dav, ssh
from targets import Target

from providers.egress import Guard
from providers.reach import Reach


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """A platform that serves documents."""
    async with Platform().serving() as platform:
        yield platform


@pytest.fixture
def rig_at(mongo: str, fresh_database: str, platform: Platform) -> Iterator[Callable[[Subject], Rig]]:
    """A connection to a provider's server."""
    rigs: list[Rig] = []

    def at(subject: Subject) -> Rig:
        place = a_place(mongo, fresh_database, subject.manifest, subject.credentials, platform.key)
        rigs.append(Rig(place, platform))
        return rigs[-1]

    yield at
    for rig in rigs:
        rig.client.close()


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Subject]:
    """An rclone server of the test's own: it remembers listings, so nobody else may change its folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    with targets.rclone_webdav(folder) as target:
        yield dav(target)


@pytest.fixture(params=["rclone_webdav", "wsgidav", "rclone_sftp", "openssh", "rclone_s3"])
async def subject(request: pytest.FixtureRequest) -> Any:
    """Each driver at a server that nobody here wrote; used once a module, so empty."""
    target: Target = request.getfixturevalue(request.param)
    if request.param == "wsgidav":  # It cuts the name off that a file is moved to.
        return dav(target, forbidden_characters="#?;")
    if request.param == "rclone_webdav":
        return dav(target)
    if request.param == "rclone_s3":
        (target.folder / "papers").mkdir()
        return bucket(target)
    async with Reach(Guard(LOOPBACK)) as reach:
        return await ssh(target, reach)
