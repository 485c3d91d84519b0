"""How drivers and logins get out: one guard, one HTTP session and one clock, handed to whoever needs them.

Open once a process. Nothing of one account stays here: no cookies, no credentials.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Self

from providers.egress import Guard
from providers.http import CALL_SECONDS, Http, trusting
from providers.login.oauth.client import Clients, NoClients


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


class Reach:
    """The guarded way out of one process; an async context manager that closes its connections.

    Args:
        guard: which addresses may be spoken to.
        clock: the time of day in UTC.
        ca_file: certificates to trust besides the system's (an own authority, a test).
        patience: seconds for one call, beside the time for the bytes that it moves.
        clients: the operator's registrations with providers, for logins by OAuth; none unless given.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        ca_file: str | None = None,
        patience: float = CALL_SECONDS,
        clients: Clients | None = None,
    ) -> None:
        self.guard = guard or Guard()
        self.clock = clock
        self.clients = clients or NoClients()
        self.http = Http(self.guard, clock, ca_file, patience)
        self._ca_file = ca_file

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """For protocols that are not HTTP; who uses it gives the host's name to be checked."""
        return trusting(self._ca_file)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every pooled connection."""
        await self.http.aclose()
