"""`paperbus admin`: what operators look at and mend. Each subcommand is a module here, loaded when used."""

from __future__ import annotations

import click

from paperbus.lazily import Lazily

COMMANDS = {
    "clients": "Set the client id and secret that a provider gave you.",
    "keys": "Bring all stored secrets under the newest vault key.",
    "provider": "Approve of a provider's new hosts; pause and resume a provider.",
    "connections": "List connections of every account.",
    "dead": "List, show and replay dead letters.",
    "documents": "What a connection moved, and what not: its ledger.",
    "parked": "List parked events, and let them be tried at once.",
    "republish": "Owe the present state again, for consumers that are new or restored.",
    "restored": "Take up work after MongoDB was restored from a backup.",
    "tail": "Show events as they pass.",
    "timeline": "What happened to a connection.",
}
"""Each is a click command of that name in `paperbus.commands.admin.<name>`."""


@click.group(cls=Lazily, package="paperbus.commands.admin", helps=COMMANDS)
def admin() -> None:
    """Look, mend, replay. It needs Kafka and MongoDB (KAFKA_…, MONGO_URL, or a running `paperbus up`).

    Every listing takes --json.
    """
