"""Saying what is due: one producer, whoever is first, and a new one after trouble."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from kit.broker import Kafka
from sync_runner.bus import DueEmitter


class Producer:
    """Takes everything, slowly to start; or nothing, once it is `broken`."""

    def __init__(self, made: list[Producer]) -> None:
        self.sent = 0
        self.running = self.broken = False
        made.append(self)

    async def start(self) -> None:
        await asyncio.sleep(0.01)
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[None]:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.broken:
            acknowledged.set_exception(ConnectionError("the broker is gone"))
        else:
            acknowledged.set_result(None)
            self.sent += 1
        return acknowledged


class Broker:
    """Makes producers, and knows them."""

    def __init__(self) -> None:
        self.made: list[Producer] = []

    def producer(self, **_: Any) -> Producer:
        return Producer(self.made)


async def test_batches_side_by_side_share_one_producer_that_is_made_anew_after_trouble() -> None:
    broker = Broker()
    emitter = DueEmitter(cast(Kafka, broker))

    await asyncio.gather(*(emitter.send([("a", b"{}")]) for _ in range(3)))
    assert [producer.sent for producer in broker.made] == [3]

    broker.made[0].broken = True
    with pytest.raises(ConnectionError):
        await emitter.send([("a", b"{}")])
    await emitter.send([("a", b"{}")])

    assert [producer.running for producer in broker.made] == [False, True]
    await emitter.close()
    assert [producer.running for producer in broker.made] == [False, False]
