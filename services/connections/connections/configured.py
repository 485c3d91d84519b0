"""What settings say about the vault. It connects to nothing."""

from __future__ import annotations

from connections.vault import Vault, VaultKeysRefused, read_keys
from kit.settings import Settings, SettingsError


def vault(settings: Settings) -> Vault:
    """The vault with the keys that are set.

    Raises:
        SettingsError: none are set, or what is set is no set of keys.
    """
    if settings.paperbus_vault_keys is None:
        raise SettingsError("PAPERBUS_VAULT_KEYS is missing: connections stores no secret without it.")
    try:
        return read_keys(settings.paperbus_vault_keys.get_secret_value())
    except VaultKeysRefused as refused:
        raise SettingsError(str(refused)) from None
