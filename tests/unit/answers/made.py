"""Sealed answers as a headless service makes them with joserfc alone, whole or with a flaw."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey

from connections.answer_keys import AnswerKeys, KeptKey
from connections.answers import Opener
from connections.vault import Vault
from kit.tokens import Verifier
from schemas.connections import AuthChallengeAnswerSubmitted
from schemas.envelope import Event

ACCOUNT, CONNECTION, CHALLENGE = "acme", "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10", "ch-1"
CANARY = "canary-p4ssw0rd"
PLATFORM = OKPKey.generate_key("Ed25519", {"kid": "platform"})
NOW = datetime.fromtimestamp(int(time.time()), UTC)


class MemoryKeys:
    """Answer keys in memory, with the promises of `KeyStore`."""

    def __init__(self) -> None:
        self.kept: list[KeptKey] = []

    async def all(self) -> list[KeptKey]:
        return sorted(self.kept, key=lambda key: -key.n)

    async def add(self, key: KeptKey) -> bool:
        if any(other.n == key.n for other in self.kept):
            return False
        self.kept.append(key)
        return True

    async def destroy(self, kid: str, at: datetime) -> None:
        self.kept = [replace(key, sealed=None, retired_at=at) if key.kid == kid else key for key in self.kept]


def token(key: OKPKey = PLATFORM, **claims: Any) -> str:
    at = int(NOW.timestamp())
    whole = {
        "iss": "platform",
        "sub": "robot",
        "aud": "paperbus",
        "iat": at,
        "exp": at + 600,
        "jti": str(uuid.uuid4()),
        "account": ACCOUNT,
        "role": "admin",
    }
    return jwt.encode({"alg": "Ed25519", "kid": "platform"}, whole | claims, key, algorithms=["Ed25519"])


def claims(**changed: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    whole = {
        "aud": "paperbus.connections",
        "token": token(),
        "connection_id": CONNECTION,
        "challenge_id": CHALLENGE,
        "answer_id": str(uuid.uuid4()),
        "action": "answer",
        "iat": at,
        "exp": at + 600,
        "fields": {"password": CANARY},
    }
    return {name: value for name, value in (whole | changed).items() if value is not ...}


def sealed(public: dict[str, Any], inside: Any, **header: Any) -> str:
    whole = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": public["kid"], "typ": "paperbus-answer+jwe"} | header
    protected = {name: value for name, value in whole.items() if value is not ...}
    plain = inside if isinstance(inside, bytes) else json.dumps(inside).encode()
    key = ECKey.import_key({name: public[name] for name in ("kty", "crv", "x", "y")})
    registry = jwe.JWERegistry(
        algorithms=["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM"], strict_check_header=False
    )
    return jwe.encrypt_compact(protected, plain, key, registry=registry)


def event(text: str, **more: Any) -> Event[AuthChallengeAnswerSubmitted]:
    data = AuthChallengeAnswerSubmitted(connection_id=CONNECTION, challenge_id=CHALLENGE, sealed=text)
    whole: dict[str, Any] = {
        "id": "e1",
        "source": "platform",
        "type": data.TYPE,
        "time": NOW,
        "subject": CONNECTION,
        "accountid": ACCOUNT,
        "data": data,
    }
    return Event[AuthChallengeAnswerSubmitted](**whole | more)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


class Made:
    """A service's opener with one published key."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryKeys()
        self.vault = Vault([("k", bytes(32))])
        self.keys = AnswerKeys(self.store, self.vault, self.clock)
        known = KeySet([OKPKey.import_key(PLATFORM.as_dict(private=False))])
        verifier = Verifier(known, None, lambda: self.clock().timestamp())
        self.opener = Opener(self.keys, verifier.access, self.clock)

    async def public(self) -> dict[str, Any]:
        if not self.store.kept:
            await self.keys.tend()
        first: dict[str, Any] = (await self.keys.published())["keys"][0]
        return first
