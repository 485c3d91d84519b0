"""The relay: publishes what aggregates owe, in order for each, and clears it. It makes no events.

A relay that was frozen beyond its lease may still send something old: readers drop lower `sequence`s, and
topics that are compacted, where nobody could, are published by `FencedRelay`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kit.aggregates import SHARDS
from kit.debt import Debt, whole
from kit.logs import logger
from kit.metrics import ASIDE, OWED_SINCE, RELAYED
from kit.trouble import is_trouble, wait_for
from schemas.envelope import CONTENT_TYPE

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from kit.broker import Kafka
    from kit.leases import Leases
    from kit.mongo import Collection

log = logger(__name__)

POLL = 0.05
"""Seconds between two looks where nobody rings: the fallback for what another process has written."""
ROUND = 1000
"""Documents a round; one answer of Mongo, so at most 16 MB."""
FENCED_ROUND = 200
"""What is compacted is whole states of 10 KB and more: a thousand at once leave a heap that never shrinks."""
BODIES = 32
"""Large events a round: they are read one by one, at up to 512 KB each."""
HEADERS = [("content-type", CONTENT_TYPE.encode())]
TOPIC_WITHIN = 5.0
LAST = 0.5
"""Seconds for what is still owed when the process ends, and as many for giving the leases back."""
CLOSE = 2.0


@dataclass(slots=True)
class Lane:
    """Shards with a producer of their own: one half of them (`part` 0 or 1), or all."""

    part: int | None = None
    producer: AIOKafkaProducer | None = None


class Relay:
    """One for each collection of aggregates. Runs in every replica, for the shards it has leased."""

    def __init__(self, collection: Collection, bodies: Collection, kafka: Kafka, leases: Leases) -> None:
        """`leases` are those of the 64 shards (`shard_names()`)."""
        self._collection = collection
        self._bodies = bodies
        self._kafka = kafka
        self._leases = leases
        self._bell = asyncio.Event()
        self._most = ROUND
        self._whole = Lane()
        self._halves: tuple[Lane, ...] = (Lane(0), Lane(1))
        self._aside: dict[str, tuple[float, int]] = {}
        self._topics: set[str] = set()

    def ring(self) -> None:
        """Something is owed: look now. Cheap, from the same event loop."""
        self._bell.set()

    def stuck(self) -> str | None:
        """A sentence for `/health/ready` while it cannot work; None while all is well."""
        return self._leases.stuck()

    async def run(self) -> None:
        """Publish until cancelled; then what is still owed (0.5 s), and the leases go back."""
        tending = asyncio.create_task(self._leases.tend())
        try:
            await self._publish()
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._finish(), LAST)
            tending.cancel()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._leases.release(), LAST)
            await self._close_all()

    async def _publish(self) -> None:
        failures = 0
        while True:
            self._bell.clear()
            try:
                found = await self._round(self._whole)
                if found >= self._most:
                    await self._drain()
                failures = 0
            except Exception as error:
                if not is_trouble(error):
                    raise
                failures += 1
                if failures == 1:
                    log.warning("relay waits", collection=self._collection.name, exc_info=error)
                await self._close_all()
                await asyncio.sleep(wait_for(failures, 2.0))
                continue
            if found < self._most:  # what came since has rung
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), POLL)

    async def _finish(self) -> None:
        while await self._round(self._whole):
            pass

    async def _drain(self) -> None:
        """A backlog goes in two halves: while one is with Kafka, the other is with Mongo."""
        ended = await asyncio.gather(*map(self._empty, self._halves), return_exceptions=True)
        if error := next((one for one in ended if one is not None), None):
            raise error

    async def _empty(self, lane: Lane) -> None:
        while await self._round(lane) >= self._most:
            pass

    async def _round(self, lane: Lane) -> int:
        """Publish and clear what up to a thousand aggregates owe. Returns how many events that were.

        Raises:
            aiokafka.errors.KafkaError: the broker took nothing at all; the producer is to be made anew.
        """
        shards = [shard for shard in self._shards() if lane.part is None or shard % 2 == lane.part]
        if not shards:
            await self._close(lane)
            return 0
        debts = await self._debts(shards)
        oldest = min((debt.owes[0]["at"] for debt in debts), default=None)
        OWED_SINCE.labels(self._collection.name).set(oldest.timestamp() if oldest else 0)
        if not debts:
            return 0
        producer = await self._started(lane)
        await self._send(producer, debts)
        paid = {debt.id: ids for debt in debts if (ids := debt.paid())}
        await self._clear(shards, paid, debts)
        failed = [debt for debt in debts if debt.error is not None]
        if failed:
            await self._close(lane)
            if not paid and failed[0].error is not None:
                raise failed[0].error
            self._set_aside(failed)
        return sum(map(len, paid.values()))

    def _shards(self) -> list[int]:
        return sorted(int(name) for name in self._leases.held())

    async def _debts(self, shards: Sequence[int]) -> list[Debt]:
        """What is owed, with large bodies filled in."""
        query: dict[str, Any] = {"shard": {"$in": list(shards)}, "owes.0": {"$exists": True}}
        if aside := self._still_aside():
            query["_id"] = {"$nin": aside}
        found = (
            self._collection.find(query, {"owes": 1}).hint("owing").limit(-self._most).batch_size(self._most)
        )
        debts = [Debt(document["_id"], document["owes"]) for document in await found.to_list(None)]
        wanted = [owed["body"] for debt in debts for owed in debt.owes if "body" in owed][:BODIES]
        if wanted:
            large = self._bodies.find({"_id": {"$in": wanted}}, {"value": 1})
            values = {body["_id"]: body["value"] async for body in large}
            for debt in debts:
                debt.owes = list(whole(debt.owes, values))
        return [debt for debt in debts if debt.owes]

    async def _send(self, producer: AIOKafkaProducer, debts: Sequence[Debt]) -> None:
        """Hand everything to the producer and wait for the brokers. What fails is noted in its debt."""
        refused: set[str] = set()
        for debt in debts:
            for owed in debt.owes:
                if owed["topic"] in refused:
                    break
                try:
                    if owed["topic"] not in self._topics:
                        await self._known(producer, owed["topic"])
                    debt.sent.append(
                        await producer.send(
                            owed["topic"], owed["value"], owed["key"].encode(), headers=HEADERS
                        )
                    )
                except Exception as error:  # noqa: BLE001 - one aggregate's trouble is not the shard's
                    debt.error = error
                    refused.add(owed["topic"])
                    break
        for debt in debts:
            for future in debt.sent:  # in turn: those of a batch are done together
                if not future.done():
                    await asyncio.wait((future,))

    async def _known(self, producer: AIOKafkaProducer, topic: str) -> None:
        """Raises soon where a topic is not there: a send would hold everybody up for 20 s."""
        await asyncio.wait_for(producer.partitions_for(topic), TOPIC_WITHIN)
        self._topics.add(topic)

    async def _clear(self, shards: Sequence[int], paid: dict[str, list[str]], debts: Sequence[Debt]) -> None:
        if not paid:
            return
        ids = [id_ for owed in paid.values() for id_ in owed]
        await self._collection.update_many(
            {"_id": {"$in": list(paid)}, "shard": {"$in": list(shards)}},
            {"$pull": {"owes": {"id": {"$in": ids}}}},
        )
        published = set(ids)
        types = Counter(owed["type"] for debt in debts for owed in debt.owes if owed["id"] in published)
        for type_, number in types.items():
            RELAYED.labels(self._collection.name, type_).inc(number)
        large = [
            owed["id"] for debt in debts for owed in debt.owes if "body" in owed and owed["id"] in published
        ]
        if large:
            await self._bodies.delete_many({"_id": {"$in": large}})

    def _set_aside(self, failed: Sequence[Debt]) -> None:
        """Others were published, so it is theirs alone: they wait, the rest goes on."""
        for debt in failed:
            tries = self._aside.get(debt.id, (0.0, 0))[1] + 1
            self._aside[debt.id] = (time.monotonic() + wait_for(tries, 30.0), tries)
            log.error("owed events not taken", aggregate=debt.id, tries=tries, exc_info=debt.error)
        ASIDE.labels(self._collection.name).set(len(self._aside))

    def _still_aside(self) -> list[str]:
        now = time.monotonic()
        self._aside = {id_: kept for id_, kept in self._aside.items() if kept[0] > now - 60}
        return [id_ for id_, (until, _) in self._aside.items() if until > now]

    async def _started(self, lane: Lane) -> AIOKafkaProducer:
        if lane.producer is None:
            producer = self._make()
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            lane.producer = producer
        return lane.producer

    def _make(self) -> AIOKafkaProducer:
        return self._kafka.producer(max_batch_size=64 * 1024)

    async def _close_all(self) -> None:
        for lane in (self._whole, *self._halves):
            await self._close(lane)

    async def _close(self, lane: Lane) -> None:
        """After an error a producer may refuse everything for ever; a new one does not."""
        producer, lane.producer = lane.producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), CLOSE)


class FencedRelay(Relay):
    """For compacted topics: each round is a transaction of `relay-<group>-all`, purely as a fence.

    One replica holds the one lease `all`. A relay that was frozen beyond it gets `ProducerFenced` instead of
    overwriting what is newer.
    """

    def __init__(self, collection: Collection, bodies: Collection, kafka: Kafka, leases: Leases) -> None:
        super().__init__(collection, bodies, kafka, leases)
        self._halves = ()  # one transactional producer, or it would fence itself
        self._most = FENCED_ROUND

    def _shards(self) -> list[int]:
        return list(range(SHARDS)) if self._leases.held() else []

    def _make(self) -> AIOKafkaProducer:
        name = f"relay-{self._leases.group}-{self._leases.names[0]}"
        return self._kafka.producer(transactional_id=name, max_batch_size=64 * 1024)

    async def _send(self, producer: AIOKafkaProducer, debts: Sequence[Debt]) -> None:
        async with producer.transaction():
            await super()._send(producer, debts)
            for debt in debts:
                debt.paid()
            if error := next((debt.error for debt in debts if debt.error), None):
                raise error


def shard_names() -> tuple[str, ...]:
    """The names of the leases of a `Relay`."""
    return tuple(map(str, range(SHARDS)))


ALL = ("all",)
"""The one lease of a `FencedRelay`."""
