"""The kinds of drivers: where each lies, and the settings that it takes. Nothing is imported from here.

A line is all that a manifest's check and `open_driver` need to know of a driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DriverKind:
    """One kind of driver: its module, and the settings that it takes from manifest and credentials."""

    module: str
    needs: frozenset[str]
    takes: frozenset[str]


KINDS: Mapping[str, DriverKind] = {
    "webdav": DriverKind(
        "providers.drivers.webdav",
        needs=frozenset({"url", "username", "password"}),
        takes=frozenset({"atomic_put", "create_only", "case_sensitive", "forbidden_characters"}),
    ),
    "sftp": DriverKind(
        "providers.drivers.sftp",
        needs=frozenset({"host", "username"}),
        takes=frozenset(
            {
                "port",
                "password",
                "private_key",
                "passphrase",
                "host_key",
                "interactive",
                "totp_secret",
                "root",
                "case_sensitive",
                "forbidden_characters",
            }
        ),
    ),
    "ftp": DriverKind(
        "providers.drivers.ftp",
        needs=frozenset({"host", "username", "password"}),
        takes=frozenset({"port", "security", "root", "rename", "case_sensitive", "forbidden_characters"}),
    ),
    "rest": DriverKind("providers.drivers.rest", needs=frozenset(), takes=frozenset()),
    "imap": DriverKind(
        "providers.drivers.imap",
        needs=frozenset({"host", "username"}),
        takes=frozenset({"port", "security", "password", "access_token"}),
    ),
    "smtp": DriverKind(
        "providers.drivers.smtp",
        needs=frozenset({"host", "sender"}),
        takes=frozenset({"port", "security", "username", "password", "to"}),
    ),
    "object": DriverKind(
        "providers.drivers.object",
        needs=frozenset({"endpoint", "bucket", "access_key_id", "secret_access_key"}),
        takes=frozenset({"region", "addressing", "prefix", "conditional"}),
    ),
}
"""The drivers that are there. `needs` must be named by the manifest's credentials or settings."""
