"""Tokens: the platform's access tokens, the services' own, and JWEs to a key. It fetches no keys.

RFC 7519 (JWT), RFC 7516 (JWE), RFC 7517 (JWK), RFC 8037 (EdDSA).

* TokenRefused       a sentence for the log; the caller learns only that access was refused
* KeysRefused        a key set that must not be used, named by its setting
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from joserfc.jwk import Key, KeySet

AUDIENCE = "paperbus"
LEEWAY = 60
"""Seconds by which clocks may differ."""
LONGEST = 3600
"""An access token lives at most this many seconds."""

Role = Literal["admin", "member", "operator"]


class TokenRefused(Exception):  # noqa: N818 - the field's word for it
    """A token that does not count. The text says why and holds nothing of the token."""


class KeysRefused(ValueError):
    """A key set that must not be used. The text names the setting and no key."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who calls: what a valid access token said."""

    sub: str
    account: str
    role: Role
    jti: str
    expires_at: int

    def may_see(self, account: str) -> bool:
        """Whether things of `account` exist for this caller."""
        return self.role == "operator" or self.account == account

    @property
    def may_manage(self) -> bool:
        return self.role == "admin"


def public_keys(text: str, setting: str) -> KeySet:
    """The JWK set in `text` (JSON or a file's path).

    Raises:
        KeysRefused: unreadable, a key without `kid`, or a private key in it; named by `setting`.
    """
    raise NotImplementedError


def private_key(text: str, setting: str) -> Key:
    """The private JWK in `text` (JSON or a file's path), `kid` = the service's name.

    Raises:
        KeysRefused: unreadable or not private.
    """
    raise NotImplementedError


def new_signing_key(kid: str) -> Key:
    """A fresh EdDSA (Ed25519) key."""
    raise NotImplementedError


class Verifier:
    """Checks access tokens against the platform's keys and the console's own."""

    def __init__(self, platform: KeySet | None, services: KeySet | None, now: Callable[[], float]) -> None:
        raise NotImplementedError

    def access(self, token: str, audience: str = AUDIENCE, longest: int = LONGEST) -> Access:
        """What `token` says.

        Raises:
            TokenRefused: signature, key, audience, times, a missing member or an unknown role.
        """
        raise NotImplementedError


class ServiceTokens:
    """What services say to one another: short JWTs by the service's own key."""

    def __init__(self, own: Key, known: KeySet, now: Callable[[], float]) -> None:
        """`own.kid` is the service's name; `known` are the public keys of all, `kid` = service name."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        raise NotImplementedError

    def issue(self, audience: str, claims: Mapping[str, Any], seconds: int = 60) -> str:
        """A JWT with `iss` (us), `aud`, `iat`, `exp`, `jti` and `claims`."""
        raise NotImplementedError

    def verify(self, token: str, issuers: Sequence[str], longest: int = 300) -> dict[str, Any]:
        """The claims of a token to us (`aud` = our name) by one of `issuers`.

        Raises:
            TokenRefused: as it says.
        """
        raise NotImplementedError


def seal(payload: Mapping[str, Any], key: Key, typ: str) -> str:
    """A compact JWE of `payload` to a public EC P-256 key: ECDH-ES, A256GCM, with the key's `kid`."""
    raise NotImplementedError


def unseal(jwe: str, key: Key, typ: str) -> dict[str, Any]:
    """What `seal` sealed.

    Raises:
        TokenRefused: not ours, broken, of another type, or no JSON object.
    """
    raise NotImplementedError


def new_sealing_key(kid: str) -> Key:
    """A fresh EC P-256 key for ECDH-ES, `use: enc`."""
    raise NotImplementedError


__all__ = [
    "AUDIENCE", "LEEWAY", "LONGEST", "Access", "KeysRefused", "Role", "ServiceTokens", "TokenRefused",
    "Verifier", "new_sealing_key", "new_signing_key", "private_key", "public_keys", "seal", "unseal",
]
_ = field
