"""`paperbus up`: options in, what runs where out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from paperbus.up import Plan, Up

PORT = click.IntRange(1, 65_535)
PORTS = {"kafka_port": 9092, "mongo_port": 27017}


@click.command()
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the embedded servers."
)
@click.option("--ephemeral", is_flag=True, help="Keep nothing: a folder that is gone afterwards.")
@click.option("--only", multiple=True, metavar="NAME", help="Run this service alone; may be said again.")
@click.option(
    "--kafka-port", type=PORT, default=PORTS["kafka_port"], show_default=True, help="Of the embedded Kafka."
)
@click.option(
    "--mongo-port", type=PORT, default=PORTS["mongo_port"], show_default=True, help="Of the embedded MongoDB."
)
@click.argument("names", nargs=-1)
def up(  # noqa: PLR0913  an option each
    data: Path | None,
    *,
    ephemeral: bool,
    only: tuple[str, ...],
    kafka_port: int,
    mongo_port: int,
    names: tuple[str, ...],
) -> None:
    """Start what is not configured (MongoDB, Kafka), make the topics, run all services.

    Ctrl-C ends all of it. NAMES are further services after --only.
    """
    from kit.settings import Settings
    from paperbus.asked import until_asked
    from paperbus.services import NAMES
    from paperbus.up import Plan, data_folder

    if names and not only:
        raise click.UsageError(f"Say --only before {' '.join(names)}.")
    chosen = tuple(name for part in (*only, *names) for name in part.split(","))
    if unknown := set(chosen) - set(NAMES):
        raise click.UsageError(
            f"There is no service {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}."
        )
    with data_folder(Settings.load(), data, ephemeral=ephemeral) as folder:
        until_asked(_stay(Plan(folder, chosen, kafka_port, mongo_port)))


async def _stay(plan: Plan) -> None:
    from paperbus.up import running

    started = time.monotonic()
    async with running(plan, click.echo) as everything:
        click.echo(places(everything))
        click.echo(f"Ready after {time.monotonic() - started:.0f} s. Ctrl-C ends all of it.")
        await everything.keep()


def places(up: Up) -> str:
    """Where things are, one a line."""
    settings = up.settings
    own = {name for name in ("kafka", "mongo") if getattr(up.embedded, name)}
    named = {
        "console": settings.paperbus_console_url,
        "catalog": settings.paperbus_catalog_url,
        "connections": settings.paperbus_connections_url,
        "sync-runner": settings.paperbus_sync_runner_url,
    }
    running = {service.service.name for service in up.services}
    lines = {name: url for name, url in named.items() if name in running}
    if "connections" in running:
        lines["login window"] = settings.paperbus_public_url
    if own:
        lines |= {"Kafka": up.embedded.kafka or "as set", "MongoDB": up.embedded.mongo or "as set"}
    lines |= {"data": str(up.data), "logs": str(up.data / "logs")}
    return "\n".join(f"  {name:<13} {where}" for name, where in lines.items())
