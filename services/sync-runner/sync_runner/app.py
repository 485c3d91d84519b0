"""The one place where the parts of sync-runner meet. Nothing connects before the service runs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from kit import configured, mongo, tokens
from kit.broker import Kafka
from kit.edge import Edge
from kit.http import make_app
from kit.leases import Leases
from kit.logs import logger
from kit.mongo import Database
from kit.mongo_aggregates import MongoAggregates
from kit.parking import Parking
from kit.positions import Positions
from kit.relay import Relay, shard_names
from kit.service import Listener, Loop, Service
from kit.settings import SYNC_RUNNER_PORT, Settings, SettingsError
from providers.egress import Guard
from providers.reach import Reach
from schemas.topics import CATALOG_EVENTS, CONNECTIONS_EVENTS, DOCUMENTS_EVENTS
from sync_runner import api, bus, content_api, overview
from sync_runner.borrowing import Lender
from sync_runner.content import Contents
from sync_runner.discreet import discreetly
from sync_runner.einvoices.reader import Reader
from sync_runner.fill import Fills
from sync_runner.handlers.documents import Ingest
from sync_runner.handlers.dues import Dues
from sync_runner.handlers.facts import Facts
from sync_runner.handlers.words import Words
from sync_runner.importing import Warehouse
from sync_runner.inspecting import Inspector
from sync_runner.lifecycle.sync import Sync
from sync_runner.running import Means
from sync_runner.scanning import Clamd
from sync_runner.scheduler import Scheduler
from sync_runner.store import (
    contents as contents_store,
    documents as documents_store,
    due as due_store,
    fills as fills_store,
    imports as imports_store,
    ledger,
)
from sync_runner.store.contents import MongoContents
from sync_runner.store.documents import MongoDocuments
from sync_runner.store.due import MongoDue
from sync_runner.store.files import GridFiles
from sync_runner.store.fills import MongoFills
from sync_runner.store.import_rows import ImportRows
from sync_runner.store.imports import MongoImports
from sync_runner.store.ledger import MongoLedger
from sync_runner.store.lists import MongoLists
from sync_runner.store.overview import MongoOverview
from sync_runner.store.providers import NEWEST, MongoProviders
from sync_runner.store.rows import Rows
from sync_runner.store.runs import READY, MongoRuns, now
from sync_runner.store.shapes import SYNC
from sync_runner.store.words import MongoWords
from sync_runner.worker import Worker

log = logger(__name__)

DATABASE = "sync_runner"
LET_GO_EVERY = 3600.0
"""Seconds between two looks for bytes that were kept long enough."""
LOOPBACK = ("127.0.0.0/8", "::1/128")
OURS = (*LOOPBACK, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where our own services live: their address is a setting, nobody else names it."""
SYNC_INDEXES = (
    documents_store.EXPORTS,
    due_store.WAKE,
    READY,
    fills_store.FILLING,
    fills_store.COVERED,
)


