"""`paperbus admin restored`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from paperbus.admin.shown import as_json

COLUMNS = ("group", "reads_again")


@click.command()
@click.argument("backup", metavar="TIME")
@as_json
def restored(*, backup: str, as_json: bool) -> None:
    """Take up work after MongoDB was restored from a backup that was begun at TIME (2026-11-22T02:00:00Z).

    Call it once, with every service stopped, before they start. What came since an hour before TIME is read
    again, and what is known already changes nothing. Sealed answers are not, so that none is tried twice.
    """
    from paperbus.admin.shown import show

    rows = [{"group": group, "reads_again": count} for group, count in asyncio.run(_take_up(_moment(backup)))]
    show(rows, COLUMNS, as_json=as_json)


def _moment(said: str) -> datetime:
    """A time with its offset from UTC, in the past."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise click.BadParameter(f"{said} is no time: write it like 2026-11-22T02:00:00Z.") from None
    if moment.tzinfo is None or moment > datetime.now(UTC):
        raise click.BadParameter(f"{said} must be past, with Z or an offset: 2026-11-22T02:00:00Z.")
    return moment


async def _take_up(backup: datetime) -> list[tuple[str, int]]:
    from kit.broker import Kafka
    from kit.settings import Settings
    from paperbus.admin.databases import databases
    from paperbus.admin.restored import leap, rewind, until_nobody_reads
    from paperbus.where import with_servers

    settings = Settings.load()
    kafka = Kafka.of(with_servers(settings))
    async with databases(settings) as client:
        await until_nobody_reads(kafka)
        await leap(client)
    return list((await rewind(kafka, backup)).items())
