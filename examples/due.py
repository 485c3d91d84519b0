"""A scheduler of your own: an `ExportDue` now for each line `ACCOUNT CONNECTION` on standard input.

Run it from cron or any workflow engine. Twice in the same minute is the same event. Needs aiokafka and
KAFKA_BOOTSTRAP_SERVERS, nothing of ours.
"""

import asyncio
import json
import os
import sys
import uuid
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer


async def main() -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0).isoformat()
    kafka = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], enable_idempotence=True)
    async with kafka:
        for line in sys.stdin:
            account, connection = line.split()
            data = {"connection_id": connection, "due_at": now, "reason": "schedule"}
            event = {"specversion": "1.0", "source": "/examples/due", "time": now, "subject": connection}
            event |= {"id": str(uuid.uuid5(uuid.UUID(connection), now)), "type": "paperbus.ExportDue.v1"}
            event |= {"datacontenttype": "application/json", "accountid": account, "data": data}
            header = ("content-type", b"application/cloudevents+json; charset=utf-8")
            value = json.dumps(event).encode()
            await kafka.send_and_wait("syncs.requests", value, key=connection.encode(), headers=[header])
            print(f"{connection} is due at {now}.")


asyncio.run(main())
