"""Waits for Kafka as long as somebody at a terminal would, and then says why it cannot be used."""

from __future__ import annotations

import asyncio

from kit.broker import Kafka
from paperbus.errors import Stopped

PATIENCE = 10.0


async def reachable(kafka: Kafka) -> None:
    """Wait up to 10 s until a broker answers.

    Raises:
        Stopped: none does, or none lets us in; the sentence says which.
    """
    try:
        await asyncio.wait_for(kafka.reachable(), PATIENCE)
    except TimeoutError:
        why = await kafka.why_not()
        raise Stopped(f"Kafka on {kafka.bootstrap} cannot be used: {why}.") from None
