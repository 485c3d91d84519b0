"""`paperbus admin dead`: dead letters listed, shown, put back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from paperbus.admin.shown import as_json
from paperbus.errors import Stopped

if TYPE_CHECKING:
    from kit.broker import Kafka
    from paperbus.admin.letters import Buried

COLUMNS = ("id", "at", "was", "service", "reason", "error")
topics = click.option("--topic", "topics", multiple=True, help="Of this topic; may be said again.")
reason = click.option("--reason", help="Only those with this reason.")
since = click.option("--since", "hours", type=float, metavar="HOURS", help="Only those of the last hours.")


@click.group()
def dead() -> None:
    """List, show and replay dead letters."""


@dead.command("list")
@topics
@reason
@since
@as_json
def listing(*, topics: tuple[str, ...], reason: str | None, hours: float | None, as_json: bool) -> None:
    """What could never work: when, where it was, and why. They are kept for 90 days."""
    from paperbus.admin.shown import show

    found = asyncio.run(_found(_kafka(), topics, reason, hours))
    show((one.listed() for one in found), COLUMNS, as_json=as_json)


@dead.command()
@click.argument("id_", metavar="ID")
@as_json
def show(id_: str, *, as_json: bool) -> None:
    """All of one dead letter: its headers and its value."""
    from paperbus.admin.letters import letter
    from paperbus.admin.shown import line, text

    shown = asyncio.run(letter(_kafka(), id_)).shown()
    if as_json:
        click.echo(line(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name:<8} {text(value)}")


@dead.command()
@click.argument("ids", metavar="ID…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that --topic, --reason and --since leave.")
@topics
@reason
@since
@as_json
def replay(  # noqa: PLR0913  an option each
    ids: tuple[str, ...],
    *,
    every: bool,
    topics: tuple[str, ...],
    reason: str | None,
    hours: float | None,
    as_json: bool,
) -> None:
    """Put dead letters back where they came from, once what kept them from working is mended.

    A letter stays where it is, too. Replaying twice does no harm: what was heard before changes nothing.
    """
    from paperbus.admin.shown import show

    if bool(ids) == every:
        raise click.UsageError("Name the letters, or say --all.")
    done = asyncio.run(_replayed(ids, topics, reason, hours))
    show((one.listed() for one in done), COLUMNS, as_json=as_json)
    click.echo(f"{len(done)} put back.", err=True)


async def _replayed(
    ids: tuple[str, ...], topics: tuple[str, ...], reason: str | None, hours: float | None
) -> list[Buried]:
    from paperbus.admin import letters

    kafka = _kafka()
    chosen = [await letters.letter(kafka, id_) for id_ in ids] or await _found(kafka, topics, reason, hours)
    if not chosen:
        raise Stopped("There is no such dead letter.")
    await letters.replay(kafka, chosen)
    return chosen


async def _found(
    kafka: Kafka, topics: tuple[str, ...], reason: str | None, hours: float | None
) -> list[Buried]:
    from paperbus.admin.letters import letters

    begin = None if hours is None else datetime.now(UTC) - timedelta(hours=hours)
    found = [one async for one in letters(kafka, topics, begin)]
    return [one for one in found if reason is None or one.told("reason") == reason]


def _kafka() -> Kafka:
    from kit.broker import Kafka
    from kit.settings import Settings
    from paperbus.where import with_servers

    return Kafka.of(with_servers(Settings.load()))
