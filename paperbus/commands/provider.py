"""`paperbus provider`: manifests checked, listed, begun. It needs no server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from paperbus.errors import Stopped


@click.group()
def provider() -> None:
    """Check, list, start and try manifests of providers."""


@provider.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Say what is wrong with manifests, line by line. A folder stands for the manifest in it."""
    from providers.manifests import FILE, check as complaints_of

    wrong = 0
    for file in files:
        shown = file / FILE if file.is_dir() else file
        complaints = complaints_of(file)
        wrong += len(complaints)
        for complaint in complaints:
            click.echo(f"{shown}:{complaint}")
        if not complaints:
            click.echo(f"{shown}: all is well")
    if wrong:
        raise Stopped(f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong; see above.")


@provider.command("list", short_help="List the providers here.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def listing(as_json: bool) -> None:  # noqa: FBT001  click hands a flag over so
    """List the providers here: our catalogue's and those of PAPERBUS_PROVIDERS."""
    from kit.settings import Settings
    from providers.manifests import CATALOGUE
    from providers.starter import Entry, entries

    def row(entry: Entry) -> dict[str, object]:
        manifest = entry.manifest
        if manifest is None:
            return {
                "id": entry.folder.name,
                "folder": str(entry.folder),
                "wrong": [str(complaint) for complaint in entry.complaints],
            }
        directions = [str(direction) for direction in manifest.directions]
        return {
            "id": manifest.id,
            "name": manifest.name.en,
            "driver": manifest.driver.kind,
            "directions": directions,
        }

    try:
        rows = [row(entry) for entry in entries((CATALOGUE, *Settings.load().paperbus_providers))]
    except OSError as error:
        raise Stopped(f"PAPERBUS_PROVIDERS names {error.filename}, which cannot be read.") from None
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in rows:
        shown = f"wrong, see: paperbus provider check {one['folder']}" if "wrong" in one else one["name"]
        click.echo(f"{one['id']:<26} {one.get('driver', ''):<8} {shown}")


@provider.command(short_help="Write a starter: a folder with a manifest and a logo.")
@click.argument("name")
@click.option(
    "--in",
    "where",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder that it goes into; this one unless given.",
)
def new(name: str, where: Path) -> None:
    """Write a starter for a provider called NAME: a folder with a manifest and a logo."""
    from providers.starter import new as begin

    try:
        folder = begin(name, where)
    except (ValueError, OSError) as error:
        raise Stopped(str(error)) from None
    click.echo(f"{folder / 'manifest.yaml'} is a beginning. Check it: paperbus provider check {folder}")


@provider.command("try", short_help="Log in by a manifest, move one test document.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--locale", type=click.Choice(["en", "fr", "de"]), default="en", help="The language of the texts."
)
@click.option("--folder", default="/", help="Where the test document goes.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the login down, without what was typed, for the conformance tests to play again.",
)
@click.option(
    "--redirect-uri",
    help="Where the provider sends browsers back to, as your client is registered with it; the login "
    "window on this machine unless given.",
)
def try_(file: Path, locale: str, folder: str, record: Path | None, redirect_uri: str | None) -> None:
    """Log in by a manifest, list what can be chosen, move one test document. Each request is shown.

    Where the login goes on at the provider's own page, its address is printed, and the one that the browser
    is sent back to is pasted in.

    Addresses in private networks work where PAPERBUS_PRIVATE_NETWORKS lists them.
    """
    from kit.settings import Settings
    from paperbus.commands.trying import Prompting, Trial, tried
    from providers.egress import Guard
    from providers.manifests import Broken, load
    from providers.reach import Reach

    try:
        manifest = load(file if file.is_dir() else file.parent)
    except Broken:
        raise Stopped(f"The manifest has mistakes: paperbus provider check {file}") from None
    guard = Guard([str(network) for network in Settings.load().paperbus_private_networks])
    there = redirect_uri or f"http://127.0.0.1:8112/oauth/callback/{manifest.id}"
    typed: list[Mapping[str, Any]] = []
    reach = Reach(guard, clients=Prompting(typed))
    asyncio.run(tried(Trial(manifest, reach, locale, typed=typed, redirect_uri=there), folder, record))
