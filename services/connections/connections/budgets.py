"""What failed logins are counted against: an account name at a host, whoever asks; and whoever asks. Pure.

The provider locks an account by its name, not by who of ours guessed: so the name is what we count, before
the try. It counts nothing itself (`handlers.ports.Gate`).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from providers.egress import plain_host
from providers.errors import ProviderError
from schemas.fields import FieldSpec, FieldType
from schemas.manifest import Manifest

Became = Literal["failed", "passed", "nothing"]
"""`passed`: the whole login was accepted; `nothing`: no answer was to blame, or the login goes on."""
_ADDRESSES = frozenset({FieldType.TEXT, FieldType.URL})


@dataclass(frozen=True, slots=True)
class Budget:
    """Failed logins that are borne: `most`, then a block of `block_minutes`, each time twice as long."""

    key: str
    most: int
    block_minutes: int
    heals: bool
    """Whether a login that went through makes it whole again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No try now. `blocked`: too many have failed; else others are being tried whose end is not known."""

    until: datetime
    blocked: bool


def budgets(manifest: Manifest, account: str, values: Mapping[str, Any]) -> tuple[Budget, ...]:
    """What a try with these values, typed so far, counts against. Names are hashed."""
    limits, logins = manifest.limits, manifest.limits.logins
    asker = Budget(
        _key("asker", manifest.id, account), logins.failed_asker, logins.block_minutes, heals=False
    )
    name = _login_name(manifest, values)
    if name is None:
        return (asker,)
    key = _key("name", manifest.id, *_hosts(manifest, values), name)
    return (Budget(key, limits.failed_logins, logins.block_minutes, heals=True), asker)


def _login_name(manifest: Manifest, values: Mapping[str, Any]) -> str | None:
    """The account's name at the provider: what is typed into the first plain text field that is no secret."""
    named = next((spec.name for spec in manifest.credentials if _is_name(spec)), None)
    value = values.get(named) if named else None
    return _plain_name(str(value)) if value not in (None, "") else None


def _plain_name(typed: str) -> str:
    """One count for the spellings that providers take for one name (NFKC, then caseless)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).strip().casefold())


def _is_name(spec: FieldSpec) -> bool:
    return spec.type is FieldType.TEXT and not spec.secret and not spec.destination


def _hosts(manifest: Manifest, values: Mapping[str, Any]) -> list[str]:
    """Where secrets go, without what an address may hold besides: a path or a port is no other account."""
    named = (spec.name for spec in manifest.credentials if spec.destination and spec.type in _ADDRESSES)
    return [_host(str(values.get(name) or "")) for name in named]


def _host(typed: str) -> str:
    """As it is connected to: one host has many spellings, and one count."""
    text = typed.strip()
    try:
        return plain_host((urlsplit(text).hostname or text) if "//" in text else text)
    except (ProviderError, ValueError):
        return text.casefold()


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
