"""`paperbus send`: words or JSON in, one event in Kafka."""

from __future__ import annotations

import asyncio
import json
from typing import IO, TYPE_CHECKING, Any

import click

from paperbus.errors import Stopped

if TYPE_CHECKING:
    from kit.broker import Kafka
    from schemas.envelope import Event
    from schemas.topics import Topic


@click.command()
@click.argument("type_", metavar="TYPE")
@click.argument("words", metavar="FIELD=VALUE…", nargs=-1)
@click.option("--account", help="The customer of the platform that it is about.")
@click.option("--subject", help="Its subject and Kafka key, where the data names none.")
@click.option("--file", type=click.File(), help="JSON of the data, or of a whole event; - is standard input.")
def send(
    type_: str, words: tuple[str, ...], account: str | None, subject: str | None, file: IO[str] | None
) -> None:
    """Publish one event, validated: paperbus send ExportDue connection_id=… due_at=… --account A

    Dots reach into groups: schedule.every=PT1H. A value that begins with { or [ is JSON.
    """
    from kit.broker import Kafka
    from kit.settings import Settings
    from paperbus import sending
    from paperbus.where import with_servers

    topic, data = sending.find(type_)
    given = _json(file) if file else {}
    if "specversion" in given:
        event = sending.checked(data, given | ({"accountid": account} if account else {}))
    else:
        event = sending.event(data, given | sending.fields(words), account, subject)
    where = asyncio.run(_publish(Kafka.of(with_servers(Settings.load())), topic, event))
    click.echo(f"{event.type} {event.id} about {event.subject} is in {where}")


def _json(file: IO[str]) -> dict[str, Any]:
    try:
        given = json.load(file)
    except ValueError as error:
        raise Stopped(f"The file holds no JSON: {error}.") from None
    if not isinstance(given, dict):
        raise Stopped("The file holds no JSON object.")
    return given


async def _publish(kafka: Kafka, topic: Topic, event: Event[Any]) -> str:
    from aiokafka.errors import KafkaError

    from schemas.envelope import CONTENT_TYPE

    producer = kafka.producer()
    headers = [("content-type", CONTENT_TYPE.encode())]
    try:
        await asyncio.wait_for(kafka.reachable(), 10)
        await producer.start()
        sent = await producer.send_and_wait(
            topic.name, event.encoded(), key=event.subject.encode(), headers=headers
        )
    except (KafkaError, TimeoutError) as error:
        why = str(error) or await kafka.why_not()
        raise Stopped(f"Kafka on {kafka.bootstrap} did not take it ({why}): nothing was sent.") from None
    finally:
        await producer.stop()
    return f"{sent.topic}, partition {sent.partition}, offset {sent.offset}"
