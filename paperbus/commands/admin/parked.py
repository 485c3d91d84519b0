"""`paperbus admin parked`: events that wait, listed and let go."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from paperbus.admin.shown import as_json

COLUMNS = ("service", "topic", "partition", "offset", "key", "reason", "tries", "parked_at", "next_at")
services = click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice(["catalog", "connections", "sync-runner"]),
    help="Of this service alone; may be said again.",
)


@click.group()
def parked() -> None:
    """List parked events, and let them be tried at once."""


@parked.command("list")
@services
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
def listing(*, services: tuple[str, ...], limit: int, as_json: bool) -> None:
    """What waits, oldest first: which event, why, since when, until when."""
    from paperbus.admin.shown import show

    async def found() -> list[dict[str, Any]]:
        from kit.settings import Settings
        from paperbus.admin.databases import databases
        from paperbus.admin.parked import parked as waiting

        async with databases(Settings.load()) as client:
            return await waiting(client, _named(services), limit)

    show(asyncio.run(found()), COLUMNS, as_json=as_json)


@parked.command()
@services
@click.option("--group", help="Only what this consumer group parked, such as connections.syncs.events.")
@as_json
def retry(*, services: tuple[str, ...], group: str | None, as_json: bool) -> None:
    """Let what waits be tried at once instead of at its time."""
    from paperbus.admin.shown import line

    async def released() -> int:
        from kit.settings import Settings
        from paperbus.admin.databases import databases
        from paperbus.admin.parked import retry as let_go

        async with databases(Settings.load()) as client:
            return await let_go(client, _named(services), group)

    count = asyncio.run(released())
    click.echo(line({"released": count}) if as_json else f"{count} will be tried now.")


def _named(services: tuple[str, ...]) -> list[str]:
    return [name.replace("-", "_") for name in services]
