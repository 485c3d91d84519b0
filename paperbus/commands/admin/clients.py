"""`paperbus admin clients`: how the platform is registered with providers that log in by OAuth."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Any

import click

from paperbus.admin.shown import as_json

COLUMNS = ("provider_id", "client_id", "set_at", "set_by")


@click.group()
def clients() -> None:
    """Set the client id and secret that a provider gave you; list who has one."""


@clients.command("set")
@click.argument("provider", metavar="PROVIDER")
@click.option("--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A private JWK, for a provider where clients prove themselves by key.")  # fmt: skip
@as_json
def set_(provider: str, key_file: Path | None, *, as_json: bool) -> None:
    """Ask for the client id and secret, and keep them in the vault.

    They are prompted for, or read as two lines from standard input; never given as arguments. Register this
    redirect address with the provider: PAPERBUS_PUBLIC_URL/oauth/callback/PROVIDER
    """
    from kit.settings import Settings

    if not as_json:
        address = f"{Settings.load().paperbus_public_url}/oauth/callback/{provider}"
        click.echo(f"The redirect address to register with the provider: {address}", err=True)
    client = _asked(key_file)
    _show("clients-set", provider, typed=json.dumps({**client, "by": getpass.getuser()}), as_json=as_json)


@clients.command("list")
@as_json
def listing(*, as_json: bool) -> None:
    """Which providers have a client; never a secret."""
    _show("clients-list", as_json=as_json)


@clients.command("remove")
@click.argument("provider", metavar="PROVIDER")
@as_json
def remove(provider: str, *, as_json: bool) -> None:
    """Forget a client: its provider can be chosen no more, and its tokens are not renewed."""
    _show("clients-remove", provider, as_json=as_json)


def _asked(key_file: Path | None) -> dict[str, Any]:
    """By prompts where somebody sits there, else by lines: the id, and the secret where there is no key."""
    by_key = key_file is not None
    if sys.stdin.isatty():
        client_id = click.prompt("Client id")
        secret = (
            None if by_key else click.prompt("Client secret", hide_input=True, default="", show_default=False)
        )
    else:
        lines = [*sys.stdin.read().splitlines(), "", ""]
        client_id, secret = lines[0].strip(), None if by_key else lines[1].strip()
    key = json.loads(key_file.read_text(encoding="utf-8")) if key_file else None
    return {"client_id": client_id, "secret": secret or None, "key": key}


def _show(call: str, *given: str, typed: str = "", as_json: bool) -> None:
    from paperbus.admin.operating import operate
    from paperbus.admin.shown import show

    show(list(operate(call, *given, typed=typed)), COLUMNS, as_json=as_json)
