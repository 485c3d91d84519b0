"""1,000 logins open at once: from an answer to what follows it, and what a step costs this service.

`python bench/logins.py [logins]`. MongoDB is real; the provider takes 50 ms for each answer, and asks on.
What is told is the time beyond the provider's own, while all are answered within ten seconds.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import packaged_mongo

from connections import store
from connections.budgets_store import MongoGate
from connections.handlers.counting import Counting
from connections.handlers.onboarding import LoginHandlers
from connections.handlers.tries import Tries
from connections.lifecycle.case import Provider
from connections.lifecycle.deciding import decide
from connections.lifecycle.things import Connection
from connections.vault import Vault
from connections.window.onboarding import Answer
from connections.worker import Worker
from kit import mongo
from kit.mongo_aggregates import MongoAggregates
from kit.transitions import Decision
from providers.login import machine, outcomes
from schemas.manifest import Manifest
from schemas.reasons import Locale
from tests.unit.connections.builders import PROVIDER, case, request

LOGINS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
PROVIDERS_OWN = 0.05
VAULT = Vault([("bench", b"b" * 32)])
FIELDS = {"url": "https://dav.example.org/", "password": "secret"}


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


class Known:
    """One provider."""

    async def at(self, provider_id: str, revision: int) -> Provider | None:  # noqa: ARG002 - the stores' promise
        return PROVIDER

    async def newest(self, ids: Any) -> dict[str, Provider]:
        return dict.fromkeys(ids, PROVIDER)


async def asks_on(
    manifest: Manifest,
    state: outcomes.LoginState,
    answer: outcomes.Answer,  # noqa: ARG001 - the machine's promise
    locale: Locale,
) -> outcomes.Outcome:
    """The provider takes its time, and asks the next thing."""
    await asyncio.sleep(PROVIDERS_OWN)
    asked = machine.begin(manifest, {}, locale)
    return outcomes.Asked({**state, **asked.state}, asked.challenge)


async def opened(kept: MongoAggregates[Connection]) -> list[Connection]:
    """Logins that wait for an answer: each of a customer and of a name of its own, as limits are by these."""

    async def one() -> Connection:
        id_ = str(uuid.uuid4())
        asked = request(connection_id=id_)

        def decided(it: Connection | None) -> Decision[Connection] | None:
            return decide(replace(case(it, now()), account=id_), asked)

        made = await kept.alter(id_, decided, account=id_)
        if made is None:
            raise LookupError(id_)
        return made

    return [
        one_ for n in range(0, LOGINS, 100) for one_ in await asyncio.gather(*(one() for _ in range(100)))
    ]


async def answered(it: Connection, handlers: LoginHandlers, done: asyncio.Event, after: float) -> float:
    """Seconds from the answer until the next thing is asked, without the provider's own."""
    await asyncio.sleep(after)
    challenge = it.login.challenge
    began = time.monotonic()
    id_ = challenge.challenge_id if challenge else ""
    typed = {**FIELDS, "username": it.id}
    await handlers.answer(Answer(it.account, it.id, id_, str(uuid.uuid4()), "answer", fields=typed))
    await done.wait()
    return time.monotonic() - began - PROVIDERS_OWN


async def measured(url: str) -> None:
    client = mongo.connect(url)
    db = client.connections
    kept = MongoAggregates(store.KIND, db.connections, db.bodies, now, lambda: None)
    await kept.declare(*store.INDEXES)
    trying, known = store.MongoTrying(db.connections, "bench"), Known()
    counting = Counting(MongoGate(db.budgets), VAULT, asks_on)
    tries = Tries(kept, known, trying, counting, VAULT)  # type: ignore[arg-type]  # all it asks
    done: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def look(id_: str, *known: Any) -> None:
        await tries.look(id_, *known)
        done[id_].set()

    worker = Worker(trying, look, now)
    handlers = LoginHandlers(kept, known, VAULT, worker.ring)  # type: ignore[arg-type]
    logins = await opened(kept)
    task, cpu = asyncio.create_task(worker.run()), time.process_time()
    waits = (answered(it, handlers, done[it.id], 10 * n / LOGINS) for n, it in enumerate(logins))
    took = sorted(await asyncio.gather(*waits))
    spent = time.process_time() - cpu
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    client.close()
    own = f"{1000 * PROVIDERS_OWN:.0f} ms"
    print(f"{LOGINS:,} logins open at once, all answered within 10 s; the provider takes {own}")
    print(f"  next step, beyond the provider's own time: median {1000 * took[len(took) // 2]:.0f} ms, "
          f"p99 {1000 * took[int(len(took) * 0.99)]:.0f} ms")  # fmt: skip
    print(f"  CPU of a step  {1000 * spent / LOGINS:.1f} ms")


if __name__ == "__main__":
    with packaged_mongo() as server:
        gc.freeze()  # as the service does
        uvloop.run(measured(server.url))
