"""`paperbus admin republish`."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from paperbus.admin.shown import as_json
from paperbus.errors import Stopped


@click.command()
@click.option("--account", default="", help="Of this customer of the platform alone.")
@click.option("--connection", default="", help="This connection alone.")
@as_json
def republish(*, account: str, connection: str, as_json: bool) -> None:
    """Say the present state of saved connections again, as ConnectionChanged (and Paused, Removed).

    For consumers that are new or restored: what they know already, they drop or find unchanged. Troubles are
    not told again. The catalogue needs none of it: its topic is compacted.
    """
    from kit.settings import Settings
    from paperbus.admin.shown import line
    from paperbus.where import with_databases

    # By the rules of connections, in a process of its own: no service is imported here.
    asked = [sys.executable, "-m", "connections.republish", account, connection.lower()]
    environment = os.environ | {"MONGO_URL": with_databases(Settings.load())}
    environment.pop("MONGO_URL_FILE", None)
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  ours
    if done.returncode:
        raise Stopped(done.stderr.strip().splitlines()[-1] if done.stderr else "It ended without a word.")
    count = int(done.stdout)
    if connection and not count:
        raise Stopped(f"There is no saved connection {connection}.")
    click.echo(line({"connections": count}) if as_json else f"{count} connections say their state again.")
