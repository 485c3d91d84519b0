"""What settings say to every service alike: its store, who may call it, how it proves itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kit import tokens
from kit.settings import Settings, SettingsError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from pydantic import SecretStr


def mongo_url(settings: Settings) -> str:
    """The address of the store, with its secrets.

    Raises:
        SettingsError: none is set.
    """
    if settings.mongo_url is None:
        raise SettingsError("MONGO_URL is missing: set it, or use `paperbus up`, which brings a MongoDB.")
    return settings.mongo_url.get_secret_value()


def verifier(settings: Settings) -> tokens.Verifier:
    """Who may look: the platform's people, and the console for its own.

    Raises:
        KeysRefused: what is set is no set of public keys.
    """
    platform = _keys(settings.paperbus_platform_keys, "PAPERBUS_PLATFORM_KEYS")
    return tokens.Verifier(platform, _service_keys(settings), time.time)


def service_tokens(settings: Settings) -> tokens.ServiceTokens | None:
    """How services prove themselves to one another; None where no service keys are set.

    Raises:
        KeysRefused: what is set is no key, or no set of public ones.
    """
    services = _service_keys(settings)
    if services is None or settings.paperbus_service_key is None:
        return None
    own = tokens.private_key(settings.paperbus_service_key.get_secret_value(), "PAPERBUS_SERVICE_KEY")
    return tokens.ServiceTokens(own, services, time.time)


def _service_keys(settings: Settings) -> KeySet | None:
    return _keys(settings.paperbus_service_keys, "PAPERBUS_SERVICE_KEYS")


def _keys(value: SecretStr | None, setting: str) -> KeySet | None:
    return None if value is None else tokens.public_keys(value.get_secret_value(), setting)
