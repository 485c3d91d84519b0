"""Turns `ConnectionNeedsAttention` into mail: `python examples/notify.py RECIPIENT`. Ctrl-C ends it.

Needs aiokafka, KAFKA_BOOTSTRAP_SERVERS and SMTP_HOST (host:port). A mail server that is away costs nothing:
it is tried again. The Message-ID is made of the event, so that a mail sent twice is one mail.
"""

import asyncio
import json
import os
import smtplib
import sys
from email.message import EmailMessage

from aiokafka import AIOKafkaConsumer


def mail(event: dict, recipient: str) -> None:
    data, message = event["data"], EmailMessage()
    message["From"], message["To"] = "paperbus@localhost", recipient
    message["Subject"] = data["title"]
    message["Message-ID"] = f"<{event['id']}@paperbus>"
    message.set_content(
        f"{data['message']}\n\nConnection {data['connection_id']}: {data['action'] or 'wait'}\n"
    )
    host, _, port = os.environ["SMTP_HOST"].partition(":")
    with smtplib.SMTP(host, int(port or 25)) as server:
        server.send_message(message)


async def main(recipient: str) -> None:
    kafka = AIOKafkaConsumer(
        "connections.events",
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id="examples.notify",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with kafka:
        async for message in kafka:
            event = json.loads(message.value)
            if event["type"] == "paperbus.ConnectionNeedsAttention.v1":
                while True:
                    try:
                        await asyncio.to_thread(mail, event, recipient)
                        break
                    except OSError as trouble:
                        print(f"The mail server is away ({trouble}); trying again in 5 s.", flush=True)
                        await asyncio.sleep(5)
                print(f"Mailed {event['data']['connection_id']}: {event['data']['reason']}", flush=True)
            await kafka.commit()


asyncio.run(main(sys.argv[1]))
