"""Where the servers of a set-up are: as set, or as `paperbus up` embeds them. Connects to nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from kit.settings import Settings
from paperbus.local import kafka, mongo
from paperbus.services import Embedded


def with_servers(settings: Settings) -> Settings:
    """`settings` with its servers: as set, else of the `up` on `PAPERBUS_DATA`, else its defaults."""
    running = _running(settings.paperbus_data)
    added: dict[str, object] = {}
    if not settings.kafka_bootstrap_servers:
        own = f"{settings.paperbus_listen}:{kafka.PORT}"
        added["kafka_bootstrap_servers"] = running.get("kafka") or own
    if not settings.mongo_url:
        own = f"mongodb://{settings.paperbus_listen}:{mongo.PORT}/?replicaSet={mongo.SET}"
        added["mongo_url"] = SecretStr(running.get("mongo") or own)
    return settings.model_copy(update=added)


@contextlib.contextmanager
def told(data: Path, embedded: Embedded) -> Iterator[None]:
    """While the block runs, other commands on the same data folder find what it embeds."""
    note = data / "servers.json"
    note.write_text(json.dumps({"kafka": embedded.kafka, "mongo": embedded.mongo}))
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
