"""Tokens: the platform's access tokens, the services' own, and JWEs to a key. It fetches no keys.

RFC 7519 (JWT), RFC 7516 (JWE), RFC 7517 (JWK), RFC 8037 (EdDSA).

* TokenRefused       a token that does not count; the caller learns only that access was refused
* KeysRefused        a key set that must not be used, named by its setting
"""

from __future__ import annotations

import json
import uuid
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet, OKPKey

AUDIENCE = "paperbus"
LEEWAY = 60
"""Seconds by which clocks may differ."""
LONGEST = 3600
"""An access token lives at most this many seconds."""
CONSOLE = "console"
"""The one service whose key may speak for customers: `kid` in `PAPERBUS_SERVICE_KEYS`."""
SIGNING = ["EdDSA", "Ed25519", "ES256"]
SEALING = ["ECDH-ES", "A256GCM"]

Role: TypeAlias = Literal["admin", "member", "operator"]


class TokenRefused(Exception):
    """A token that does not count. The text says why and holds nothing of the token."""


class KeysRefused(ValueError):
    """A key set that must not be used. The text names the setting and holds nothing of the key."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who calls: what a valid access token said."""

    sub: str
    account: str
    role: Role
    jti: str
    expires_at: int

    def may_see(self, account: str | None) -> bool:
        """Whether things of `account` exist for this caller."""
        return self.role == "operator" or self.account == account

    @property
    def may_manage(self) -> bool:
        return self.role == "admin"


def public_keys(text: str, setting: str) -> KeySet:
    """The JWK set in `text` (JSON or a file's path).

    Raises:
        KeysRefused: unreadable, a key without `kid`, or a private or secret key in it; named by `setting`.
    """
    found = _read(text, setting)
    members = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(members, list) or not members:
        raise KeysRefused(f'{setting} holds no JWK set: it must look like {{"keys":[…]}}.')
    for member in members:
        if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
            raise KeysRefused(f"{setting} holds a key without `kid`: give each key a name.")
        if "d" in member or member.get("kty") == "oct":
            raise KeysRefused(
                f"{setting} holds a private key: put the public halves there, and replace that key."
            )
    return KeySet([_key(member, setting) for member in members])


def private_key(text: str, setting: str) -> Key:
    """The private JWK in `text` (JSON or a file's path), `kid` = the service's name.

    Raises:
        KeysRefused: unreadable, nameless or not private.
    """
    found = _read(text, setting)
    if not isinstance(found, dict) or "d" not in found or not isinstance(found.get("kid"), str):
        raise KeysRefused(f"{setting} holds no private JWK with `kid`: it must be the service's own key.")
    return _key(found, setting)


def new_signing_key(kid: str) -> Key:
    """A fresh Ed25519 key."""
    return OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"}, private=True)


def new_sealing_key(kid: str) -> Key:
    """A fresh EC P-256 key for ECDH-ES."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "enc"}, private=True)


def sign(key: Key, claims: Mapping[str, Any]) -> str:
    """A JWT with exactly these claims, header `kid` and the algorithm that goes with the key."""
    algorithm = "ES256" if key.key_type == "EC" else "EdDSA"
    own = key.get_op_key("sign") if isinstance(key, OKPKey) else None
    if isinstance(own, Ed25519PrivateKey):  # one for each document: joserfc doubles what signing costs
        signed = b".".join(_part(each) for each in ({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, claims))
        return f"{signed.decode()}.{urlsafe_b64encode(own.sign(signed)).rstrip(b'=').decode()}"
    with _eddsa_by_its_old_name():
        return jwt.encode(
            {"alg": algorithm, "kid": key.kid, "typ": "JWT"}, dict(claims), key, algorithms=SIGNING
        )


class Verifier:
    """Checks access tokens against the platform's keys and the console's own."""

    def __init__(self, platform: KeySet | None, services: KeySet | None, now: Callable[[], float]) -> None:
        self._keys = _named([*(platform or ()), *(key for key in services or () if key.kid == CONSOLE)])
        self._now = now

    def access(self, token: str, audience: str = AUDIENCE, longest: int = LONGEST) -> Access:
        """What `token` says.

        Raises:
            TokenRefused: signature, key, audience, times, a missing member or an unknown role.
        """
        claims = claims_of(token, self._keys, audience, longest, self._now())
        names = ("iss", "sub", "jti", "account", "role")
        if missing := [name for name in names if not isinstance(claims.get(name), str) or not claims[name]]:
            raise TokenRefused(f"The token says no {missing[0]}.")
        if claims["role"] not in get_args(Role):
            raise TokenRefused("The token's role is none of admin, member, operator.")
        return Access(claims["sub"], claims["account"], claims["role"], claims["jti"], claims["exp"])


class ServiceTokens:
    """What services say to one another: short JWTs by the service's own key."""

    def __init__(self, own: Key, known: KeySet, now: Callable[[], float]) -> None:
        """`own.kid` is the service's name; `known` are the public keys of all, `kid` = service name."""
        self._own = own
        self._known = _named(known)
        self._now = now
        self.name = str(own.kid)

    def issue(self, audience: str, claims: Mapping[str, Any], seconds: int = 60) -> str:
        """A JWT with `iss` (us), `aud`, `iat`, `exp`, `jti` and `claims`."""
        now = int(self._now())
        own = {"iss": self.name, "aud": audience, "iat": now, "exp": now + seconds, "jti": str(uuid.uuid4())}
        return sign(self._own, own | dict(claims))

    def derived(self, purpose: str, length: int) -> bytes:
        """A secret of `length` bytes for one purpose, the same wherever this key is (RFC 5869)."""
        known = json.dumps(self._own.as_dict(private=True)["d"]).encode()
        return HKDF(SHA256(), length, salt=None, info=purpose.encode()).derive(known)

    def verify(self, token: str, issuers: Sequence[str], longest: int = 300) -> dict[str, Any]:
        """The claims of a token to us (`aud` = our name) by one of `issuers`.

        Raises:
            TokenRefused: as it says.
        """
        keys = {name: key for name, key in self._known.items() if name in issuers}
        claims = claims_of(token, keys, self.name, longest, self._now())
        if claims.get("iss") != _header(token).get("kid"):
            raise TokenRefused("The token's issuer is not who signed it.")
        return claims

    def verify_bearer(self, authorization: str, issuers: Sequence[str], longest: int = 300) -> dict[str, Any]:
        """The claims of the token in an `Authorization` header.

        Raises:
            TokenRefused: it holds no bearer token, or `verify` refuses that.
        """
        scheme, _, token = authorization.partition(" ")
        return self.verify(token.strip() if scheme.lower() == "bearer" else "", issuers, longest)


