"""Parked events on a real MongoDB: kept durably, and no lane in the way of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from kit import mongo as kit_mongo
from kit.mongo import Collection
from kit.parking import AT_ONCE, Parking, Raw, Wait

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


async def test_a_long_lane_that_waits_is_in_no_other_lanes_way(collection: Collection) -> None:
    parking, now = Parking(collection), datetime.now(UTC)
    await parking.declare()
    later = now + timedelta(seconds=480)
    behind = [Wait(raw("long", offset), "behind another", now) for offset in range(2, 2 + 2 * AT_ONCE)]
    await parking.park(GROUP, [Wait(raw("long", 1), "a bug", later), *behind], now)
    await parking.park(GROUP, [Wait(raw("other", 10_000), "not yet", now)], now)

    (tried,) = await parking.claim(GROUP, datetime.now(UTC))

    assert tried.key == b"other"


async def test_those_behind_one_that_is_being_tried_are_tried_as_soon_as_it_has_ended(
    collection: Collection,
) -> None:
    parking, now = Parking(collection), datetime.now(UTC)
    await parking.park(GROUP, [Wait(raw("a", 1), "not yet", now)], now)
    (first,) = await parking.claim(GROUP, now)
    await parking.park(GROUP, [Wait(raw("a", 2), "behind another", now)], now)
    assert await parking.claim(GROUP, now) == []

    await parking.remove(GROUP, [first])

    assert [one.offset for one in await parking.claim(GROUP, now)] == [2]


async def test_what_is_parked_is_seen_at_once_by_who_parked_it_and_by_others_once_partitions_moved(
    collection: Collection,
) -> None:
    ours, theirs = Parking(collection), Parking(collection)
    for parking in (ours, theirs):
        assert await parking.waiting(GROUP, {b"a"}) == set()

    await ours.park(GROUP, [Wait(raw("a", 1), "not yet", NOW)], NOW)
    theirs.moved(GROUP)

    for parking in (ours, theirs):
        assert await parking.waiting(GROUP, {b"a", b"b"}) == {b"a"}
