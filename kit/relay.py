"""The relay: publishes what aggregates owe, in order for each, and clears it. It makes no events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.broker import Kafka
    from kit.leases import Leases
    from kit.mongo import Collection


class Relay:
    """One for each collection of aggregates. Runs in every replica, for the shards it has leased."""

    def __init__(self, collection: Collection, bodies: Collection, kafka: Kafka, leases: Leases) -> None:
        """`leases` are those of the 64 shards, named "0" to "63"."""
        raise NotImplementedError

    def ring(self) -> None:
        """Something is owed: look now. Cheap, from the same event loop."""
        raise NotImplementedError

    async def run(self) -> None:
        """Publish until cancelled. Trouble of Kafka or Mongo is waited out."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Publish what is left (at most 2 s), give the leases back, close the producer."""
        raise NotImplementedError


class FencedRelay(Relay):
    """For compacted topics: each round is a transaction of `relay-<group>-<lease>`, purely as a fence.

    A relay that was frozen beyond its lease gets `ProducerFenced` instead of overwriting what is newer.
    """
