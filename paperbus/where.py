"""Where the servers of a set-up are: as set, or as `paperbus up` embeds them. Connects to nothing.

The embedded servers are imported only where something is not set: an image for production lacks them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from kit.settings import Settings
from paperbus.services import Embedded


def with_servers(settings: Settings) -> Settings:
    """`settings` with Kafka's address: as set, else of the `up` on `PAPERBUS_DATA`, else its default."""
    if settings.kafka_bootstrap_servers:
        return settings
    from paperbus.local import kafka

    own = f"{settings.paperbus_listen}:{kafka.PORT}"
    address = _running(settings.paperbus_data).get("kafka") or own
    return settings.model_copy(update={"kafka_bootstrap_servers": address})


def with_databases(settings: Settings) -> str:
    """MongoDB's address: as set, else of the `up` on `PAPERBUS_DATA`, else its default."""
    if settings.mongo_url:
        return settings.mongo_url.get_secret_value()
    from paperbus.local import mongo

    own = f"mongodb://{settings.paperbus_listen}:{mongo.PORT}/?replicaSet={mongo.SET}"
    return _running(settings.paperbus_data).get("mongo") or own


def with_console(settings: Settings) -> Settings:
    """`settings` with the console's address: as set, else of the `up` on `PAPERBUS_DATA`, else its own."""
    running = _running(settings.paperbus_data).get("console")
    if running is None or "paperbus_console_url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"paperbus_console_url": running})


@contextlib.contextmanager
def told(data: Path, embedded: Embedded, console: str) -> Iterator[None]:
    """While the block runs, other commands on the same data folder find what it embeds, and the console."""
    note = data / "servers.json"
    note.write_text(json.dumps({"kafka": embedded.kafka, "mongo": embedded.mongo, "console": console}))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _running(data: Path) -> dict[str, str]:
    try:
        found = json.loads((data / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
