"""Leases: who may do something now, by the server's clock (`$$NOW`), with a fencing token. No work is done here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.mongo import Collection

LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Lease:
    """`name` is ours until the server's clock says otherwise. `fence` rises with every new holder."""

    name: str
    fence: int


class Leases:
    """A fair share of some names for each replica, kept while `tend` runs. For shards and single duties alike."""

    def __init__(
        self, collection: Collection, group: str, names: Sequence[str], owner: str, ttl: timedelta = LEASE
    ) -> None:
        """`group` tells apart what is leased (`relay.syncs`); `owner` is unique per process."""
        raise NotImplementedError

    def held(self) -> Mapping[str, Lease]:
        """What is ours now, by name. Empty once the lease may have run out, whatever the network does."""
        raise NotImplementedError

    async def tend(self) -> None:
        """Renew what is ours, claim what is free up to a fair share, hand over what is too much. A loop."""
        raise NotImplementedError

    async def release(self) -> None:
        """Give everything back, at shutdown."""
        raise NotImplementedError
