"""`paperbus databases`: MongoDB's replica set and users, before the services start."""

from __future__ import annotations

import os

import click

from paperbus.errors import Stopped


@click.command()
@click.option("--member", default="mongo:27017", show_default=True, help="How the services reach it.")
def databases(member: str) -> None:
    """Make the replica set and the services' users. MONGO_URL must reach mongod over loopback.

    The passwords are MONGO_PASSWORD_ADMIN, MONGO_PASSWORD_CATALOG … as `paperbus keys new` makes them.
    """
    from kit.settings import Settings
    from paperbus.databases import USERS, prepare

    url = Settings.load().mongo_url
    names = {user: f"MONGO_PASSWORD_{user.upper().replace('-', '_')}" for user in USERS}
    if missing := [name for name in names.values() if not os.environ.get(name)]:
        raise Stopped(f"{missing[0]} is missing: `paperbus keys new` makes it.")
    if url is None:
        raise Stopped("MONGO_URL is missing: it must reach mongod over loopback.")
    passwords = {user: os.environ[name] for user, name in names.items()}
    prepare(url.get_secret_value(), member, passwords, click.echo)
    click.echo("The databases are ready.")
