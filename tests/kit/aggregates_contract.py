"""What every store of aggregates promises. One suite, run on the fake and on MongoDB."""

from __future__ import annotations

import asyncio
import json
import uuid
from abc import abstractmethod
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit.aggregates import MOST_SEEN, Aggregates, shard_of
from kit.endings import DONE, NotNow, Refused
from kit.owed import BODY_BYTES, MOST_OWED, EventTooLarge
from kit.transitions import Decision
from tests.kit.tally import LongWinded, Tally, decide, heard, new_id, pause, removal, request, resume, said


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class AggregatesContract:
    """Subclasses give a fixture `store` and the raw document of a thing."""

    @abstractmethod
    async def document(self, store: Aggregates[Tally], id_: str) -> dict[str, Any]: ...

    async def owed(self, store: Aggregates[Tally], id_: str) -> list[dict[str, Any]]:
        owes = (await self.document(store, id_))["owes"]
        return [json.loads(bytes(owed["value"])) for owed in owes]

    async def test_a_request_makes_one_document_that_owes_what_it_says(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        asked = request(id_)

        assert await store.fold(heard(asked), decide) == [DONE]

        document, (event,) = await self.document(store, id_), await self.owed(store, id_)
        assert (document["account"], document["v"], document["shard"]) == ("acct-1", 1, shard_of(id_))
        assert document["schema"] == 1
        assert (event["subject"], event["accountid"]) == (id_, "acct-1")
        assert event["sequence"] == "00000000000000000001"
        assert (event["causationid"], event["causationsource"]) == (asked.id, "/tests")

    async def test_what_is_heard_twice_changes_nothing(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        batch = heard(request(id_), pause(id_), pause(id_))
        await store.fold(batch, decide)
        before = await self.document(store, id_)

        assert await store.fold([*batch, *batch], decide) == [DONE] * 6

        assert await self.document(store, id_) == before

    async def test_a_batch_about_one_thing_is_one_write_with_a_version_for_each_event(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_), *(pause(id_) for _ in range(5))), decide)

        kept = (await store.read([id_]))[id_]
        assert (kept.v, kept.thing.count, kept.owed) == (6, 5, 6)
        assert [int(event["sequence"]) for event in await self.owed(store, id_)] == [1, 2, 3, 4, 5, 6]

    async def test_ids_of_consequences_follow_from_thing_and_version(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_), pause(id_)), decide)

        assert [event["id"] for event in await self.owed(store, id_)] == [
            _event_id(id_, 1),
            _event_id(id_, 2),
        ]

    async def test_a_member_that_is_gone_is_gone(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_, name="mine")), decide)
        assert (await self.document(store, id_))["note"] == "mine"

        await store.fold(heard(pause(id_)), decide)

        assert "note" not in await self.document(store, id_)

    async def test_a_refused_request_is_answered_by_the_thing_in_its_order(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        refused = removal(id_)

        assert await store.fold(heard(request(id_), refused, pause(id_)), decide) == [DONE] * 3

        events = await self.owed(store, id_)
        answer = events[1]
        assert [int(event["sequence"]) for event in events] == [1, 2, 3]
        assert answer["type"] == "paperbus.RequestRefused.v1"
        assert (answer["data"]["reason"], answer["data"]["request_id"]) == ("paused", refused.id)
        assert (await store.read([id_]))[id_].thing.count == 1

    async def test_a_refused_fact_is_left_to_the_edge(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        (_, ending) = await store.fold(heard(request(id_), removal(id_), topic="syncs.events"), decide)

        assert isinstance(ending, Refused)
        assert (await store.read([id_]))[id_].v == 1

    async def test_what_concerns_nothing_is_refused_and_makes_nothing(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        (ending,) = await store.fold(heard(pause(id_)), decide)

        assert isinstance(ending, Refused)
        assert ending.reason == "unknown_connection"
        assert await store.read([id_]) == {}

    async def test_another_accounts_thing_is_refused_as_unknown_and_unchanged(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_)), decide)
        before = await self.document(store, id_)

        endings = await store.fold(heard(pause(id_, "acct-2"), request(id_, "acct-2")), decide)

        assert [ending.reason for ending in endings if isinstance(ending, Refused)] == [
            "unknown_connection"
        ] * 2
        assert await self.document(store, id_) == before

    async def test_after_a_not_now_later_events_of_that_thing_wait_and_others_do_not(
        self, store: Aggregates[Tally]
    ) -> None:
        one, other = new_id(), new_id()
        await store.fold(heard(request(one), request(other)), decide)

        endings = await store.fold(heard(resume(one), pause(one), pause(other)), decide)

        assert [isinstance(ending, NotNow) for ending in endings] == [True, True, False]
        assert (await store.read([one]))[one].thing.count == 0
        assert (await store.read([other]))[other].thing.count == 1

    async def test_with_64_events_owed_a_thing_takes_no_more(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        endings = await store.fold(heard(request(id_), *(pause(id_) for _ in range(MOST_OWED + 5))), decide)

        assert endings[:MOST_OWED] == [DONE] * MOST_OWED
        assert all(isinstance(ending, NotNow) for ending in endings[MOST_OWED:])
        assert (await store.read([id_]))[id_].owed == MOST_OWED
        with pytest.raises(NotNow):
            await store.alter(id_, lambda tally: Decision(tally, (said(id_),)))

    async def test_with_1000_requests_remembered_a_thing_takes_no_more_until_some_are_forgotten(
        self, store: Aggregates[Tally], clock: Clock
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_), pause(id_)), decide)
        for _ in range(4):
            await store.fold(heard(*(resume(id_) for _ in range(MOST_SEEN // 4))), decide)
        assert isinstance((await store.fold(heard(resume(id_)), decide))[0], NotNow)
        assert await store.fold(heard(pause(id_), topic="syncs.events"), decide) == [DONE], "a fact is heard"
        worked = await store.alter(id_, lambda tally: tally and Decision(replace(tally, count=7)))
        assert worked is not None
        assert worked.count == 7

        clock.now += store.kind.seen_for + timedelta(seconds=1)

        assert await store.fold(heard(resume(id_)), decide) == [DONE]
        assert len((await store.read([id_]))[id_].seen) == 1

    async def test_two_who_make_the_same_thing_conflict_cleanly(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        both = await asyncio.gather(*(store.fold(heard(request(id_)), decide) for _ in range(8)))

        assert both == [[DONE]] * 8
        kinds = [event["type"] for event in await self.owed(store, id_)]
        assert kinds.count("paperbus.ConnectionPaused.v1") == 1
        assert kinds.count("paperbus.RequestRefused.v1") == 7

    async def test_writers_that_race_lose_nothing(self, store: Aggregates[Tally]) -> None:
        ids = [new_id() for _ in range(3)]
        await store.fold(heard(*map(request, ids)), decide)

        await asyncio.gather(
            *(store.fold(heard(*(pause(id_) for id_ in ids)), decide) for _ in range(12)),
            *(
                store.alter(id_, lambda tally: tally and Decision(replace(tally, count=tally.count + 1)))
                for id_ in ids * 4
            ),
        )

        kept = await store.read(ids)
        assert [kept[id_].thing.count for id_ in ids] == [16] * 3
        assert [kept[id_].v for id_ in ids] == [17] * 3

    async def test_who_goes_on_from_what_was_written_finds_it_as_it_is_kept(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_)), decide)
        known = (await store.read([id_]))[id_]
        for _ in range(2):
            known = await store.go_on(known, lambda tally: _counted(tally, said(id_)))

        assert (known.v, known.thing.count, known.owed) == (3, 2, 3)
        assert (await store.read([id_]))[id_] == known

    async def test_who_goes_on_from_what_is_no_longer_so_decides_again(
        self, store: Aggregates[Tally]
    ) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_)), decide)
        old = (await store.read([id_]))[id_]
        await store.fold(heard(pause(id_)), decide)

        known = await store.go_on(old, _counted)
        assert (known.v, known.thing.count) == (3, 2)
        again = await store.go_on(old, lambda tally: _counted(tally) if tally and tally.count else None)
        assert (again.v, again.thing.count) == (4, 3)
        left = await store.go_on(old, lambda _: None)
        assert left == (await store.read([id_]))[id_] == again

    async def test_altering_what_is_not_there_can_make_it(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        assert await store.alter(id_, lambda _: None) is None

        made = await store.alter(id_, lambda _: Decision(Tally(7)), account="acct-9")

        assert made == Tally(7)
        assert (await store.read([id_]))[id_].account == "acct-9"

    async def test_what_is_decided_for_nothing_writes_nothing(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        await store.fold(heard(request(id_)), decide)

        assert await store.fold(heard(pause(id_)), lambda _, __: None) == [DONE]
        assert (await store.read([id_]))[id_].v == 1

    async def test_a_large_event_is_owed_by_reference(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        large = LongWinded(connection_id=id_, text="x" * BODY_BYTES)
        await store.alter(id_, lambda _: Decision(Tally(), (large, said(id_))), account="acct-1")

        first, second = (await self.document(store, id_))["owes"]
        assert "value" not in first
        assert first["body"] == first["id"]
        assert "value" in second

    async def test_an_event_over_512_kb_is_refused_where_it_is_made(self, store: Aggregates[Tally]) -> None:
        id_ = new_id()
        huge = LongWinded(connection_id=id_, text="x" * 600_000)

        with pytest.raises(EventTooLarge):
            await store.alter(id_, lambda _: Decision(Tally(), (huge,)), account="acct-1")
        assert await store.read([id_]) == {}

    async def test_refusals_are_owed_by_the_things_they_concern(self, store: Aggregates[Tally]) -> None:
        there, nowhere = new_id(), new_id()
        await store.fold(heard(request(there)), decide)
        pairs = [(one, Refused("invalid", "no")) for one in heard(pause(there), pause(nowhere))]

        answered, left = await store.refuse(pairs)

        assert answered is DONE
        assert isinstance(left, Refused)
        assert (await self.owed(store, there))[1]["data"]["reason"] == "invalid"


def _counted(tally: Tally | None, *emits: Any) -> Decision[Tally] | None:
    return tally and Decision(replace(tally, count=tally.count + 1), emits)


def _event_id(aggregate: str, version: int) -> str:
    return str(uuid.uuid5(uuid.UUID("6f2f5e0a-5d3c-5e0e-9c57-7061706572b5"), f"{aggregate}/{version}/0"))
