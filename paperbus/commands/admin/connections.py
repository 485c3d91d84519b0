"""`paperbus admin connections`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from paperbus.admin.shown import as_json

COLUMNS = ("id", "account", "provider_id", "direction", "status", "paused", "reason", "saved_at")


@click.group()
def connections() -> None:
    """List connections of every account."""


@connections.command("list")
@click.option("--account", help="Of this customer of the platform alone.")
@click.option("--provider", "provider_id", metavar="ID", help="To this provider alone.")
@click.option("--status", help="Those that stand so: active, attention, connecting …")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
def listing(*, limit: int, as_json: bool, **chosen: str | None) -> None:
    """The newest connections first, with why they need attention."""
    from paperbus.admin.shown import show

    given = {name: value for name, value in chosen.items() if value is not None}
    show(asyncio.run(_found(given, limit)), COLUMNS, as_json=as_json)


@connections.command()
@click.argument("id_", metavar="ID")
@as_json
def show(id_: str, *, as_json: bool) -> None:
    """One connection: its settings, its runs, and what is open, owed or parked."""
    from paperbus.admin.shown import line, text

    shown = asyncio.run(_one(id_.lower()))
    if as_json:
        click.echo(line(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name:<18} {line(value) if isinstance(value, dict) else text(value)}")


async def _one(id_: str) -> dict[str, Any]:
    from kit.settings import Settings
    from paperbus.admin.connections import one
    from paperbus.admin.databases import databases

    async with databases(Settings.load()) as client:
        return await one(client, id_)


async def _found(chosen: dict[str, str], limit: int) -> list[dict[str, Any]]:
    from kit.settings import Settings
    from paperbus.admin.connections import connections as found
    from paperbus.admin.databases import databases

    async with databases(Settings.load()) as client:
        return await found(client, chosen, limit)
