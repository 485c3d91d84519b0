"""What every source promises, whatever it lists: see `providers.sources.Source`. Files promise more
(`test_sources`).
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shelves import Shelf

from providers.errors import ProviderError
from providers.sources import Afterwards, Cursor, Item, Source
from schemas.reasons import Reason

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


async def listed(
    source: Source, cursor: Cursor | None = None, since: datetime | None = None
) -> tuple[list[Item], Any]:
    """A whole listing, by way of what would be stored."""
    items: list[Item] = []
    for _ in range(20):
        page = await source.page(cursor, since)
        items += page.items
        cursor = json.loads(json.dumps(page.cursor))
        if page.last:
            return items, cursor
    raise AssertionError("the listing never ends")


async def read(source: Source, item: Item, start: int = 0) -> bytes:
    return b"".join([chunk async for chunk in source.fetch(item, start)])


async def test_what_is_there_is_listed_under_ids_that_stay_and_read_byte_for_byte_from_anywhere(
    shelf: Shelf,
) -> None:
    put = [await shelf.put(f"{n}.pdf", PDF + str(n).encode()) for n in range(3)]
    async with shelf.open() as source:
        items, cursor = await listed(source)
        again, _ = await listed(source)
        whole = await asyncio.gather(*(read(source, item) for item in items))
        rest = await read(source, items[0], 1000)
        count = await source.count(None)

    assert sorted(whole) == sorted(put)
    assert rest == whole[0][1000:]
    assert len({item.id for item in items}) == 3
    assert {item.id: item.version for item in again} == {item.id: item.version for item in items}
    assert all(item.received_at is not None and item.received_at.tzinfo for item in items)
    assert all(item.size in (None, len(data)) for item, data in zip(items, whole, strict=True))
    assert count in (None, 3)
    assert len(json.dumps(cursor)) < 4096
    assert json.loads(json.dumps([dict(item.reference) for item in items])) is not None


async def test_the_next_listing_misses_nothing_that_came_since_and_a_forgotten_cursor_begins_anew(
    shelf: Shelf,
) -> None:
    await shelf.put("0.pdf", PDF)
    async with shelf.open() as source:
        before, cursor = await listed(source)
    await shelf.put("1.pdf", PDF + b"1")
    async with shelf.open() as source:
        after, _ = await listed(source, cursor)
        anew, _ = await listed(source)

    new = {item.id for item in anew} - {item.id for item in before}
    assert len(new) == 1
    assert new <= {item.id for item in after}
    assert {item.id for item in before} <= {item.id for item in anew}


async def test_what_is_older_than_the_start_is_never_counted_as_newer(shelf: Shelf) -> None:
    await shelf.put("0.pdf", PDF)
    now = datetime.now(UTC)
    async with shelf.open() as source:
        later, _ = await listed(source, since=now + timedelta(days=3))
        earlier, _ = await listed(source, since=now - timedelta(days=3))

    assert [item for item in later if item.received_at and item.received_at > now + timedelta(days=3)] == []
    assert len(earlier) == 1


async def test_what_is_gone_is_told_when_it_is_read_and_when_it_is_asked_for(shelf: Shelf) -> None:
    for name in ("0.pdf", "1.pdf"):
        await shelf.put(name, PDF + name.encode())
    async with shelf.open() as source:
        before, _ = await listed(source)
        await shelf.take_away("0.pdf")
    async with shelf.open() as source:
        left = {item.id for item in (await listed(source))[0]}
        taken = next(item for item in before if item.id not in left)
        with pytest.raises(ProviderError) as caught:
            await read(source, taken)
        gone = list(await source.gone(before))

    assert (caught.value.kind, caught.value.reason) == ("item_permanent", Reason.CONTENT_UNAVAILABLE)
    assert gone in ([taken.id], []), "never what is there; interfaces that archive say nothing"
    assert gone or source.ability.afterwards == frozenset()


async def test_reading_may_be_given_up_more_often_than_there_are_lines(shelf: Shelf) -> None:
    put = await shelf.put("0.pdf", PDF * 100)
    async with shelf.open() as source:
        item = (await listed(source))[0][0]
        for _ in range(12):
            stream = source.fetch(item)
            assert await anext(stream)
            await stream.aclose()
        lanes = max(2, min(4, source.ability.concurrency))
        together = await asyncio.gather(*(read(source, item) for _ in range(lanes)))

    assert together == [put] * lanes


async def test_what_becomes_of_a_thing_may_be_asked_for_twice(shelf: Shelf) -> None:
    await shelf.put("0.pdf", PDF)
    async with shelf.open() as source:
        item = (await listed(source))[0][0]
        assert await source.settle(item, Afterwards("nothing")) is None
        for action in sorted(source.ability.afterwards - {"move", "delete"}):
            await source.settle(item, Afterwards(action, "done"))
            await source.settle(item, Afterwards(action, "done"))
        assert len((await listed(source))[0]) == 1
        for action in sorted(source.ability.afterwards & {"delete"}):
            await source.settle(item, Afterwards(action))
            assert await source.settle(item, Afterwards(action)) is None
