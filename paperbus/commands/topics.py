"""`paperbus topics`."""

from __future__ import annotations

import asyncio

import click

from paperbus.errors import Stopped


@click.command()
@click.option("--check", is_flag=True, help="Make nothing; say what differs, exit 1 if anything does.")
def topics(*, check: bool) -> None:
    """Make the topics that are missing, and say where those that are there differ."""
    from kit.broker import Kafka
    from kit.settings import Settings
    from paperbus.topics import check_topics, make_topics
    from paperbus.where import with_servers

    kafka = Kafka.of(with_servers(Settings.load()))
    if not check:
        for name in asyncio.run(make_topics(kafka)):
            click.echo(f"made {name}")
    found = asyncio.run(check_topics(kafka))
    if found:
        raise Stopped("\n".join(found))
    click.echo("All topics are as they should be.")
