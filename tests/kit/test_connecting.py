"""aiokafka on uvloop, as the services run it, when a line breaks under a request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from kit.broker import Kafka


async def test_a_line_that_broke_costs_one_request_and_no_task_of_the_client(
    kafka: str,
) -> None:
    await asyncio.to_thread(uvloop.run, _goes_on_over_a_broken_line(kafka))


async def _goes_on_over_a_broken_line(kafka: str) -> None:
    consumer = Kafka(kafka).consumer()
    await consumer.start()
    try:
        client: Any = consumer._client
        await client.fetch_all_metadata()
        for connection in list(client._conns.values()):
            connection._writer.transport.abort()
            await asyncio.sleep(0)  # closed, and the client has not heard of it yet
            with pytest.raises(KafkaConnectionError, match="broken"):
                connection.send(MetadataRequest([]))
        assert await client.force_metadata_update()
    finally:
        await consumer.stop()
