"""Settings from the environment, under the names of the contract (§1). It connects to nothing."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field as Member,
    IPvAnyAddress,
    SecretStr,
    ValidationError,
    model_validator,
)

from schemas.wording import wording

CONSOLE_PORT, CATALOG_PORT, CONNECTIONS_PORT, WINDOW_PORT, SYNC_RUNNER_PORT = 8100, 8101, 8102, 8112, 8103


class SettingsError(ValueError):
    """A setting is missing or wrong. The text is one sentence that names it, and never its value."""


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) is this machine itself."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _listed(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with http:// or https://")
    return value.rstrip("/")


def _origin(value: str) -> str:
    parts = urlsplit(_url(value))
    return f"{parts.scheme}://{parts.netloc}".lower()


_BROKER = re.compile(r"(\[[^\s\]]+\]|[^\s:]+)(:\d{1,5})?")


def _network(value: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError("must hold networks alone, such as 10.0.0.0/8, separated by commas") from None


def _brokers(value: str) -> str:
    if not all(_BROKER.fullmatch(server.strip()) for server in value.split(",")):
        raise ValueError("must be addresses such as kafka-1:9093, separated by commas")
    return value


def _scanner(value: str) -> str:
    if not re.fullmatch(r"/.+|.+:\d+", value):
        raise ValueError("must be an address such as 127.0.0.1:3310, or the path of a socket")
    return value


Listed = BeforeValidator(_listed)
"""Text with commas becomes a tuple."""
Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class Settings(BaseModel):
    """Every setting of the contract. Secrets are `SecretStr`; each may come from a file (`…_FILE`)."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_brokers)] | None = None
    kafka_security: Literal["plaintext", "sasl_ssl"] | None = None
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
    mongo_url: SecretStr | None = None
    paperbus_data: Path = Path(".paperbus")
    paperbus_listen: IPvAnyAddress = Member(default="127.0.0.1", validate_default=True)
    paperbus_catalog_url: Url = f"http://127.0.0.1:{CATALOG_PORT}"
    paperbus_connections_url: Url = f"http://127.0.0.1:{CONNECTIONS_PORT}"
    paperbus_sync_runner_url: Url = f"http://127.0.0.1:{SYNC_RUNNER_PORT}"
    paperbus_public_url: Url = f"http://127.0.0.1:{WINDOW_PORT}"
    paperbus_console_url: Url = f"http://127.0.0.1:{CONSOLE_PORT}"
    paperbus_return_origins: Annotated[tuple[Origin, ...], Listed] = ()
    paperbus_frame_ancestors: Annotated[tuple[Origin, ...], Listed] = ()
    paperbus_trusted_proxies: Annotated[tuple[Network, ...], Listed] = ()
    paperbus_platform_keys: SecretStr | None = None
    paperbus_service_key: SecretStr | None = None
    paperbus_service_keys: SecretStr | None = None
    paperbus_vault_keys: SecretStr | None = None
    paperbus_providers: Annotated[tuple[Path, ...], Listed] = ()
    paperbus_private_networks: Annotated[tuple[Network, ...], Listed] = ()
    paperbus_log: Literal["debug", "info", "warning", "error"] = "info"
    paperbus_instance: str | None = Member(default=None, min_length=1, max_length=100)
    paperbus_ledger_days: int = Member(default=400, ge=1)
    paperbus_content_days: int = Member(default=30, ge=1)
    paperbus_clamd: Annotated[str, AfterValidator(_scanner)] | None = None
    otel_exporter_otlp_endpoint: Url | None = None

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings in `environ`, this process's unless given. An empty value is none.

        Raises:
            SettingsError: one sentence that names what is missing or wrong.
        """
        environ = os.environ if environ is None else environ
        values = {name: value for name in cls.model_fields if (value := _value(name.upper(), environ))}
        try:
            return cls.model_validate(values)
        except ValidationError as invalid:
            raise SettingsError(_sentence(invalid)) from None

    @model_validator(mode="after")
    def _kafka_is_reached_safely(self) -> Self:
        if self.kafka_bootstrap_servers is None:
            return self
        hosts = [server.rsplit(":", 1)[0].strip() for server in self.kafka_bootstrap_servers.split(",")]
        if self.kafka_security is None and not all(is_loopback(host) for host in hosts):
            raise ValueError(
                "KAFKA_SECURITY is missing: say sasl_ssl, or plaintext if nobody else can reach that network"
            )
        if self.kafka_security == "sasl_ssl":
            for name in ("kafka_username", "kafka_password"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name.upper()} is missing: KAFKA_SECURITY=sasl_ssl needs it")
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """Where browsers may be sent back: `PAPERBUS_RETURN_ORIGINS`, and the console's origin always."""
        return (*self.paperbus_return_origins, _origin(self.paperbus_console_url))


def strangers(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each `PAPERBUS_…` that no service knows: misspelt, it would be ignored in silence."""
    known = [name.upper() for name in Settings.model_fields]
    known += [f"{name}_FILE" for name in known]
    said = []
    for name in sorted(name for name in environ if name.startswith("PAPERBUS_") and name not in known):
        nearest = difflib.get_close_matches(name, known, 1)
        guess = f"; did you mean {nearest[0]}?" if nearest else "."
        said.append(f"{name} is no setting, so it changes nothing{guess}")
    return said


def _value(name: str, environ: Mapping[str, str]) -> str | None:
    """The value of one setting: its own, or what the file named by `…_FILE` holds."""
    own, path = environ.get(name), environ.get(f"{name}_FILE")
    if own and path:
        raise SettingsError(f"{name} and {name}_FILE are both set: unset one of them.")
    if not path:
        return own
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{name}_FILE names a file that cannot be read as text.") from None


def _sentence(invalid: ValidationError) -> str:
    found = invalid.errors(include_input=False, include_url=False, include_context=False)[0]
    name = "".join(f"{part}".upper() + " " for part in found["loc"][:1])
    return f"{name}{wording(found)}."
