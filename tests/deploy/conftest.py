"""A secured Kafka and MongoDB: TLS by an authority of the test's own, users, the documented rights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starting import command

sys.path.insert(0, str(Path(__file__).parent))

import secured


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> secured.Authority:
    return secured.Authority.fresh(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def kafka(
    authority: secured.Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[secured.SecuredKafka]:
    """With every topic and every right of `deploy/access.sh`."""
    server = secured.SecuredKafka(tmp_path_factory.mktemp("kafka"), authority)
    with secured.started(server):
        secured.grant(server)
        made = command("topics", **server.settings_of("topics"))
        assert made.returncode == 0, made.stderr
        yield server


@pytest.fixture(scope="module")
def mongo(
    authority: secured.Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[secured.SecuredMongo]:
    server = secured.SecuredMongo(tmp_path_factory.mktemp("mongo"), authority)
    with secured.started(server):
        yield server
