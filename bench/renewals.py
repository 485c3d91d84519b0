"""100,000 tokens due at once: what a provider sees of two replicas' workers, and what a renewal costs them.

`python bench/renewals.py [tokens] [a second] [seconds]`. MongoDB is real; the provider answers at once, and
counts who asks it in each second. A second provider's few tokens are due too: they must not wait.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import packaged_mongo

from connections import store
from connections.lifecycle.case import Provider
from connections.lifecycle.things import Connection
from connections.renewal import Renewals
from connections.renewal_store import MongoRenewing
from connections.tokens import sealed_token
from connections.vault import Vault
from connections.worker import Worker
from kit import mongo
from kit.aggregates import shard_of
from kit.mongo_aggregates import MongoAggregates
from providers.login.oauth.tokens import Tokens
from schemas.manifest import Manifest
from schemas.oauth import TokenLife
from tests.unit.connections.builders import MANIFEST, active

TOKENS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
RATE = float(sys.argv[2]) if len(sys.argv) > 2 else 50.0
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 30
FEW = 50
VAULT = Vault([("bench", b"b" * 32)])


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


def manifest(provider_id: str) -> Manifest:
    oauth = {"token_url": "https://login.example/t", "requests_per_second": RATE}
    return Manifest.model_validate(
        {**MANIFEST.wire(), "id": provider_id, "login": [{"redirect": "oauth"}], "oauth": oauth}
    )


class Known:
    """Two providers."""

    def __init__(self) -> None:
        self._all = {id_: Provider(manifest(id_), 3) for id_ in ("many", "few")}

    async def at(self, provider_id: str, revision: int) -> Provider | None:  # noqa: ARG002 - the stores' promise
        return self._all.get(provider_id)


class Counting:
    """The provider: answers at once, and remembers when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def renew(self, manifest: Manifest, at: Mapping[str, Any], old: Tokens) -> Tokens:  # noqa: ARG002
        if manifest.id == "many":
            self.asked.append(time.monotonic())
        return given()

    async def give_back(self, manifest: Manifest, at: Mapping[str, Any], tokens: Tokens) -> bool:  # noqa: ARG002
        return True


def given() -> Tokens:
    at = now()
    return Tokens("a" * 200, "r" * 200, (at + timedelta(hours=1)).isoformat(), None, at.isoformat())


async def fill(db: Any, kept: MongoAggregates[Connection]) -> None:
    """Connections whose tokens are all due."""
    await kept.declare(*store.INDEXES, *store.KIDS)
    plain = active()
    batch: list[dict[str, Any]] = []
    for n in range(TOKENS + FEW):
        id_ = str(uuid.uuid4())
        it = plain.model_copy(update={"id": id_, "provider_id": "many" if n < TOKENS else "few"})
        token = sealed_token(VAULT, it, given(), {}, (TokenLife(), 1, 0))
        it = it.model_copy(update={"token": token.model_copy(update={"access_due": now()})})
        own = {
            "_id": id_,
            "account": "acme",
            "v": 1,
            "shard": shard_of(id_),
            "schema": 1,
            "owes": [],
            "seen": [],
        }
        batch.append({**own, **store.dump(it)})
        if len(batch) == 2000 or n == TOKENS + FEW - 1:
            await db.connections.insert_many(batch, ordered=False)
            batch = []


async def measured(url: str) -> None:
    client = mongo.connect(url)
    db = client.connections
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, now, lambda: None)
    await fill(db, kept)
    provider, tasks = Counting(), []
    for replica in ("one", "two"):
        renewals = Renewals(kept, Known(), MongoRenewing(db.connections, db.turns, replica), VAULT, provider)  # type: ignore[arg-type]  # all that renewals ask of providers
        worker = Worker(renewals, renewals.look, now)
        renewals.rings.append(worker.ring)
        tasks.append(asyncio.create_task(worker.run()))
    began, cpu = time.monotonic(), time.process_time()
    waited = None
    while time.monotonic() - began < SECONDS:
        await asyncio.sleep(0.5)
        left = await db.connections.count_documents({"provider_id": "few", "renew_at": {"$lte": now()}})
        if left == 0 and waited is None:
            waited = time.monotonic() - began
    spent = time.process_time() - cpu
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    client.close()
    asked = provider.asked
    most = max(
        (sum(at <= other < at + 1 for other in asked[n : n + 500]) for n, at in enumerate(asked)), default=0
    )
    per = 1000 * spent / max(1, len(asked) + FEW)
    print(
        f"{TOKENS:,} tokens due at once at a provider that bears {RATE:g} a second; two replicas, {SECONDS} s"
    )
    print(f"  asked in any second at most   {most}    (may be {RATE:g})")
    print(f"  asked in all                  {len(asked):,}  ({len(asked) / SECONDS:.1f} a second)")
    print(f"  another provider's {FEW} tokens  renewed after {waited or float('nan'):.1f} s")
    print(f"  CPU of a renewal              {per:.1f} ms (both replicas' looking for work included)")
    if most > RATE or waited is None:
        sys.exit(1)


if __name__ == "__main__":
    with packaged_mongo() as server:
        asyncio.run(measured(server.url))
