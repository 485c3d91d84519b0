"""Sessions of the console: who is signed in, for which account, until when. It stores nothing by itself."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kit.tokens import Role

IDLE_FOR = timedelta(minutes=30)
LASTS = timedelta(hours=12)
AUDIENCE = "paperbus.console"
ENTRY_LASTS = 600
"""A token that enters lives at most this many seconds."""
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser, signed in. Its id is the digest of a secret that only the browser holds."""

    id: str
    account: str
    sub: str
    role: Role
    at: datetime
    seen_at: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it still counts: 12 hours at most, 30 minutes unused."""
        return now < self.at + LASTS and now < self.seen_at + IDLE_FOR


class SessionStore(Protocol):
    """Where sessions and spent tokens are kept."""

    async def spend(self, jti: str, now: datetime) -> bool:
        """Spend a token that enters. False where it was spent before."""

    async def add(self, session: Session) -> None: ...

    async def find(self, id_: str) -> Session | None: ...

    async def seen(self, id_: str, now: datetime) -> None: ...

    async def end(self, id_: str) -> None: ...


def fresh_secret() -> str:
    """256 random bits, for a browser's cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
