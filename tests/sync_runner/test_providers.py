"""The manifests that are known, on a real MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kit.mongo import connect
from schemas.manifest import Manifest
from sync_runner.store.providers import MongoProviders

pytestmark = pytest.mark.servers


def manifest(summary: str) -> Manifest:
    return Manifest.model_validate(
        {
            "id": "dav",
            "name": "DAV",
            "summary": summary,
            "categories": ["storage"],
            "directions": ["export"],
            "login": [{"ask": "credentials", "fields": [{"name": "password", "label": "Password"}]}],
            "driver": {"kind": "webdav"},
        }
    )


@pytest.fixture
async def providers(mongo: str, fresh_database: str) -> AsyncIterator[MongoProviders]:
    client = connect(mongo)
    yield MongoProviders(client[fresh_database].providers)
    client.close()


async def test_a_newer_revision_stands_in_for_one_that_is_not_known_and_an_older_never(
    providers: MongoProviders,
) -> None:
    published = {revision: manifest(f"Revision {revision}.") for revision in (2, 3, 5)}
    for revision, one in published.items():
        await providers.publish(one, revision)

    found = [await providers.manifest("dav", revision) for revision in (2, 3, 4, 6)]

    assert found == [published[2], published[3], published[5], None]
