"""What is known of an account's connections: as `connections` says, else as the list was shown last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.services import Away, Json, Services
from console.visits import Visit

KEPT = (
    "id", "direction", "provider_id", "name", "identity", "status", "paused", "title", "message", "action",
    "reason", "login", "schedule",
)  # fmt: skip
"""What pages that only look need of a connection: no options, no challenge."""


class Lists(Protocol):
    """The list of each account as it was shown last, for when `connections` is away."""

    async def keep(self, account: str, lines: list[Json], now: datetime) -> None: ...

    async def kept(self, account: str) -> list[Json] | None: ...


@dataclass(frozen=True, slots=True)
class Known:
    """Reads connections, and remembers their lines for when nobody can say them."""

    services: Services
    lists: Lists

    async def every(self, visit: Visit) -> tuple[list[Json], bool]:
        """The account's connections; whether that is what was known last.

        Raises:
            Away: nobody can say them, and no list was shown before.
        """
        try:
            found = await self.services.connections(visit.session)
        except Away:
            known = await self.lists.kept(visit.account)
            if known is None:
                raise
            return known, True
        lines = [{name: one.get(name) for name in KEPT} for one in found]
        await self.lists.keep(visit.account, lines, visit.now)
        return found, False

    async def one(self, visit: Visit) -> tuple[Json, bool]:
        """The connection of the page's address; whether that is what was known last.

        Raises:
            Away: nobody can say it, and no list that was shown before has it.
            NotThere: it does not exist for this account.
        """
        id_ = visit.request.path_params["id"]
        try:
            return await self.services.connection(visit.session, id_), False
        except Away:
            known = _of(await self.lists.kept(visit.account) or (), id_)
            if known is None:
                raise
            return known, True


def _of(lines: Iterable[Json], id_: str) -> Json | None:
    return next((line for line in lines if line["id"] == id_.lower()), None)
