"""`DocumentReceived` taken in: documents per second into documents and ledger, by connections an account.

`python bench/ingest.py [N]`. Real Kafka and MongoDB, the service's own edge and store; one replica.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Topics, any_kafka, any_mongo
from syncing import World, a_document, heard, saved

from kit.broker import Kafka
from kit.edge import Edge
from kit.endings import Ended
from kit.heard import Heard
from kit.parking import Parking
from schemas.envelope import CONTENT_TYPE
from schemas.filters import Filters
from schemas.topics import DOCUMENTS_EVENTS
from sync_runner.handlers.documents import Ingest
from sync_runner.store.runs import now

N = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
ACCOUNTS = 1000
METADATA = {
    "document_type": "invoice",
    "issue_date": "2026-03-31",
    "currency": "EUR",
    "seller_name": "Muster & Söhne",
    "gross_amount": "119.00",
}


class Counting:
    """The handler, and when it had taken in how many."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.count = 0
        self.first = self.last = 0.0
        self.all = asyncio.Event()

    async def __call__(self, batch: Sequence[Heard]) -> Sequence[Ended]:
        self.first = self.first or time.perf_counter()
        endings = await self.ingest(batch)
        self.count += len(batch)
        self.last = time.perf_counter()
        if self.count >= N:
            self.all.set()
        return endings


async def publish(kafka: Kafka) -> None:
    """N documents of a thousand accounts."""
    headers = [("content-type", CONTENT_TYPE.encode())]
    async with kafka.producer(linger_ms=20, max_batch_size=256 * 1024) as producer:
        sent = []
        for n in range(N):
            document = a_document(f"doc-{uuid.uuid4()}", metadata=METADATA | {"number": f"R-{n}"})
            event = heard(document, f"account-{n % ACCOUNTS}", id=str(uuid.uuid4())).event
            key = document.document_id.encode()
            sent.append(await producer.send(DOCUMENTS_EVENTS.name, event.encoded(), key=key, headers=headers))
        await asyncio.gather(*sent)


async def measure(url: str, bootstrap: str, connections: int) -> float:
    """Documents per second with so many connections in each account."""
    world = await World(url, f"bench_{uuid.uuid4().hex[:8]}").begin()
    for _ in range(connections):
        filters = Filters(document_types=("invoice",))
        facts = [heard(saved(str(uuid.uuid4()), filters=filters), f"account-{n}") for n in range(ACCOUNTS)]
        await world.facts(facts)
    await world.db.syncs.update_many({}, {"$unset": {"fill": ""}})
    kafka, counting = Kafka(bootstrap), Counting(world.ingest)
    await publish(kafka)
    edge = Edge(kafka, "sync-runner", Parking(world.db.parked), now)
    edge.reads(DOCUMENTS_EVENTS, counting, types=Ingest.TYPES)
    await edge.start()
    await counting.all.wait()
    await edge.stop()
    rows = await world.db.ledger.estimated_document_count()
    assert rows == N * connections, rows
    await world.client.drop_database(world.db.name)
    world.client.close()
    return N / (counting.last - counting.first)


async def main(url: str, bootstrap: str) -> None:
    topics = Topics(bootstrap)
    for connections, least in ((1, 5000), (3, 3500)):
        await topics.empty()
        await topics.make(DOCUMENTS_EVENTS.name, partitions=DOCUMENTS_EVENTS.partitions)
        await topics.make(DOCUMENTS_EVENTS.dead)
        rate = await measure(url, bootstrap, connections)
        print(
            f"ingest     {rate:8.0f} documents/s, {connections} connection(s) an account (at least {least:,})"
        )


if __name__ == "__main__":
    with any_mongo() as url, any_kafka() as bootstrap:
        gc.freeze()  # as every service does
        uvloop.run(main(url, bootstrap))
