"""Parked events on a real MongoDB: kept durably, and no lane in the way of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from kit import mongo as kit_mongo
from kit.mongo import Collection
from kit.parking import Parking, Raw, Wait

GROUP = "tests.requests"
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.fixture
async def collection(mongo: str, fresh_database: str) -> AsyncIterator[Collection]:
    client = kit_mongo.connect(mongo)
    yield client[fresh_database]["parked"]
    client.close()


def raw(lane: str, offset: int) -> Raw:
    return Raw("requests", 0, offset, lane.encode(), b"{}")


async def test_what_is_not_written_durably_is_not_parked(collection: Collection) -> None:
    waits = [Wait(raw("a", offset), "later", NOW) for offset in range(2)]
    too_many = WriteConcern(w=2, wtimeout=100)  # of the one server there is

    with pytest.raises(BulkWriteError):
        await Parking(collection.with_options(write_concern=too_many)).park(GROUP, waits, NOW)

    await Parking(collection).park(GROUP, waits, NOW)
    assert await collection.count_documents({}) == 2
