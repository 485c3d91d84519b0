"""Settings from the environment, under the names of the contract (§1). It reads, checks and connects to nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field as Member, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

CONSOLE_PORT, CATALOG_PORT, CONNECTIONS_PORT, WINDOW_PORT, SYNC_RUNNER_PORT = 8100, 8101, 8102, 8112, 8103


class SettingsError(ValueError):
    """A setting is missing or wrong. The text is one sentence that names it and never its value."""


def _listed(value: object) -> object:
    """Text with commas as a tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Every setting of the contract, frozen. Secrets are `SecretStr` and may come from `…_FILE`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True, case_sensitive=False
    )

    kafka_bootstrap_servers: str | None = None
    kafka_security: Literal["plaintext", "sasl_ssl"] | None = None
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
    mongo_url: SecretStr | None = None
    paperbus_data: Path = Path(".paperbus")
    paperbus_listen: str = "127.0.0.1"
    paperbus_catalog_url: str = f"http://127.0.0.1:{CATALOG_PORT}"
    paperbus_connections_url: str = f"http://127.0.0.1:{CONNECTIONS_PORT}"
    paperbus_sync_runner_url: str = f"http://127.0.0.1:{SYNC_RUNNER_PORT}"
    paperbus_public_url: str = f"http://127.0.0.1:{WINDOW_PORT}"
    paperbus_console_url: str = f"http://127.0.0.1:{CONSOLE_PORT}"
    paperbus_return_origins: Listed = ()
    paperbus_frame_ancestors: Listed = ()
    paperbus_trusted_proxies: Listed = ()
    paperbus_platform_keys: SecretStr | None = None
    paperbus_service_key: SecretStr | None = None
    paperbus_service_keys: SecretStr | None = None
    paperbus_vault_keys: SecretStr | None = None
    paperbus_providers: Listed = ()
    paperbus_private_networks: Listed = ()
    paperbus_log: str = "info"
    paperbus_instance: str | None = None
    paperbus_ledger_days: int = 400
    otel_exporter_otlp_endpoint: str | None = None

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of this process, or of `environ`.

        Raises:
            SettingsError: one sentence that names what is missing or wrong.
        """
        raise NotImplementedError
