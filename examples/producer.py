"""Tells Paperbus about one document: `python examples/producer.py ACCOUNT FILE URL`.

URL is where the platform serves FILE. Needs aiokafka and KAFKA_BOOTSTRAP_SERVERS, nothing of ours.
"""

import asyncio
import hashlib
import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaProducer


async def main(account: str, name: str, content: bytes, url: str) -> None:
    now = datetime.now(UTC).isoformat()
    document = {"document_id": str(uuid.uuid4()), "version": 1, "filename": name, "size": len(content)}
    document |= {"media_type": "application/pdf", "sha256": hashlib.sha256(content).hexdigest()}
    document |= {"content_url": url, "received_at": now, "metadata": {"document_type": "invoice"}}
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/examples/producer", "time": now}
    event |= {
        "type": "paperbus.DocumentReceived.v1",
        "subject": document["document_id"],
        "accountid": account,
    }
    event |= {"datacontenttype": "application/json", "data": document}
    kafka = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], enable_idempotence=True)
    async with kafka:
        header = ("content-type", b"application/cloudevents+json; charset=utf-8")
        key, value = event["subject"].encode(), json.dumps(event).encode()
        await kafka.send_and_wait("documents.events", value, key=key, headers=[header])
    print(f"Told Paperbus about {name} as {document['document_id']}.")


file = Path(sys.argv[2])
asyncio.run(main(sys.argv[1], file.name, file.read_bytes(), sys.argv[3]))
