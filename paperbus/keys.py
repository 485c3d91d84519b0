"""The keys of a set-up that was given none: made once, kept in `PAPERBUS_DATA/keys` for their owner alone."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from joserfc.jwk import OctKey

from kit.settings import Settings
from kit.tokens import Role, new_signing_key, private_key, sign
from paperbus.errors import Stopped

PLATFORM = "local-platform"
"""`kid` and issuer of the platform key that embedded set-ups hold."""


def service_keys(data: Path, names: list[str]) -> tuple[Path, dict[str, Path]]:
    """The public set of these services' keys, and each one's own private key. Made where missing."""
    own = {name: _kept(_folder(data) / f"{name}.json", partial(new_service_key, name)) for name in names}
    public = [public_half(json.loads(path.read_text())) for path in own.values()]
    everyone = _folder(data) / "services.public.json"
    _write(everyone, {"keys": public})
    return everyone, own


def platform_keys(data: Path) -> Path:
    """The public half of the platform key, made where it is missing."""
    private = _kept(_folder(data) / "platform.json", new_platform_key)
    public = _folder(data) / "platform.public.json"
    _write(public, {"keys": [public_half(json.loads(private.read_text()))]})
    return public


def vault_keys(data: Path) -> Path:
    """The key that wraps all stored secrets; made once. Without it they cannot be read again."""
    return _kept(_folder(data) / "vault.json", new_vault_keys)


def token(data: Path, account: str, role: Role, audience: str, seconds: int) -> str:
    """A token as the platform would make it, by the platform key in `data`.

    Raises:
        Stopped: there is none, so tokens are made by the platform itself.
    """
    path = data / "keys" / "platform.json"
    if not path.is_file():
        raise Stopped(
            f"There is no platform key in {path.parent}: start `paperbus up` there first, or name its folder "
            "with PAPERBUS_DATA; where PAPERBUS_PLATFORM_KEYS is set, the platform makes the tokens."
        )
    now = int(time.time())
    who = {"iss": PLATFORM, "sub": f"{role}@{PLATFORM}", "account": account, "role": role}
    times = {"iat": now, "exp": now + seconds, "jti": str(uuid.uuid4())}
    return sign(private_key(str(path), "the platform key"), {"aud": audience} | who | times)


def console_link(settings: Settings, account: str) -> str:
    """Where an administrator of `account` enters the console, once, within ten minutes.

    Raises:
        Stopped: as `token`.
    """
    entry = token(settings.paperbus_data, account, "admin", "paperbus.console", 600)
    return f"{settings.paperbus_console_url}/enter?token={entry}"


def _folder(data: Path) -> Path:
    folder = data / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def new_service_key(name: str) -> dict[str, Any]:
    """A fresh private JWK, `kid` = the service's name."""
    return dict(new_signing_key(name).as_dict(private=True))


def new_platform_key() -> dict[str, Any]:
    """A fresh private JWK for a platform that has none of its own."""
    return new_service_key(PLATFORM)


def new_vault_keys() -> dict[str, Any]:
    """A fresh set of one key-encryption key."""
    key = OctKey.generate_key(256, {"kid": f"vault-{uuid.uuid4().hex[:8]}"}, private=True)
    return {"keys": [key.as_dict(private=True)]}


def public_half(key: dict[str, Any]) -> dict[str, Any]:
    """What others may know of a private JWK."""
    return {name: value for name, value in key.items() if name != "d"}


def _kept(path: Path, make: Callable[[], dict[str, Any]]) -> Path:
    """What is at `path`, else what `make` makes. Where two make it at once, the first wins for both."""
    if not path.exists():
        fresh = _written(path, make())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    _written(path, content).replace(path)


def _written(path: Path, content: dict[str, Any]) -> Path:
    """A file beside `path`, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    return fresh
