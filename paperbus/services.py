"""Which services there are, and the settings that each gets. Pure but for the keys that it has made."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.settings import (
    CATALOG_PORT,
    CONNECTIONS_PORT,
    CONSOLE_PORT,
    SYNC_RUNNER_PORT,
    WINDOW_PORT,
    Settings,
)
from kit.tokens import private_key
from paperbus import keys
from paperbus.errors import Stopped


@dataclass(frozen=True, slots=True)
class Service:
    """One process. Whether it is ready, its first port says."""

    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...]


def _module(name: str, module: str, *ports: int) -> Service:
    return Service(name, (sys.executable, "-m", module), ports)


SERVICES = (
    _module("catalog", "catalog", CATALOG_PORT),
    _module("connections", "connections", CONNECTIONS_PORT, WINDOW_PORT),
    _module("sync-runner", "sync_runner", SYNC_RUNNER_PORT),
    _module("console", "console", CONSOLE_PORT),
)
NAMES = [service.name for service in SERVICES]
VAULT = ("PAPERBUS_VAULT_KEYS", "PAPERBUS_VAULT_KEYS_FILE")
OWN = ("PAPERBUS_SERVICE_KEY", "PAPERBUS_SERVICE_KEY_FILE")
URLS = {
    "paperbus_console_url": CONSOLE_PORT,
    "paperbus_catalog_url": CATALOG_PORT,
    "paperbus_connections_url": CONNECTIONS_PORT,
    "paperbus_sync_runner_url": SYNC_RUNNER_PORT,
    "paperbus_public_url": WINDOW_PORT,
}


@dataclass(frozen=True, slots=True)
class Embedded:
    """The addresses of what `up` started itself; None is what was set."""

    kafka: str | None
    mongo: str | None

    @property
    def any(self) -> bool:
        return bool(self.kafka or self.mongo)


def require_own_keys(settings: Settings, only: list[str]) -> None:
    """A part of the services needs keys that the others know too.

    Raises:
        Stopped: one of them is missing, or is another service's.
    """
    if settings.paperbus_service_key is None or settings.paperbus_service_keys is None:
        raise Stopped("--only needs PAPERBUS_SERVICE_KEY and PAPERBUS_SERVICE_KEYS: set both.")
    own = private_key(settings.paperbus_service_key.get_secret_value(), "PAPERBUS_SERVICE_KEY").kid
    for name in only:
        if name != own:
            raise Stopped(f"PAPERBUS_SERVICE_KEY is the key of {own}, not of {name}: run {name} by itself.")


def require_vault(settings: Settings, names: list[str]) -> None:
    """Keys of the vault are made only beside a store of our own: they must be as lasting as what they lock.

    Raises:
        Stopped: connections is to run on a MongoDB that is set, and no keys are.
    """
    if "connections" in names and settings.mongo_url is not None and settings.paperbus_vault_keys is None:
        raise Stopped(
            "PAPERBUS_VAULT_KEYS is missing: connections stores no secret without it. Make keys once with "
            "`paperbus keys new`, and keep them: what they lock cannot be opened without them."
        )


def shared(environ: Mapping[str, str], settings: Settings, data: Path, embedded: Embedded) -> dict[str, str]:
    """The settings that all services get: what was set, and what `up` adds. Makes missing keys."""
    added = {"PAPERBUS_DATA": str(data)}
    if embedded.kafka:
        # This machine's alone, so one instance name is unique: a restart takes up its partitions at once.
        added |= {"KAFKA_BOOTSTRAP_SERVERS": embedded.kafka, "PAPERBUS_INSTANCE": "up"}
    if embedded.mongo:
        added["MONGO_URL"] = embedded.mongo
    if embedded.any:
        added |= {
            name.upper(): f"http://{settings.paperbus_listen}:{port}"
            for name, port in URLS.items()
            if name not in settings.model_fields_set
        }
        if settings.paperbus_platform_keys is None:
            added["PAPERBUS_PLATFORM_KEYS"] = str(keys.platform_keys(data))
    return {name: value for name, value in environ.items() if name not in VAULT + OWN} | added


def settings_for(
    names: list[str], environ: Mapping[str, str], settings: Settings, data: Path, embedded: Embedded
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What all services get, and what each gets besides: its own key; the vault's go to connections alone."""
    everyone = shared(environ, settings, data, embedded)
    if settings.paperbus_service_keys is None and settings.paperbus_service_key is None:
        public, private = keys.service_keys(data, names)
        everyone["PAPERBUS_SERVICE_KEYS"] = str(public)
        own = {name: {OWN[0]: str(private[name])} for name in names}
    else:
        own = {name: {key: environ[key] for key in OWN if key in environ} for name in names}
    if "connections" in names:
        given = {key: environ[key] for key in VAULT if key in environ}
        made = {VAULT[0]: str(keys.vault_keys(data))} if embedded.mongo and not given else {}
        own["connections"] |= given | made
    return everyone, own
