"""`paperbus link`: for embedded set-ups, which hold a platform key."""

from __future__ import annotations

import click


@click.command()
@click.option("--account", required=True, help="The customer of the platform.")
def link(account: str) -> None:
    """Print a fresh link to the console: it opens once, within ten minutes."""
    from kit.settings import Settings
    from paperbus.keys import console_link
    from paperbus.where import with_console

    click.echo(console_link(with_console(Settings.load()), account))
