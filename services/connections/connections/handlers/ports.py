"""What the handlers need of the outside: where providers are known, who may try, how a login is stepped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from connections.budgets import Became, Budget, Refusal
from connections.lifecycle.case import Provider
from connections.lifecycle.things import Connection
from kit.aggregates import Aggregates
from schemas.manifest import Manifest

Connections = Aggregates[Connection]
CaughtUp = Callable[[], Awaitable[bool]]
"""Whether `catalog.events` is read to where it ends now."""


class Providers(Protocol):
    """The providers that the catalog published, whole, by revision."""

    async def newest(self, ids: Collection[str]) -> Mapping[str, Provider]:
        """The newest revision of each; unknown ids are left out."""

    async def at(self, provider_id: str, revision: int) -> Provider | None:
        """One revision, as a session that pinned it needs it."""

    async def publish(self, revisions: Sequence[tuple[Manifest, int]]) -> None:
        """Keep these revisions; one that is not newer than the newest known stays one that can be pinned."""

    async def retire(self, provider_id: str, revision: int) -> bool:
        """Offer it no more, unless a newer revision is known. Whether it is retired now."""

    async def retired(self, ids: Collection[str]) -> set[str]:
        """Which of these are offered no more, also where nothing but that was ever heard of them."""


class Due(Protocol):
    """What is to be looked at."""

    async def due(self, at: datetime, most: int) -> list[str]:
        """The ids of connections that somebody has to look at by `at`, the longest due first."""


class Trying(Due, Protocol):
    """Who may try an answer, and what is to be looked at."""

    async def claim(self, connection_id: str) -> int | None:
        """The fence for trying the answer that waits; None where another worker has it, or none waits.

        One conditional write by the server's clock, before anything is said to a provider.
        """

    async def same_as(self, it: Connection, identity: str, place: Mapping[str, Any]) -> tuple[str, ...]:
        """Other saved connections of its customer to this account, at the place with these values."""

    async def unfinished_of(self, provider_id: str) -> list[str]:
        """The ids of connections to a provider that were never saved and still may be."""


class Gate(Protocol):
    """How often may be tried. Everything is counted before the try, whichever replica makes it."""

    async def turn(
        self, provider_id: str, account: str, answer_id: str, per_minute: float
    ) -> datetime | None:
        """When this answer's turn comes at a provider that bears so many a minute; None is now.

        Accounts take turns: each has one place in the queue at a time. The same answer keeps its place.
        """

    async def spend(self, budgets: Sequence[Budget], answer_id: str) -> Refusal | None:
        """Count a try against all of these budgets; None where it may be made, and nothing counts if not.

        A try that nobody settles within a minute counts as failed.
        """

    async def settle(self, budgets: Sequence[Budget], answer_id: str, became: Became) -> None:
        """What became of a try that was counted."""


class Lists(Protocol):
    """Connections as they are listed."""

    async def of_account(
        self, account: str, most: int, after: tuple[datetime, str] | None = None
    ) -> list[Connection]:
        """The newest connections of an account, those after a place (creation, id) in that order."""
