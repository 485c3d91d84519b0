"""Fixtures for whatever needs real servers. They start when first asked for, once a session.

A test that cannot get its server is skipped, loudly; with CI=true such a skip, and a run in which nothing
real ran, is a failure.
"""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

sys.path.insert(0, str(Path(__file__).parent))

import targets
from imapservers import MailServer, dovecot
from lacking import REAL, lacks, unavailable
from servers import NoServer, Topics, any_kafka, any_mongo, packaged_kafka, packaged_mongo
from targets import Target

settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any pace")

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a real Kafka, shared by the session. Topics are made by name: see `topics`."""
    try:
        with any_kafka() as bootstrap:
            yield bootstrap
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture(scope="session")
def mongo() -> Iterator[str]:
    """The URL of a real MongoDB replica set, shared by the session."""
    try:
        with any_mongo() as url:
            yield url
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture
def fresh_database(mongo: str) -> Iterator[str]:
    """The name of a database that is empty, and dropped afterwards."""
    from pymongo import MongoClient

    name = f"test_{uuid4().hex[:12]}"
    yield name
    with MongoClient(mongo) as client:
        client.drop_database(name)


@pytest.fixture
def topics(kafka: str) -> Topics:
    """Makes topics on the shared Kafka: `await topics.fresh()`, `await topics.make("a", partitions=3)`."""
    return Topics(kafka)


@pytest.fixture
async def all_topics(topics: Topics) -> Topics:
    """Every topic of the platform, empty, on the shared Kafka; no group remembers a place in them."""
    await topics.empty()
    await topics.make_all()
    return topics


@pytest.fixture(scope="module")
def fresh_kafka() -> Iterator:
    """A packaged Kafka of the module's own (`.bootstrap`, `.kill()`, `await .start_again()`)."""
    try:
        with packaged_kafka() as server:
            yield server
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture(scope="module")
def fresh_mongo() -> Iterator:
    """A packaged MongoDB of the module's own (`.url`, `.kill()`, `await .start_again()`)."""
    try:
        with packaged_mongo() as server:
            yield server
    except NoServer as error:
        unavailable(str(error))


def served(server: Callable[[Path], AbstractContextManager[Target]]) -> Callable[..., Iterator[Target]]:
    """A module's fixture for one of the servers of `targets.py`."""

    @pytest.fixture(scope="module")
    def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
        folder = tmp_path_factory.mktemp(server.__name__) / "files"
        folder.mkdir()
        try:
            with server(folder) as target:
                yield target
        except NoServer as error:
            unavailable(str(error))

    return target


rclone_webdav = served(targets.rclone_webdav)
rclone_sftp = served(targets.rclone_sftp)
rclone_s3 = served(targets.rclone_s3)
moto_s3 = served(targets.moto_s3)
wsgidav = served(targets.wsgidav)
openssh = served(targets.openssh)
rclone_ftp = served(targets.rclone_ftp)
vsftpd = served(targets.vsftpd)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    """A Dovecot of the module's own."""
    try:
        with dovecot() as server:
            yield server
    except NoServer as error:
        unavailable(str(error))


SERVERS = {"kafka", "mongo", "fresh_database", "topics", "all_topics", "fresh_kafka", "fresh_mongo"}
TARGETS = {
    "rclone_webdav",
    "rclone_sftp",
    "rclone_s3",
    "moto_s3",
    "wsgidav",
    "openssh",
    "rclone_ftp",
    "vsftpd",
}

TOGETHER = {
    "services": ("faults/test_frozen", "faults/test_full_disk", "faults/test_kill_serv"),
    "pages": ("console/test_walks", "deploy/", "local/", "outside/"),
    "platform": ("catalog/", "connections/", "imports/", "kit/", "sync_runner/", "window/"),
}
"""What shares a Kafka, a MongoDB and an address, the longest first. No address is in two of these."""


class Rooms(LoadScopeScheduling):
    """Shares tests out to the workers of pytest-xdist: what goes `TOGETHER` to one, other files to any.

    Marks (`xdist_group`) would say the same, but of pytest-xdist 3.8 they have no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return room(nodeid)


def room(nodeid: str) -> str:
    """What the test goes together with, or its file."""
    file = nodeid.partition("::")[0]
    inside = file.removeprefix("tests/")
    return next((name for name, begins in TOGETHER.items() if inside.startswith(begins)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    config.option.loadscopereorder = False  # by their number is not by their length
    return Rooms(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest rooms come first. Whoever asks for a server is marked so, without having to remember it."""
    order = list(TOGETHER)
    items.sort(key=lambda item: order.index(room(item.nodeid)) if room(item.nodeid) in order else len(order))
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if asked & SERVERS:
            item.add_marker(pytest.mark.servers)
        if asked & TARGETS:
            item.add_marker(pytest.mark.targets)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing real may be skipped: what a test needs is there, or the run has failed.

    What a server or protocol cannot do is no lack of the machine: `by capability: …` stays a skip.
    """
    report = yield
    why = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    marks = {marker.name for marker in item.iter_markers()}
    if IN_CI and report.skipped and lacks(why, marks):
        report.outcome = "failed"
        report.longrepr = f"CI must not skip this: {why}"
    return report


real_ran: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed and any(marker in report.keywords for marker in REAL):
        real_ran.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI, a whole run without one real server proves nothing."""
    if hasattr(session.config, "workerinput"):  # the whole is told by the controller of the workers
        return
    whole = not session.config.option.file_or_dir and not session.config.option.collectonly
    if IN_CI and whole and exitstatus == pytest.ExitCode.OK and not real_ran:
        session.config.get_terminal_writer().line(
            "No test ran against a real server: that is a failure in CI."
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