def build(settings: Settings) -> Service:
    """The service, ready to run.

    Raises:
        SettingsError, KeysRefused: one sentence that names the setting.
    """
    parts = Parts.of(settings)
    edge = Edge(parts.kafka, bus.NAME, Parking(parts.db.parked), now)
    words = Words(parts.words)
    bus.read(edge, bus.Ears(parts.providers, parts.facts, parts.ingest, words, parts.dues, parts.worker.ring))
    return Service(
        bus.NAME,
        listeners=(Listener(parts.inner_app(edge), SYNC_RUNNER_PORT),),
        edge=edge,
        loops=(
            Loop("relay", parts.relay.run),
            Loop("shards", parts.leases.tend),
            Loop("scheduler", parts.scheduler.run),
            Loop("fills", parts.fills.run),
            Loop("audit", parts.fills.run_audit),
            Loop("worker", parts.worker.run),
            Loop("bytes", parts.let_go),
        ),
        start=(parts.prepare,),
        stop=(parts.worker.stop,),
        close=(parts.close,),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is made of."""

    settings: Settings
    db: Database
    kafka: Kafka
    verifier: tokens.Verifier
    relay: Relay
    leases: Leases
    syncs: MongoAggregates[Sync]
    providers: MongoProviders
    facts: Facts
    ingest: Ingest
    dues: Dues
    scheduler: Scheduler
    emitter: bus.DueEmitter
    fills: Fills
    words: MongoWords
    warehouse: Warehouse
    worker: Worker
    positions: Positions
    reaches: tuple[Reach, ...]

    @classmethod
    def of(cls, settings: Settings) -> Parts:
        """Made of settings; nothing is connected yet."""
        db = mongo.connect(configured.mongo_url(settings))[DATABASE]
        kafka = Kafka.of(settings)
        owner = settings.paperbus_instance or f"{socket.gethostname()}-{os.getpid()}"
        relay_leases = Leases(db.leases, "relay.syncs", shard_names(), owner)
        relay = Relay(db.syncs, db.bodies, kafka, relay_leases)
        leases = Leases(db.leases, "schedule.syncs", shard_names(), owner)
        positions = Positions(kafka)
        syncs = MongoAggregates(SYNC, db.syncs, db.bodies, now, relay.ring)
        providers, emitter = MongoProviders(db.providers), bus.DueEmitter(kafka)
        shards = partial(_shards, leases)
        fills = _fills(settings, db, syncs, shards)
        reaches = _reaches(settings)
        contents = MongoContents(db)
        warehouse = _warehouse(settings, db, contents)
        means = _means(settings, db, syncs, providers, positions, reaches, warehouse)
        ingest = Ingest(MongoDocuments(db.documents, db.syncs, db.ledger), now, settings.paperbus_ledger_days)
        return cls(
            settings=settings,
            db=db,
            kafka=kafka,
            verifier=configured.verifier(settings),
            relay=relay,
            leases=leases,
            syncs=syncs,
            providers=providers,
            facts=Facts(syncs, now, fills.ring),
            ingest=ingest,
            dues=_dues(db, syncs, positions),
            scheduler=Scheduler(MongoDue(db.syncs), emitter, shards, now),
            emitter=emitter,
            fills=fills,
            words=MongoWords(db.ledger, contents, now),
            warehouse=warehouse,
            worker=Worker(means, owner),
            positions=positions,
            reaches=reaches,
        )

    def inner_app(self, edge: Edge) -> FastAPI:
        """The inner listener."""
        app = make_app(bus.NAME, self.verifier, (edge.stuck, self.relay.stuck))
        lists = MongoLists(self.db.ledger, self.db.documents)
        app.include_router(api.routes(api.Reading(self.syncs, lists, now)))
        app.include_router(content_api.routes(self.words.contents))
        seen = MongoOverview(self.db.ledger, self.db.documents)
        app.include_router(overview.routes(overview.Looking(self.syncs, seen, now)))
        return app

    async def prepare(self) -> None:
        """Indexes."""
        await mongo.ready(self.db.client)
        await self.syncs.declare(*SYNC_INDEXES)
        await mongo.declare(self.db.documents, documents_store.INDEXES)
        await mongo.declare(self.db.ledger, (*ledger.INDEXES, *imports_store.INDEXES))
        await mongo.declare(self.words.contents.files, contents_store.FILE_INDEXES)
        await mongo.declare(self.words.contents.chunks, contents_store.CHUNK_INDEXES)
        await mongo.declare(self.db.providers, (NEWEST,))

    async def let_go(self) -> None:
        """Drop the bytes of imported documents that were kept long enough, for ever."""
        while True:
            try:
                await self.words.expire()
            except Exception as error:  # noqa: BLE001 - the store's trouble: they go an hour later
                log.warning("bytes could not be let go", error=type(error).__name__)
            await asyncio.sleep(LET_GO_EVERY)

    async def close(self) -> None:
        """Give the shards back; let go of Kafka, of targets, of the store."""
        await self.warehouse.inspector.close()
        await self.leases.release()
        await self.emitter.close()
        await self.positions.close()
        for reach in self.reaches:
            await reach.aclose()
        self.db.client.close()


def _shards(leases: Leases) -> Collection[int]:
    """The shards that are ours to schedule and to fill."""
    return [int(name) for name in leases.held()]


def _fills(
    settings: Settings, db: Database, syncs: MongoAggregates[Sync], shards: Callable[[], Collection[int]]
) -> Fills:
    """What brings a connection's earlier documents into its ledger."""
    store = MongoFills(db.documents, db.syncs, db.ledger)
    return Fills(syncs, store, shards, now, settings.paperbus_ledger_days)


def _dues(db: Database, syncs: MongoAggregates[Sync], positions: Positions) -> Dues:
    """What begins runs, once what was said before a due is known."""
    documents = partial(positions.caught_up, DOCUMENTS_EVENTS, bus.DOCUMENTS_GROUP)
    connections = partial(positions.caught_up, CONNECTIONS_EVENTS, bus.CONNECTIONS_GROUP)
    return Dues(syncs, MongoLedger(db.ledger), now, documents, connections)


def _reaches(settings: Settings) -> tuple[Reach, Reach, Reach]:
    """The ways out: to targets, to the platform's documents, to our own services."""
    private = [str(network) for network in settings.paperbus_private_networks]
    return Reach(Guard(private)), Reach(Guard([*LOOPBACK, *private])), Reach(Guard([*OURS, *private]))


def _means(  # noqa: PLR0913, PLR0917 - what meets here
    settings: Settings,
    db: Database,
    syncs: MongoAggregates[Sync],
    providers: MongoProviders,
    positions: Positions,
    reaches: tuple[Reach, ...],
    warehouse: Warehouse,
) -> Means:
    """What every run needs."""
    targets, platform, ours = reaches
    own = configured.service_tokens(settings)
    if own is None:
        raise SettingsError(
            "PAPERBUS_SERVICE_KEY and PAPERBUS_SERVICE_KEYS are missing: set both, or use `paperbus up`."
        )
    return Means(
        runs=MongoRuns(
            syncs,
            Rows(db.ledger, db.documents),
            ImportRows(db.ledger, f"{settings.paperbus_sync_runner_url}/v1/content/"),
        ),
        borrowing=Lender(ours, settings.paperbus_connections_url, own).for_run,
        manifests=providers.manifest,
        catalog_read=partial(positions.caught_up, CATALOG_EVENTS, bus.CATALOG_GROUP),
        contents=Contents(platform, own, GridFiles(db)),
        reach=targets,
        warehouse=warehouse,
        open_source=discreetly(own.derived("cursors and references of imports", 64)),
    )


def _warehouse(settings: Settings, db: Database, contents: MongoContents) -> Warehouse:
    """Where imports come in."""
    kept_for = timedelta(days=settings.paperbus_content_days)
    scanner = Clamd(settings.paperbus_clamd) if settings.paperbus_clamd else None
    inspector = Inspector(Reader(), scanner)
    return Warehouse(MongoImports(db.ledger, db.syncs), contents, inspector, kept_for)
