"""`paperbus demo`: everything of `up`, and a platform that connects an account and exports e-invoices."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paperbus.commands.up import PORT, PORTS
from paperbus.errors import Stopped

if TYPE_CHECKING:
    from rich.console import Console

    from paperbus.demo.show import Stage
    from paperbus.up import Plan, Up

NETWORKS = "PAPERBUS_PRIVATE_NETWORKS"
LOOPBACK = "127.0.0.0/8"
"""The demo's target listens there, where the egress guard lets nothing through unless it is listed."""
PROVIDERS = "PAPERBUS_PROVIDERS"
OWN = "demo-providers"
"""The folder, among the data, of the demo's own providers."""


@click.command()
@click.option("--once", is_flag=True, help="End after the first export: 0 if every document arrived.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the servers' data.")
@click.option("--ephemeral", is_flag=True, help="Keep nothing: a folder that is gone afterwards.")
@click.option(
    "--kafka-port", type=PORT, default=PORTS["kafka_port"], show_default=True, help="Of the embedded Kafka."
)
@click.option(
    "--mongo-port", type=PORT, default=PORTS["mongo_port"], show_default=True, help="Of the embedded MongoDB."
)
def demo(*, once: bool, data: Path | None, ephemeral: bool, kafka_port: int, mongo_port: int) -> None:
    """Start everything, connect an account over events alone, export e-invoices, prove that they arrived."""
    from kit.settings import Settings
    from paperbus.asked import until_asked
    from paperbus.up import Plan, data_folder

    networks = ",".join(filter(None, (os.environ.get(NETWORKS), LOOPBACK)))
    with data_folder(Settings.load(), data, ephemeral=ephemeral) as folder:
        (folder / OWN).mkdir(parents=True, exist_ok=True)
        providers = ",".join(filter(None, (os.environ.get(PROVIDERS), str(folder / OWN))))
        added = {NETWORKS: networks, PROVIDERS: providers}
        plan = Plan(folder, kafka_port=kafka_port, mongo_port=mongo_port, added=added)
        if not until_asked(_once(plan) if once else _staying(plan)) and once:
            raise Stopped("Ended before every document had arrived.")


async def _once(plan: Plan) -> None:
    from paperbus.demo.show import show
    from paperbus.up import running

    async with running(plan, click.echo) as everything:
        await _beside(everything, show(_stage(everything), _console(), None))


async def _staying(plan: Plan) -> None:
    from paperbus.demo.show import show
    from paperbus.up import running

    async with running(plan, click.echo) as everything:

        def hints(account: str, connection: str) -> str:
            return _hints(everything, account, connection)

        await _beside(everything, show(_stage(everything), _console(), hints))


async def _beside(everything: Up, story: Coroutine[Any, Any, None]) -> None:
    """The story, while the services are kept running."""
    from paperbus.commands.up import places

    click.echo(places(everything))
    keeping = asyncio.ensure_future(everything.keep())
    try:
        await story
    finally:
        keeping.cancel()


def _console() -> Console:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console.width = 140
    return console


def _stage(everything: Up) -> Stage:
    from kit.broker import Kafka
    from kit.tokens import AUDIENCE, LONGEST, public_keys
    from paperbus import keys
    from paperbus.demo.show import Stage

    settings = everything.settings
    public = settings.paperbus_service_keys
    if public is None:
        raise Stopped("PAPERBUS_SERVICE_KEYS is missing: the demo's platform must know sync-runner's key.")
    return Stage(
        Kafka.of(settings),
        settings.paperbus_connections_url,
        settings.paperbus_sync_runner_url,
        public_keys(public.get_secret_value(), "PAPERBUS_SERVICE_KEYS"),
        lambda account: keys.token(everything.data, account, "admin", AUDIENCE, LONGEST),
        everything.data / OWN,
    )


def _hints(everything: Up, account: str, connection: str) -> str:
    """A link to the console, and three commands to paste."""
    from paperbus.keys import console_link

    data = f"PAPERBUS_DATA={everything.data} " if everything.data != Path(".paperbus").absolute() else ""
    command = f"{data}{Path(sys.executable).parent / 'paperbus'}"
    about = f"connection_id={connection}"
    now = "due_at=$(date -u +%FT%TZ) reason=manual again=true"
    return "\n".join(
        (
            f"Open the page again: {command} link --account {account}",
            f"Export again:        {command} send ExportDue --account {account} {about} {now}",
            f"Add a provider:      {command} provider new my-cloud --in {everything.data / OWN}",
            "Ctrl-C ends all of it.",
            "",
            "The console, where customers add accounts; its Demo Portal asks for a code, as portals do:",
            console_link(everything.settings, account),
        )
    )
