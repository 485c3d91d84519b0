"""`paperbus admin timeline`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from paperbus.admin.shown import as_json

COLUMNS = ("at", "what", "actor", "data")


@click.command()
@click.argument("connection")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@as_json
def timeline(connection: str, *, limit: int, as_json: bool) -> None:
    """What happened to a CONNECTION: its events and its runs, oldest first."""
    from paperbus.admin.shown import line, show

    entries = asyncio.run(_found(connection.lower(), limit))
    if not as_json:
        entries = [entry | {"data": line(entry["data"] or {})} for entry in entries]
    show(entries, COLUMNS, as_json=as_json)


async def _found(connection: str, limit: int) -> list[dict[str, Any]]:
    from kit.settings import Settings
    from paperbus.admin.databases import databases
    from paperbus.admin.timeline import timeline as happened

    async with databases(Settings.load()) as client:
        return await happened(client, connection, limit)
