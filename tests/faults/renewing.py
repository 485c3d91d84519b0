"""A worker that renews one connection's tokens once: `python renewing.py JSON`. It is told where to die."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from connections import store
from connections.lifecycle.case import Provider
from connections.lifecycle.things import Connection
from connections.outside import ProvidersAsked
from connections.renewal import Renewals
from connections.renewal_store import MongoRenewing
from connections.vault import Vault
from kit import mongo
from kit.mongo_aggregates import MongoAggregates
from providers.egress import Guard
from providers.login.oauth.client import Client
from providers.reach import Reach
from schemas.manifest import Manifest
from tests.faults.mortal import wound

VAULT = Vault([("faults", b"f" * 32)])
SECRET = "the operator's"
POINTS = {
    "claimed": ("connections.renewal_store", "MongoRenewing", "claim", "after"),
    "before the provider is asked": ("connections.outside", "ProvidersAsked", "renew", "before"),
    "between answer and store": ("connections.outside", "ProvidersAsked", "renew", "after"),
    "stored, lease not given back": ("connections.renewal", "Renewals", "_kept", "after"),
}


class Operator:
    """Has registered with everybody."""

    async def of(self, provider_id: str) -> Client | None:
        return Client("paperbus", SECRET)


class Known:
    """One provider."""

    def __init__(self, manifest: Manifest) -> None:
        self._provider = Provider(manifest, 3)

    async def at(self, provider_id: str, revision: int) -> Provider | None:
        return self._provider


@asynccontextmanager
async def worker(
    url: str, database: str, manifest: Manifest, ahead: timedelta = timedelta(0)
) -> AsyncIterator[tuple[Renewals, MongoAggregates[Connection]]]:
    """One whose clock is `ahead`, and the store of its connections."""
    client = mongo.connect(url)
    db = client[database]
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, lambda: datetime.now(UTC) + ahead)
    async with Reach(Guard(["127.0.0.0/8"]), clients=Operator()) as reach:
        renewing = MongoRenewing(db.connections, db.turns, "somebody")
        yield Renewals(kept, Known(manifest), renewing, VAULT, ProvidersAsked(reach)), kept  # type: ignore[arg-type]  # all that renewals ask of providers
    client.close()


async def main(given: dict[str, Any]) -> None:
    if given["dies"]:
        wound(POINTS[given["dies"]], 1, signal.SIGKILL)
    manifest = Manifest.model_validate(given["manifest"])
    ahead = timedelta(seconds=given["ahead"])
    async with worker(given["url"], given["database"], manifest, ahead) as (renewals, _):
        await renewals.look(given["id"])


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
