"""`paperbus admin documents`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from paperbus.admin.shown import as_json

COLUMNS = ("document", "version", "status", "reason", "target", "attempts", "next_at", "message")


@click.command()
@click.argument("connection")
@click.option(
    "--status", help="Those alone that are pending, sending, done, failed, rejected, unknown, skipped."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
def documents(connection: str, *, status: str | None, limit: int, as_json: bool) -> None:
    """What a CONNECTION moved, and what not, and why: its ledger, the newest first."""
    from paperbus.admin.shown import show

    show(asyncio.run(_found(connection.lower(), status, limit)), COLUMNS, as_json=as_json)


async def _found(connection: str, status: str | None, limit: int) -> list[dict[str, Any]]:
    from kit.settings import Settings
    from paperbus.admin.connections import documents as ledger
    from paperbus.admin.databases import databases

    async with databases(Settings.load()) as client:
        return await ledger(client, connection, status, limit)
