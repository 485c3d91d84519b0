"""The platform on servers of its own, for whoever breaks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lacking import unavailable
from running import Running, running
from servers import NoServer
from targets import Target, rclone_webdav

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of manifests besides our own."""
    return tmp_path_factory.mktemp("providers")


@pytest.fixture(scope="session")
def services(providers: Path) -> Iterator[Running]:
    try:
        with running("127.0.0.8", PAPERBUS_PROVIDERS=str(providers)) as services:
            yield services
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Target]:
    with rclone_webdav(tmp_path / "target") as target:
        yield target


Opens = Callable[[Path], AbstractContextManager[Target]]
