"""The vault: secrets sealed so that they open only where they belong. It stores nothing and logs nothing.

Envelope encryption with AES-256-GCM (NIST SP 800-38D): each record has a fresh data key, used once, wrapped
by a key-encryption key. The additional data of both binds the record to its `Place`: moved to another
account, connection, kind or revision it does not open.

* VaultKeysRefused   a key set that must not be used
* SealBroken         a record that does not open here: moved, altered, or sealed by a key that is not held
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SETTING: Final = "PAPERBUS_VAULT_KEYS"


class VaultKeysRefused(ValueError):
    """A key set that must not be used. The text is a sentence that names the setting and no key."""


class SealBroken(Exception):
    """A record that does not open here. The text names its place and key id, never what is in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record belongs: whose it is, of which connection, what kind of thing, which revision of it."""

    account: str
    connection: str
    kind: str
    """Such as `credentials`, `login` (the state between two steps), `answer_key`."""
    revision: int

    def bound(self, *more: str) -> bytes:
        """The additional data: canonical JSON, so that no two places share it."""
        parts = [VERSION, self.account, self.connection, self.kind, self.revision, *more]
        return json.dumps(parts, separators=(",", ":")).encode()

    def __str__(self) -> str:
        return f"{self.kind} of connection {self.connection}, revision {self.revision}"


def credentials_place(account: str, connection: str, revision: int) -> Place:
    """Where a connection's credentials belong; `revision` is the `credentials_revision` they count as."""
    return Place(account=account, connection=connection, kind="credentials", revision=revision)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One record at rest. `kid` names its key-encryption key; without the wrapped key `wk` it is shredded."""

    kid: str
    wn: bytes = field(repr=False)
    wk: bytes = field(repr=False)
    n: bytes = field(repr=False)
    ct: bytes = field(repr=False)
    v: int = VERSION

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return {"v": self.v, "kid": self.kid, "wn": self.wn, "wk": self.wk, "n": self.n, "ct": self.ct}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """As it was stored.

        Raises:
            SealBroken: it is no sealed record.
        """
        try:
            return cls(
                v=int(document["v"]),
                kid=str(document["kid"]),
                **{name: bytes(document[name]) for name in ("wn", "wk", "n", "ct")},
            )
        except (KeyError, TypeError, ValueError):
            raise SealBroken("A stored record is no sealed one, or was shredded.") from None


class Vault:
    """Seals with the newest key-encryption key, opens with any that it holds."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """`keys` are (kid, 32 bytes), newest first.

        Raises:
            VaultKeysRefused: none, a wrong size, or one `kid` twice.
        """
        kids = [kid for kid, _ in keys]
        if not keys or len(set(kids)) != len(kids) or not all(kids):
            raise VaultKeysRefused(f"{SETTING} must hold at least one key, each with a `kid` of its own.")
        if any(len(key) != KEY_BYTES for _, key in keys):
            raise VaultKeysRefused(f"{SETTING} holds a key that is not 256 bits long.")
        self._keys = {kid: AESGCM(key) for kid, key in keys}
        self.newest = kids[0]

    def __repr__(self) -> str:
        return f"Vault(newest={self.newest!r}, keys={len(self._keys)})"

    def seal(self, place: Place, secret: bytes) -> Sealed:
        """`secret`, so that it opens at `place` alone."""
        drawn = secrets.token_bytes(KEY_BYTES + NONCE_BYTES)  # at once: each draw is a call of the system
        data_key, nonce = drawn[:KEY_BYTES], drawn[KEY_BYTES:]
        ciphertext = AESGCM(data_key).encrypt(nonce, secret, place.bound())
        wrap_nonce, wrapped = self._wrap(place, data_key)
        return Sealed(kid=self.newest, wn=wrap_nonce, wk=wrapped, n=nonce, ct=ciphertext)

    def open(self, place: Place, sealed: Sealed) -> bytes:
        """What was sealed at `place`.

        Raises:
            SealBroken: it was sealed for another place, was altered, or its key is not held.
        """
        data_key = self._unwrap(place, sealed)
        try:
            return AESGCM(data_key).decrypt(sealed.n, sealed.ct, place.bound())
        except (InvalidTag, ValueError):
            raise SealBroken(_broken(place)) from None

    def seal_values(self, place: Place, values: Mapping[str, Any]) -> Sealed:
        """JSON-able values by name, such as credentials or the state of a login."""
        return self.seal(place, json.dumps(values, separators=(",", ":")).encode())

    def open_values(self, place: Place, sealed: Sealed) -> dict[str, Any]:
        """What `seal_values` sealed.

        Raises:
            SealBroken: as `open`.
        """
        values: dict[str, Any] = json.loads(self.open(place, sealed))
        return values

    def rewrap(self, place: Place, sealed: Sealed) -> Sealed:
        """The same record under the newest key; what is sealed inside is neither opened nor changed.

        Raises:
            SealBroken: as `open`, for all that the wrapping can tell.
        """
        wrap_nonce, wrapped = self._wrap(place, self._unwrap(place, sealed))
        return replace(sealed, kid=self.newest, wn=wrap_nonce, wk=wrapped)

    def _wrap(self, place: Place, data_key: bytes) -> tuple[bytes, bytes]:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce, self._keys[self.newest].encrypt(nonce, data_key, place.bound(self.newest))

    def _unwrap(self, place: Place, sealed: Sealed) -> bytes:
        if sealed.v != VERSION:
            raise SealBroken(
                f"The {place} is sealed in version {sealed.v}, which this release does not know."
            )
        key = self._keys.get(sealed.kid)
        if key is None:
            raise SealBroken(
                f"The {place} is sealed by a key that is not held; put the key back into {SETTING}, "
                "behind the newest, until all records are rewrapped."
            )
        try:
            return key.decrypt(sealed.wn, sealed.wk, place.bound(sealed.kid))
        except (InvalidTag, ValueError):
            raise SealBroken(_broken(place)) from None


def _broken(place: Place) -> str:
    return f"The {place} does not open here: it was moved, altered or cut off."


def read_keys(text: str, setting: str = SETTING) -> Vault:
    """The vault of a JWK set of `oct` keys (RFC 7517, RFC 7518 §6.4): JSON, or the path of a file with it.

    Raises:
        VaultKeysRefused: one sentence that names `setting`.
    """
    try:
        raw = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        keys = json.loads(raw)["keys"]
        return Vault([(key["kid"], _bytes_of(key)) for key in keys])
    except VaultKeysRefused:
        raise
    except OSError:
        raise VaultKeysRefused(
            f"{setting} is neither JSON nor the path of a file that can be read."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise VaultKeysRefused(
            f"{setting} must be a JWK set of `oct` keys of 256 bits, each with a `kid`, newest first."
        ) from None


def _bytes_of(jwk: Mapping[str, Any]) -> bytes:
    if jwk["kty"] != "oct" or not isinstance(jwk["kid"], str):
        raise ValueError("must be an oct key with a kid")
    encoded: str = jwk["k"]
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("must be base64url") from None
