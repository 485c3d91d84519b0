"""The keys and passwords of a deployment by `docker-compose.yml`, made fresh, as text for its `.env`."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path

from paperbus.databases import USERS
from paperbus.errors import Stopped
from paperbus.keys import new_platform_key, new_service_key, new_vault_keys, public_half
from paperbus.services import NAMES

HEAD = """\
# Keys and passwords of this deployment, for docker-compose.yml. Keep it to yourself, and keep it: without
# PAPERBUS_VAULT_KEYS no stored credential can be read again. Back it up apart from the database.
"""
URLS = """
# How browsers reach the console and the login window.
PAPERBUS_CONSOLE_URL={console}
PAPERBUS_PUBLIC_URL={window}
# Where the login window may send them back: your platform's origin.
PAPERBUS_RETURN_ORIGINS=
# The networks in which customers' own servers may live, such as 10.20.0.0/16. Empty: public addresses alone.
PAPERBUS_PRIVATE_NETWORKS=
"""


def env_file(console: str, window: str, platform: str | None) -> tuple[str, str | None]:
    """The text of `.env`, and the platform's private key where `platform` (its public set) is not given."""
    private = None
    if platform is None:
        key = new_platform_key()
        private, platform = json.dumps(key), json.dumps({"keys": [public_half(key)]})
    own = {name: new_service_key(name) for name in NAMES}
    values = {
        "PAPERBUS_PLATFORM_KEYS": platform,
        "PAPERBUS_SERVICE_KEYS": json.dumps({"keys": [public_half(key) for key in own.values()]}),
        **{f"SERVICE_KEY_{_upper(name)}": json.dumps(key) for name, key in own.items()},
        "PAPERBUS_VAULT_KEYS": json.dumps(new_vault_keys()),
        **{f"MONGO_PASSWORD_{_upper(name)}": secrets.token_urlsafe(32) for name in USERS},
        "MONGO_KEY_FILE": base64.b64encode(secrets.token_bytes(96)).decode(),
        "KAFKA_CLUSTER": _cluster(),
    }
    return HEAD + URLS.format(console=console, window=window) + "\n" + _lines(values), private


def platform_keys(file: Path) -> str:
    """The platform's public keys in `file`, on one line.

    Raises:
        Stopped, KeysRefused: it is no set of public keys.
    """
    from kit.tokens import public_keys

    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError):
        raise Stopped(f"{file} is no readable JSON: it should be the platform's public JWK set.") from None
    public_keys(text, str(file))
    return json.dumps(found)


def _cluster() -> str:
    """16 bytes in base64, as every cluster id; a first `-` would be taken for an option."""
    return "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def _lines(values: Mapping[str, str]) -> str:
    """Quoted, so that nothing in them is taken for another variable."""
    return "".join(f"{name}='{value}'\n" for name, value in values.items())
