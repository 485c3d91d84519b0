"""`paperbus token`: for embedded set-ups, which hold a platform key."""

from __future__ import annotations

import click


@click.command()
@click.option("--account", required=True, help="The customer of the platform.")
@click.option(
    "--role", type=click.Choice(["admin", "member", "operator"]), default="admin", show_default=True
)
def token(account: str, role: str) -> None:
    """Print a token for the HTTP interfaces, valid for an hour."""
    from kit.settings import Settings
    from kit.tokens import AUDIENCE, LONGEST
    from paperbus import keys

    click.echo(keys.token(Settings.load().paperbus_data, account, role, AUDIENCE, LONGEST))  # type: ignore[arg-type]  # click has checked it
