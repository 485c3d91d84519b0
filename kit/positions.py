"""How far a group has read, across replicas. It reads offsets only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.broker import Kafka
    from schemas.topics import Topic


class Positions:
    """Compares what groups have committed with where topics end."""

    def __init__(self, kafka: Kafka) -> None:
        raise NotImplementedError

    async def caught_up(self, topic: Topic, group: str, within: float = 5.0) -> bool:
        """Whether `group` reads everything that is in `topic` at the moment of the call, waiting up to `within` s."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the clients, if any was needed."""
        raise NotImplementedError
