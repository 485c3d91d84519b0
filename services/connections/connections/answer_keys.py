"""The keys that answers are sealed to: published, rotated, destroyed. It opens no answer.

The newest is the first of `/.well-known/jwks.json`. A replaced one still opens for three hours: senders
re-read the set hourly, and the topic keeps answers for an hour. Then its private part is destroyed, and what
the topic's log or a backup may still hold of old answers is unreadable for good.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

from joserfc.jwk import ECKey

from connections.vault import Place, Sealed, Vault
from kit.endings import Refused
from kit.tokens import new_sealing_key
from schemas.base import rfc3339
from schemas.reasons import Reason

FIRST_FOR = timedelta(days=30)
"""How long a key is the one to seal to."""
OPENS_FOR = timedelta(hours=3)
"""How long it opens answers after it was replaced."""
FRESH_FOR = timedelta(seconds=30)
"""How long a replica goes by what it has read."""
WHERE = "read /.well-known/jwks.json again and seal to its first key"


@dataclass(frozen=True, slots=True)
class KeptKey:
    """One key as it is stored; without `sealed` it was destroyed at `retired_at`."""

    kid: str
    n: int
    """Rises by one with every key, so that two replicas never make the same one twice."""
    public: dict[str, Any]
    made_at: datetime
    sealed: Sealed | None = field(repr=False)
    retired_at: datetime | None = None

    @property
    def place(self) -> Place:
        return Place(account="", connection=self.kid, kind="answer_key", revision=self.n)


class KeyStore(Protocol):
    """Where the keys are kept."""

    async def all(self) -> Sequence[KeptKey]:
        """Every key that ever was, newest first."""

    async def add(self, key: KeptKey) -> bool:
        """Keep a new one. False where another replica made the n-th key first."""

    async def destroy(self, kid: str, at: datetime) -> None:
        """Forget the private part of a key for good."""


class AnswerKeys:
    """The keys of this service, as every replica sees them."""

    def __init__(self, store: KeyStore, vault: Vault, now: Callable[[], datetime]) -> None:
        self._store = store
        self._vault = vault
        self._now = now
        self._read: Sequence[KeptKey] = ()
        self._read_at: datetime | None = None

    async def tend(self) -> None:
        """Make the first key, replace the newest when it is due, destroy what opens nothing any more.

        Called at the start and hourly, by every replica: whoever comes second does nothing.
        """
        now = self._now()
        keys = await self._store.all()
        if not keys or keys[0].made_at + FIRST_FOR <= now:
            await self._store.add(self._made(keys[0].n + 1 if keys else 1, now))
            keys = await self._store.all()
        for newer, older in pairwise(keys):
            if older.sealed is not None and newer.made_at + OPENS_FOR <= now:
                await self._store.destroy(older.kid, now)
        self._read_at = None

    async def published(self) -> dict[str, Any]:
        """The public JWK set, the key to seal to first."""
        return {"keys": [key.public for key in await self._known() if key.sealed is not None]}

    async def private(self, kid: str) -> ECKey:
        """The private key named `kid`.

        Raises:
            Refused: it never was one of ours, or it is retired.
        """
        key = _named(await self._known(), kid) or _named(await self._again(), kid)
        if key is None:
            raise Refused(Reason.INVALID, f"The answer is sealed to a key that is not ours: {WHERE}.")
        if key.sealed is None:
            raise Refused(Reason.INVALID, f"The answer is sealed to a key that {_retired(key)}: {WHERE}.")
        return ECKey.import_key(self._vault.open_values(key.place, key.sealed))

    async def _known(self) -> Sequence[KeptKey]:
        if self._read_at is None or self._now() - self._read_at > FRESH_FOR:
            return await self._again()
        return self._read

    async def _again(self) -> Sequence[KeptKey]:
        self._read, self._read_at = await self._store.all(), self._now()
        return self._read

    def _made(self, n: int, now: datetime) -> KeptKey:
        key = new_sealing_key(secrets.token_hex(8))
        public = {**key.as_dict(private=False), "use": "enc", "alg": "ECDH-ES"}
        bare = KeptKey(kid=str(key.kid), n=n, public=public, made_at=now, sealed=None)
        sealed = self._vault.seal_values(bare.place, key.as_dict(private=True))
        return KeptKey(kid=bare.kid, n=n, public=public, made_at=now, sealed=sealed)


def _named(keys: Sequence[KeptKey], kid: str) -> KeptKey | None:
    return next((key for key in keys if key.kid == kid), None)


def _retired(key: KeptKey) -> str:
    return f"was retired at {rfc3339(key.retired_at)}" if key.retired_at else "was retired"
