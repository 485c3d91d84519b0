"""Prints what became of each document: `python examples/consumer.py GROUP`. Ctrl-C ends it.

Needs aiokafka and KAFKA_BOOTSTRAP_SERVERS, nothing of ours. What was heard twice is printed once.
"""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer


async def main(group: str) -> None:
    kafka = AIOKafkaConsumer(
        "syncs.events",
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    heard: set[tuple[str, str]] = set()  # a real consumer keeps this where it keeps what it does
    async with kafka:
        async for message in kafka:
            event = json.loads(message.value)
            if (
                event["type"] == "paperbus.DocumentsExported.v1"
                and (event["source"], event["id"]) not in heard
            ):
                for document in event["data"]["documents"]:
                    where = document["target"] or document.get("message", "")
                    print(event["accountid"], document["document_id"], document["status"], where, flush=True)
            heard.add((event["source"], event["id"]))
            await kafka.commit()


asyncio.run(main(sys.argv[1]))
