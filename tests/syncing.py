"""Sync-runner's own parts on a real MongoDB, without Kafka: builders of what it hears, and its store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from kit import mongo
from kit.endings import Ended
from kit.heard import Heard
from kit.mongo_aggregates import MongoAggregates
from schemas.connections import ConnectionChanged, ConnectionSaved
from schemas.documents import DocumentReceived, DocumentWithdrawn
from schemas.envelope import Data, Event, sequence
from schemas.filters import Filters
from schemas.schedules import Schedule
from schemas.syncs import ExportDue
from schemas.topics import topic_of
from sync_runner.fill import Fills
from sync_runner.handlers.documents import Ingest
from sync_runner.handlers.dues import Dues
from sync_runner.handlers.facts import Facts
from sync_runner.lifecycle.sync import Sync
from sync_runner.store import documents as documents_store, due, fills, ledger
from sync_runner.store.documents import MongoDocuments
from sync_runner.store.due import MongoDue
from sync_runner.store.fills import MongoFills
from sync_runner.store.ledger import MongoLedger
from sync_runner.store.rows import Rows
from sync_runner.store.runs import READY, MongoRuns, now
from sync_runner.store.shapes import SYNC

ACCOUNT = "acme"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
_numbers = count(1)


def heard(data: Data, account: str = ACCOUNT, **members: Any) -> Heard:
    """An event with this data, as the edge hands it over."""
    n = next(_numbers)
    event: Event[Any] = Event(
        id=members.pop("id", f"event-{n}"),
        source="/test",
        type=data.TYPE,
        time=members.pop("time", now()),
        subject=data.subject or "subject",
        accountid=account,
        sequence=sequence(members.pop("sequence", n)),
        data=data,
        **members,
    )
    return Heard(event, topic_of(type(data)).name, 0, n)


def a_document(name: str, version: int = 1, **members: Any) -> DocumentReceived:
    usual = {
        "document_id": name,
        "version": version,
        "filename": f"{name}.pdf",
        "media_type": "application/pdf",
        "size": 4,
        "sha256": hashlib.sha256(f"{name}{version}".encode()).hexdigest(),
        "content_url": f"https://platform.example/{name}",
        "received_at": now() - timedelta(seconds=1),
        "metadata": {},
    }
    return DocumentReceived.model_validate(usual | members)


def withdrawn(name: str) -> DocumentWithdrawn:
    return DocumentWithdrawn(document_id=name)


def saved(
    connection: str, of: type[ConnectionSaved | ConnectionChanged] = ConnectionSaved, **members: Any
) -> Any:
    usual: dict[str, Any] = {
        "connection_id": connection,
        "direction": "export",
        "provider_id": "webdav",
        "provider_revision": 1,
        "name": "WebDAV",
        "identity": "jane@dav.example",
        "schedule": Schedule(every="PT1H"),
        "options": {},
        "filters": Filters(),
        "start": "all",
        "revision": 1,
        "saved_at": now(),
    }
    return of.model_validate(usual | members)


def due_now(connection: str, **members: Any) -> ExportDue:
    usual = {"connection_id": connection, "due_at": now(), "reason": "schedule"}
    return ExportDue.model_validate(usual | members)


class World:
    """The store of sync-runner, empty, and the handlers on it, as if all of Kafka were read."""

    def __init__(self, url: str, database: str) -> None:
        self.client = mongo.connect(url)
        self.db = self.client[database]
        self.syncs: MongoAggregates[Sync] = MongoAggregates(SYNC, self.db.syncs, self.db.bodies, now)
        self.documents = MongoDocuments(self.db.documents, self.db.syncs, self.db.ledger)
        self.walks = MongoFills(self.db.documents, self.db.syncs, self.db.ledger)
        self.fills = Fills(self.syncs, self.walks, lambda: range(64), now, 400)
        self.ingest = Ingest(self.documents, now, 400)
        self.facts = Facts(self.syncs, now, self.fills.ring)
        self.caught_up = True
        self.dues = Dues(self.syncs, MongoLedger(self.db.ledger), now, self._caught_up, self._caught_up)
        self.rows = Rows(self.db.ledger, self.db.documents)
        self.runs = MongoRuns(self.syncs, self.rows)
        self.due = MongoDue(self.db.syncs)

    async def _caught_up(self) -> bool:
        return self.caught_up

    async def begin(self) -> World:
        await self.syncs.declare(documents_store.EXPORTS, due.WAKE, READY, fills.FILLING, fills.COVERED)
        await mongo.declare(self.db.documents, documents_store.INDEXES)
        await mongo.declare(self.db.ledger, ledger.INDEXES)
        return self

    async def connect(self, **members: Any) -> str:
        """A saved connection, filled a minute ago."""
        connection = str(uuid4())
        await self.facts([heard(saved(connection, **members))])
        await self.fills.once()
        before = now() - timedelta(minutes=1)
        await self.db.syncs.update_one({"_id": connection}, {"$set": {"covered_to": before}})
        return connection

    async def receive(self, *documents: DocumentReceived | DocumentWithdrawn) -> Sequence[Ended]:
        return await self.ingest([heard(document) for document in documents])

    async def sync(self, connection: str) -> Sync:
        return (await self.syncs.read([connection]))[connection].thing

    async def ledger(self, connection: str) -> dict[str, str]:
        """Status by document and version."""
        found = self.db.ledger.find({"connection": connection})
        return {f"{row['document']} v{row['version']}": row["status"] async for row in found}

    async def said(self, connection: str) -> list[tuple[str, dict[str, Any]]]:
        """What a connection owes to say, in order: names and data."""
        document = await self.db.syncs.find_one({"_id": connection})
        assert document is not None
        values = [json.loads(owed["value"]) for owed in document["owes"]]
        return [(value["type"].split(".")[1], value["data"]) for value in values]