def seal(payload: Mapping[str, Any], key: Key, typ: str) -> str:
    """A compact JWE of `payload` to a public EC P-256 key: ECDH-ES, A256GCM, with the key's `kid` if any."""
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": typ} | ({"kid": key.kid} if key.kid else {})
    text = json.dumps(payload, separators=(",", ":")).encode()
    return jwe.encrypt_compact(header, text, key, algorithms=SEALING)


def unseal(sealed: str, keys: Key | Iterable[Key], typ: str) -> dict[str, Any]:
    """What `seal` sealed to one of `keys`, found by `kid` where there are several.

    Raises:
        TokenRefused: not to us, broken, of another type, or no JSON object.
    """
    known = [keys] if isinstance(keys, Key) else list(keys)
    header = _header(sealed)
    if header.get("typ") != typ or header.get("alg") != "ECDH-ES" or header.get("enc") != "A256GCM":
        raise TokenRefused(f"This is no JWE of the type {typ} by ECDH-ES and A256GCM.")
    key = next((key for key in known if key.kid == header.get("kid")), None)
    if key is None:
        raise TokenRefused("It is sealed to a key that is not ours, or no longer.")
    try:
        found = json.loads(jwe.decrypt_compact(sealed, key, algorithms=SEALING).plaintext or b"")
    except Exception:  # noqa: BLE001 - a hostile header makes the library raise KeyError and more; none may pass
        raise TokenRefused("It cannot be opened: it was changed on the way, or never sealed to us.") from None
    if not isinstance(found, dict):
        raise TokenRefused("It holds no JSON object.")
    return found


def claims_of(token: str, keys: Mapping[str, Key], audience: str, longest: int, now: float) -> dict[str, Any]:
    """The claims of a token with a good signature by one of `keys` (by `kid`), for `audience`, valid now.

    Raises:
        TokenRefused: as it says.
    """
    key = keys.get(str(_header(token).get("kid")))
    if key is None:
        raise TokenRefused("The token is signed by a key that is not known here.")
    try:
        with _eddsa_by_its_old_name():
            claims = jwt.decode(token, key, algorithms=SIGNING).claims
    except Exception:  # noqa: BLE001 - a hostile token makes the library raise KeyError and more; none may pass
        raise TokenRefused("The token's signature is wrong.") from None
    meant = claims.get("aud")
    if audience not in (meant if isinstance(meant, list) else [meant]):
        raise TokenRefused(f"The token is not meant for {audience}.")
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise TokenRefused("The token does not say when it was issued and when it ends, in whole seconds.")
    if expires > issued + longest:
        raise TokenRefused(f"The token lives longer than {longest} s.")
    if not issued - LEEWAY <= now <= expires + LEEWAY:
        raise TokenRefused("The token has expired, or is not valid yet.")
    return dict(claims)


def _part(members: Mapping[str, Any]) -> bytes:
    """JSON in base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(json.dumps(members, separators=(",", ":")).encode()).rstrip(b"=")


@contextmanager
def _eddsa_by_its_old_name() -> Iterator[None]:
    """RFC 9864 renames EdDSA to Ed25519, of which joserfc warns; the contract and most issuers say EdDSA."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


def _header(token: str) -> dict[str, Any]:
    """The protected header of a compact JWS or JWE, unchecked."""
    from joserfc.util import urlsafe_b64decode

    try:
        found = json.loads(urlsafe_b64decode(token.split(".", 1)[0].encode("ascii")))
    except (ValueError, RecursionError):
        raise TokenRefused("This is no token.") from None
    return found if isinstance(found, dict) else {}


def _named(keys: Iterable[Key]) -> dict[str, Key]:
    return {str(key.kid): key for key in keys}


def _read(text: str, setting: str) -> object:
    """JSON, or what the file named by `text` holds."""
    try:
        if not text.lstrip().startswith("{"):
            text = Path(text.strip()).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError):
        raise KeysRefused(f"{setting} is neither JSON nor the path of a readable JSON file.") from None


def _key(member: dict[str, Any], setting: str) -> Key:
    kinds: dict[str, type[OKPKey | ECKey]] = {"OKP": OKPKey, "EC": ECKey}
    try:
        return kinds[member["kty"]].import_key(member)
    except (KeyError, JoseError, ValueError, TypeError):
        raise KeysRefused(f"{setting} holds a key that is neither Ed25519 nor EC P-256.") from None
