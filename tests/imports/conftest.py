"""Imports as they run: MongoDB, a worker, and servers that nobody here wrote."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from imapservers import MailServer
from import_rig import Box
from run_rig import Platform, Rig, a_place

from providers.manifests import CATALOGUE, load
from schemas.manifest import Manifest


@pytest.fixture
def box(mail_server: MailServer, request: pytest.FixtureRequest) -> Box:
    name = f"box-{abs(hash(request.node.nodeid))}"
    box = Box(mail_server, name)
    client = box.talk()
    client.create(name)
    client.logout()
    return box


@pytest.fixture
def import_from(mongo: str, fresh_database: str) -> Iterator[Callable[..., Rig]]:
    """A connection that imports; its run is ready once it is set up."""
    rigs: list[Rig] = []

    def at(manifest: Manifest | str, credentials: dict[str, Any]) -> Rig:
        whole = load(CATALOGUE / manifest) if isinstance(manifest, str) else manifest
        platform = Platform()
        place = a_place(mongo, fresh_database, whole, credentials, platform.key)
        rigs.append(Rig(place, platform, direction="import"))
        return rigs[-1]

    yield at
    for rig in rigs:
        rig.client.close()
