"""Hands over the documents that a platform already has: one JSON object a line on standard input.

Each line is the `data` of a `DocumentReceived` and `account`. The event's id is made of account, document and
version, so that a hand-over that was cut can simply be started again: what was heard before changes nothing.
Connections with `start: "all"` then send the stock, those with `"now"` do not. Needs aiokafka and
KAFKA_BOOTSTRAP_SERVERS, nothing of ours.
"""

import asyncio
import json
import os
import sys
import uuid
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

IDS = uuid.uuid5(uuid.NAMESPACE_URL, "/examples/stock")


async def main() -> None:
    kafka = AIOKafkaProducer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], enable_idempotence=True, linger_ms=20
    )
    waiting: list[asyncio.Future[object]] = []
    async with kafka:
        for line in sys.stdin:
            data = json.loads(line)
            account, document = data.pop("account"), data["document_id"]
            event = {"specversion": "1.0", "source": "/examples/stock", "time": datetime.now(UTC).isoformat()}
            event |= {"id": str(uuid.uuid5(IDS, f"{account}/{document}/{data['version']}"))}
            event |= {"type": "paperbus.DocumentReceived.v1", "subject": document, "accountid": account}
            event |= {"datacontenttype": "application/json", "data": data}
            header = ("content-type", b"application/cloudevents+json; charset=utf-8")
            value = json.dumps(event).encode()
            waiting.append(
                await kafka.send("documents.events", value, key=document.encode(), headers=[header])
            )
        await asyncio.gather(*waiting)
    print(f"Handed over {len(waiting)} documents.")


asyncio.run(main())
