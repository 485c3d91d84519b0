"""`paperbus admin republish`."""

from __future__ import annotations

import click

from paperbus.admin.shown import as_json


@click.command()
@click.option("--account", default="", help="Of this customer of the platform alone.")
@click.option("--connection", default="", help="This connection alone.")
@as_json
def republish(*, account: str, connection: str, as_json: bool) -> None:
    """Say the present state of saved connections again, as ConnectionChanged (and Paused, Removed).

    For consumers that are new or restored: what they know already, they drop or find unchanged. Troubles are
    not told again. The catalogue needs none of it: its topic is compacted.
    """
    from paperbus.admin.operating import operate
    from paperbus.admin.shown import line

    for told in operate("republish", account, connection.lower()):
        click.echo(line(told) if as_json else f"{told['connections']} connections say their state again.")
