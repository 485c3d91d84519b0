"""`paperbus admin keys`: the vault's key-encryption keys."""

from __future__ import annotations

import click

from paperbus.admin.shown import as_json


@click.group()
def keys() -> None:
    """Bring everything that is stored under the newest vault key."""


@keys.command("rotate")
@as_json
def rotate(*, as_json: bool) -> None:
    """Wrap every stored secret by the newest key of PAPERBUS_VAULT_KEYS, while services run.

    Put the new key first and keep the old one behind it, restart the connections services with both, then
    call this. Stopped at any point, it goes on where it was. Once it says that nothing is left, the old key
    may go.
    """
    from paperbus.admin.operating import operate
    from paperbus.admin.shown import line

    for told in operate("keys-rotate"):
        if as_json:
            click.echo(line(told))
        elif told.get("done"):
            click.echo(f"Everything is sealed under the key {told['kid']}; older ones may be dropped.")
        else:
            click.echo(f"{told['rewrapped']} rewrapped, {told['left']} left", err=True)
