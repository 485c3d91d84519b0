"""`paperbus admin tail`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import click

from paperbus.admin.shown import as_json


@click.command()
@click.argument("topics", nargs=-1)
@click.option("--account", help="Of this customer of the platform alone.")
@click.option("--connection", help="About this connection alone.")
@click.option("--since", "minutes", type=float, metavar="MINUTES", help="Begin so long ago, not now.")
@click.option("--once", is_flag=True, help="End at the newest event instead of waiting for more.")
@as_json
def tail(  # noqa: PLR0913  an option each
    topics: tuple[str, ...],
    *,
    account: str | None,
    connection: str | None,
    minutes: float | None,
    once: bool,
    as_json: bool,
) -> None:
    """Show events as they pass, of TOPICS or of all. Ctrl-C ends it. Sealed answers are never shown."""
    from paperbus.admin.shown import line
    from paperbus.admin.tailing import chosen, event_of, is_about, row
    from paperbus.asked import until_asked

    since = None if minutes is None else datetime.now(UTC) - timedelta(minutes=minutes)
    names = chosen(topics)

    async def showing() -> None:
        from kit.broker import Kafka
        from kit.settings import Settings
        from paperbus.admin import records
        from paperbus.where import with_servers

        kafka = Kafka.of(with_servers(Settings.load()))
        found = records.until_now(kafka, names, since) if once else records.following(kafka, names, since)
        async for record in found:
            event = event_of(record)
            if is_about(event, account, connection):
                click.echo(line(event) if as_json else row(event))

    if once:
        asyncio.run(showing())
    else:
        until_asked(showing())
