"""`paperbus keys`: the keys and passwords of a deployment."""

from __future__ import annotations

import os
from pathlib import Path

import click

from paperbus.errors import Stopped

MEANT_FOR_THE_PLATFORM = "platform-key.json"


@click.group()
def keys() -> None:
    """Make the keys and passwords of a deployment."""


@keys.command()
@click.option(
    "--console", default="https://console.localhost", show_default=True, help="The console's address."
)
@click.option(
    "--window", default="https://connect.localhost", show_default=True, help="The login window's address."
)
@click.option("--platform", type=click.Path(path_type=Path), help="Your platform's public JWK set.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder.")
def new(console: str, window: str, platform: Path | None, into: Path) -> None:
    """Write `.env` for docker-compose.yml: a key for each service, the vault's, MongoDB's passwords.

    Without --platform, a platform key is made as well, to try it with.
    """
    from paperbus.deployment import env_file, platform_keys

    text, private = env_file(console, window, platform_keys(platform) if platform else None)
    _write(into / ".env", text)
    if private:
        _write(into / MEANT_FOR_THE_PLATFORM, private)
        click.echo(
            f"{into / MEANT_FOR_THE_PLATFORM} signs for your platform: keep it there, and nowhere else."
        )
    click.echo(f"{into / '.env'} is ready. Keep a copy apart from the database. Next: docker compose up -d")


def _write(path: Path, text: str) -> None:
    """For its owner alone, and never over what is there."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        raise Stopped(
            f"{path} is there already, and its keys alone read what is stored: nothing was written."
        ) from None
    except OSError as error:
        raise Stopped(f"{path} cannot be written: {error.strerror}.") from None
