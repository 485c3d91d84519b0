"""Events that wait, in the databases of the services: listed, and let go at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.mongo import Client
from kit.parking import Parking
from paperbus.admin.databases import DATABASES

SHOWN = ("group", "topic", "partition", "offset", "key", "reason", "tries", "parked_at", "next_at")


async def parked(client: Client, services: Sequence[str], most: int) -> list[dict[str, Any]]:
    """What is parked, oldest first, of these databases (all unless named)."""
    found: list[dict[str, Any]] = [
        {"service": name.replace("_", "-")} | {member: entry.get(member) for member in SHOWN}
        for name in services or DATABASES
        for entry in await Parking(client[name].parked).listed(most)
    ]
    return sorted(found, key=lambda entry: entry["parked_at"])[:most]


async def retry(client: Client, services: Sequence[str], group: str | None) -> int:
    """Let it be tried now, all or that of one group; how many that are."""
    counts = [await Parking(client[name].parked).retry(group) for name in services or DATABASES]
    return sum(counts)
