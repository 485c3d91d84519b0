"""The running platform, and an outsider who knows nothing but the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from outsider import Outsider
from running import Running, running
from servers import NoServer
from targets import Target, rclone_webdav


@pytest.fixture(scope="session")
def services() -> Iterator[Running]:
    try:
        with running("127.0.0.7") as services:
            yield services
    except NoServer as error:
        from conftest import unavailable

        unavailable(str(error))


@pytest.fixture
def outsider(services: Running) -> Iterator[Outsider]:
    one = Outsider(
        services.kafka,
        services.platform_key,
        services.url("connections"),
        services.url("sync-runner"),
        services.environment["PAPERBUS_SERVICE_KEYS"],
    )
    with one.listening():
        yield one


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Target]:
    with rclone_webdav(tmp_path / "target") as target:
        yield target
