"""What settings say about this service: its store, its vault, who may call. It connects to nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from joserfc.jwk import KeySet
from pydantic import SecretStr

from connections.vault import Vault, VaultKeysRefused, read_keys
from kit import tokens
from kit.settings import Settings, SettingsError


def mongo_url(settings: Settings) -> str:
    if settings.mongo_url is None:
        raise SettingsError("MONGO_URL is missing: set it, or use `paperbus up`, which brings a MongoDB.")
    return settings.mongo_url.get_secret_value()


def vault(settings: Settings) -> Vault:
    if settings.paperbus_vault_keys is None:
        raise SettingsError("PAPERBUS_VAULT_KEYS is missing: connections stores no secret without it.")
    try:
        return read_keys(settings.paperbus_vault_keys.get_secret_value())
    except VaultKeysRefused as refused:
        raise SettingsError(str(refused)) from None


def verifier(settings: Settings) -> tokens.Verifier:
    """Who may call: the platform's people."""
    platform = _keys(settings.paperbus_platform_keys, "PAPERBUS_PLATFORM_KEYS")
    services = _keys(settings.paperbus_service_keys, "PAPERBUS_SERVICE_KEYS")
    return tokens.Verifier(platform, services, lambda: datetime.now(UTC).timestamp())


def service_tokens(settings: Settings) -> tokens.ServiceTokens | None:
    """Who may borrow: nobody where no service keys are set."""
    services = _keys(settings.paperbus_service_keys, "PAPERBUS_SERVICE_KEYS")
    if services is None or settings.paperbus_service_key is None:
        return None
    own = tokens.private_key(settings.paperbus_service_key.get_secret_value(), "PAPERBUS_SERVICE_KEY")
    return tokens.ServiceTokens(own, services, lambda: datetime.now(UTC).timestamp())


def _keys(value: SecretStr | None, setting: str) -> KeySet | None:
    return None if value is None else tokens.public_keys(value.get_secret_value(), setting)
