"""aiokafka's connections as they must be on uvloop. It opens none.

A write to a line that broke is a RuntimeError of uvloop's; aiokafka looks for OSError alone. The task that
keeps its metadata dies of it unseen, and its consumer waits for its group's coordinator for ever.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """Says that it is broken as its callers expect to hear it."""

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - aiokafka's
        """As aiokafka's.

        Raises:
            KafkaConnectionError: the line broke; the connection is closed, the next request opens another.
        """
        try:
            return super().send(request, expect_response)
        except RuntimeError as broken:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {broken}") from broken


def use() -> None:
    """Every client made from now on has such connections. Twice is once."""
    conn.AIOKafkaConnection = Connection
