"""The edge on real Kafka and MongoDB: three endings, order per key, nothing lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from confluent_kafka import Producer

from kit.edge import DONE, Ended, Heard, NotNow, each
from tests.kit.tally import ACCOUNT, bug, decide, new_id, pause, removal, request
from tests.kit.world import JSON, World, a_world, until
from tests.sentences import says_what_to_do


@pytest.fixture
async def world(kafka: str, mongo: str, fresh_database: str, topics: Any) -> AsyncIterator[World]:
    async with a_world(kafka, mongo, fresh_database, topics) as world:
        yield world


async def started(world: World, **options: Any) -> None:
    edge = world.edge()

    async def handle(batch: Sequence[Heard]) -> Sequence[Ended]:
        return await world.store.fold(batch, decide)

    edge.reads(world.asks, handle, refusals=world.says, refuse=world.store.refuse, **options)
    await edge.start()


async def test_requests_become_things_that_owe_events_and_duplicates_change_nothing(world: World) -> None:
    ids = [new_id() for _ in range(20)]
    events = [event for id_ in ids for event in (request(id_), pause(id_), pause(id_))]
    await world.send(*events, *events, *reversed(events))
    world.relay()

    await started(world)
    await world.until_committed(3 * len(events))

    kept = await world.store.read(ids)
    assert {(one.v, one.thing.count) for one in kept.values()} == {(3, 2)}

    async def all_published() -> bool:
        return len(await world.events(world.says.name)) == 60

    await until(all_published)
    said = await world.events(world.says.name)
    assert len({event["id"] for event in said}) == 60


async def test_no_kind_of_poison_stops_the_topic_or_loses_a_neighbour(world: World) -> None:
    id_, key = new_id(), b"poison"
    good = [request(id_), *(pause(id_) for _ in range(6))]
    valid = pause(id_)
    wire = valid.wire()
    binary: list[tuple[str, bytes | None]] = [
        ("spring_dlt-offset", b"\xff\x00\x01"),
        ("nothing", None),
        ("empty", b""),
        ("", b"without a name"),
        *JSON,
    ]
    dead: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
        (key, b"\xff\xfe no json", JSON),
        (key, b"{}", []),
        (key, None, []),
        (None, b'{"specversion":"1.0"}', binary),
        (key, json.dumps(wire | {"id": "u", "type": "paperbus.Unheard.v1"}).encode(), JSON),
        (key, json.dumps({name: v for name, v in wire.items() if name != "accountid"}).encode(), JSON),
    ]
    refused = json.dumps(wire | {"id": "i", "data": {"connection_id": "no uuid"}}).encode()
    messages = [(event.subject.encode(), event.encoded(), binary) for event in good]
    mixed = [pair for both in zip(messages, [*dead, (key, refused, JSON)], strict=True) for pair in both]
    await world.send_raw(*mixed)

    await started(world)
    await world.until_committed(len(mixed))

    kept = (await world.store.read([id_]))[id_]
    assert kept.thing.heard == tuple(event.id for event in good[1:])
    letters = await world.read(world.asks.dead)
    found = {(record.key, record.value, record.headers[: -6 or None]) for record in letters}
    assert found == {(k, value, tuple(headers)) for k, value, headers in dead}
    for record in letters:
        told = dict(record.headers[-6:])
        assert told["paperbus-topic"] == world.asks.name.encode()
        assert told["paperbus-service"] == b"tests"
        assert says_what_to_do((told["paperbus-error"] or b"").decode()), told["paperbus-error"]
        assert {"paperbus-error", "paperbus-reason", "paperbus-partition", "paperbus-offset"} <= told.keys()
    owed = (await world.store.collection.find_one({"_id": id_}) or {})["owes"]
    (answer,) = [json.loads(one["value"]) for one in owed if "Refused" in one["type"]]
    assert (answer["accountid"], answer["data"]["request_id"]) == (ACCOUNT, "i")
    assert answer["data"]["errors"][0]["field"] == "connection_id"
    assert says_what_to_do(answer["data"]["message"])


async def test_an_event_larger_than_a_dead_letter_stops_nobody_and_is_told_of(world: World) -> None:
    first, second = new_id(), new_id()
    large = b"{" + b" " * 2_000_000 + b"}"
    packed = Producer(
        {
            "bootstrap.servers": world.kafka.bootstrap,
            "compression.type": "gzip",
            "message.max.bytes": 4_000_000,
        }
    )
    for id_, value in ((first, None), ("large", large), (second, None)):
        packed.produce(world.asks.name, value or request(id_).encoded(), key=id_)
    assert packed.flush(20) == 0

    await started(world)
    await world.until_committed(3)

    assert set(await world.store.read([first, second])) == {first, second}
    (letter,) = await world.read(world.asks.dead)
    told = dict(letter.headers)
    assert (letter.key, letter.value, told["paperbus-reason"]) == (b"large", None, b"too_large")
    assert b"too large to be kept" in told["paperbus-error"]
    assert says_what_to_do(told["paperbus-error"].decode())
    assert told["paperbus-offset"].isdigit()


async def test_a_refusal_about_nothing_is_answered_once_however_often_it_is_asked(world: World) -> None:
    asked = removal(new_id())
    await world.send(asked, asked)

    await started(world)
    await world.until_committed(2)

    answers = await world.events(world.says.name)
    assert len({answer["id"] for answer in answers}) == 1
    assert answers[0]["data"]["reason"] == "unknown_connection"
    assert answers[0]["subject"] == asked.subject
    assert "sequence" not in answers[0], "a reader would drop it as older than what it knows"


async def test_a_bug_costs_one_event_and_those_behind_it(world: World) -> None:
    broken, fine = new_id(), new_id()
    later = pause(broken)
    await world.send(request(broken), request(fine), bug(broken), later, pause(fine))

    await started(world)
    await world.until_committed(5)

    kept = await world.store.read([broken, fine])
    assert kept[fine].thing.count == 1
    assert kept[broken].thing.count == 0
    parked = await world.edges[0].parking.listed()
    assert [document["reason"] for document in parked] == ["a bug: KeyError"] * 2
    assert len(await world.read(world.asks.dead)) == 0


async def test_later_events_of_a_parked_key_are_parked_behind_it_and_released_in_order(world: World) -> None:
    slow, quick = new_id(), new_id()
    order: list[str] = []
    open_ = asyncio.Event()

    async def handle(heard: Heard) -> None:
        if heard.event.subject == slow and not open_.is_set():
            raise NotNow("the gate is shut", after=0.2)
        order.append(heard.event.id)

    first = [request(slow), pause(slow), pause(quick)]
    second = [pause(slow), pause(quick), pause(slow)]
    edge = world.edge()
    edge.reads(world.asks, each(handle), refusals=world.says)
    await edge.start()
    await world.send(*first)
    await world.until_committed(3)
    await world.send(*second)
    await world.until_committed(6)
    assert order == [first[2].id, second[1].id]
    assert len(await edge.parking.listed()) == 4

    open_.set()

    async def released() -> bool:
        return not await edge.parking.listed()

    await until(released)
    mine = [event.id for event in [*first, *second] if event.subject == slow]
    assert [one for one in order if one in mine] == mine


async def test_two_replicas_share_the_work_and_nothing_is_handled_twice(world: World) -> None:
    handled: list[str] = []

    async def handle(batch: Sequence[Heard]) -> Sequence[Ended]:
        await asyncio.sleep(0.02 * len(batch))
        handled.extend(heard.event.id for heard in batch)
        return [DONE] * len(batch)

    events = [pause(new_id()) for _ in range(240)]
    await world.send(*events)
    for _ in range(2):
        edge = world.edge()
        edge.reads(world.asks, handle, refusals=world.says, most=10)
        await edge.start()
        await asyncio.sleep(1)
    await world.until_committed(240, 60)

    assert sorted(handled) == sorted(event.id for event in events)
