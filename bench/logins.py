"""1,000 logins open at once: from an answer to what follows it, and what a step costs this service.

`python bench/logins.py [logins]`. MongoDB is real; the provider takes 50 ms for each answer, and asks on.
What is told is the time beyond the provider's own, while all are answered within 30 seconds, as customers
need them to read and to type, and within ten. Beside it, what a step costs without MongoDB: deciding and
sealing with stores in memory, and the machine at a portal of forms, which another process serves.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
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
from kit.aggregates import Aggregates
from kit.memory import MemoryAggregates
from kit.mongo_aggregates import MongoAggregates
from kit.transitions import Decision
from providers.egress import Guard
from providers.login import machine, outcomes
from providers.manifests import load
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Locale
from tests.peers.portal.app import Portal
from tests.peers.portal.serving import served
from tests.unit.connections.builders import PROVIDER, case, request
from tests.unit.connections.fakes import MemoryGate, MemoryTrying

LOGINS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
PROVIDERS_OWN = 0.05
WITHIN = (30, 10)
PORTALS = 300
"""Steps at the portal."""
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
    answer: outcomes.Answer,
    locale: Locale,
) -> outcomes.Outcome:
    """The provider takes its time, and asks the next thing."""
    await asyncio.sleep(PROVIDERS_OWN)
    return await asks_at_once(manifest, state, answer, locale)


async def asks_at_once(
    manifest: Manifest,
    state: outcomes.LoginState,
    answer: outcomes.Answer,  # noqa: ARG001 - the machine's promise
    locale: Locale,
) -> outcomes.Outcome:
    asked = machine.begin(manifest, {}, locale)
    return outcomes.Asked({**state, **asked.state}, asked.challenge)


async def opened(kept: Aggregates[Connection]) -> list[Connection]:
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
    began = time.monotonic()
    await handlers.answer(typed(it))
    await done.wait()
    return time.monotonic() - began - PROVIDERS_OWN


def typed(it: Connection) -> Answer:
    """What its customer answers."""
    id_ = it.login.challenge.challenge_id if it.login.challenge else ""
    fields = {**FIELDS, "username": it.id}
    return Answer(it.account, it.id, id_, str(uuid.uuid4()), "answer", fields=fields)


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
    task = asyncio.create_task(worker.run())
    print(f"{LOGINS:,} logins open at once; the provider takes {1000 * PROVIDERS_OWN:.0f} ms")
    for within in WITHIN:
        logins = await opened(kept)
        cpu = time.process_time()
        waits = (answered(it, handlers, done[it.id], within * n / LOGINS) for n, it in enumerate(logins))
        took = sorted(await asyncio.gather(*waits))
        spent = time.process_time() - cpu
        middle, late = (1000 * took[int(LOGINS * part)] for part in (0.5, 0.99))
        print(f"  all answered within {within} s: CPU of a step {1000 * spent / LOGINS:.1f} ms;")
        print(f"    next step, beyond the provider's own time: median {middle:.0f} ms, p99 {late:.0f} ms")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    client.close()


async def without_mongo() -> None:
    """What deciding, sealing and building events cost in a step."""
    kept, known = MemoryAggregates(store.KIND, now), Known()
    counting = Counting(MemoryGate(now), VAULT, asks_at_once)
    tries = Tries(kept, known, MemoryTrying(kept, now), counting, VAULT)  # type: ignore[arg-type]  # as above
    rung: list[tuple[Any, ...]] = []
    handlers = LoginHandlers(kept, known, VAULT, lambda *told: rung.append(told))  # type: ignore[arg-type]
    logins, cpu = await opened(kept), time.process_time()
    for it in logins:
        await handlers.answer(typed(it))
        await tries.look(*rung.pop())
    spent = time.process_time() - cpu
    print(f"  CPU of a step with stores in memory: {1000 * spent / len(logins):.1f} ms")


def serve(said: Any) -> None:
    """The portal, in a process of its own."""
    portal = Portal()
    for n in range(PORTALS):
        portal.has(f"jane{n}", "sms")
    with served(portal) as url:
        said.send(url)
        said.recv()


@contextmanager
def portal() -> Iterator[str]:
    """Its address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("over")
        process.join(15)


async def at_a_portal(url: str) -> None:
    """What the machine costs in a step of forms: a page, what was typed, two redirects."""
    manifest = load(Path(__file__).parents[1] / "tests/peers/portal/billing-portal")
    password = Portal().has("jane").password
    async with Reach(Guard(["127.0.0.0/8"])) as reach:
        cpu = time.process_time()
        for n in range(PORTALS):
            opening = machine.begin(manifest, {}, "en").state
            given = outcomes.Answer({"url": url, "username": f"jane{n}", "pin": password})
            came = await machine.step(manifest, opening, given, reach, "en")
            assert isinstance(came, outcomes.Asked), came
        spent = time.process_time() - cpu
    print(f"  the machine at a portal, four requests: {1000 * spent / PORTALS:.1f} ms of CPU")


if __name__ == "__main__":
    with packaged_mongo() as server, portal() as address:
        gc.freeze()  # as the service does
        uvloop.run(measured(server.url))
        uvloop.run(without_mongo())
        uvloop.run(at_a_portal(address))
