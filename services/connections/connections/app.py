"""The one place where the parts of connections meet. Nothing connects before the service runs."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from connections import api, bus, lending, renewal_store, store, timeline, vault_store
from connections.answer_keys import AnswerKeys
from connections.answer_keys_store import MongoKeyStore
from connections.answers import Opener
from connections.budgets_store import MongoGate
from connections.choices import LiveChoices
from connections.clients import MongoClients
from connections.configured import vault as configured_vault
from connections.handlers.counting import Counting
from connections.handlers.destinations import Using, held, in_use
from connections.handlers.facts import Facts
from connections.handlers.leaving import Leaving
from connections.handlers.onboarding import LoginHandlers
from connections.handlers.requests import Requests
from connections.handlers.tries import Tries, first_question
from connections.lending_store import MongoAudit
from connections.lifecycle.things import Connection
from connections.logos import CatalogAsked, Logos
from connections.outside import ProvidersAsked, lists, opens, steps
from connections.providers_store import MongoProviders
from connections.renewal import Renewals
from connections.renewal_store import MongoRenewing
from connections.vault import Vault
from connections.window import inner
from connections.window.app import window_app
from connections.window.departures import MongoDepartures
from connections.window.store import MongoWindows
from connections.worker import Worker
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
from kit.settings import CONNECTIONS_PORT, WINDOW_PORT, Settings
from kit.trouble import is_trouble
from providers.egress import Guard
from providers.reach import Reach
from schemas.topics import CATALOG_EVENTS, CONNECTIONS_REQUESTS

NAME = "connections"
TEND_KEYS_EVERY = 600.0

log = logger(__name__)


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


def build(settings: Settings) -> Service:
    """The service, ready to run.

    Raises:
        SettingsError, KeysRefused: one sentence that names the setting.
    """
    parts = Parts.of(settings)
    edge = Edge(parts.kafka, NAME, Parking(parts.db.parked), now)
    bus.read(edge, parts.ears())
    return Service(
        NAME,
        listeners=(
            Listener(parts.inner_app(edge), CONNECTIONS_PORT),
            Listener(parts.window_app(), WINDOW_PORT),
        ),
        edge=edge,
        loops=(
            Loop("relay", parts.relay.run),
            Loop("logins", parts.worker.run),
            Loop("renewals", parts.renewer.run),
            Loop("keys", parts.tend_keys),
        ),
        start=(parts.prepare,),
        stop=(parts.worker.drain, parts.renewer.drain),
        close=(parts.close,),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is made of."""

    settings: Settings
    db: Database
    kafka: Kafka
    vault: Vault
    reach: Reach
    verifier: tokens.Verifier
    relay: Relay
    worker: Worker
    connections: MongoAggregates[Connection]
    providers: MongoProviders
    trying: store.MongoTrying
    keys: AnswerKeys
    positions: Positions
    clients: MongoClients
    renewals: Renewals
    renewer: Worker

    @classmethod
    def of(cls, settings: Settings) -> Parts:
        """Made of settings; nothing is connected yet."""
        vault, verifier = configured_vault(settings), configured.verifier(settings)
        db = mongo.connect(configured.mongo_url(settings))[NAME]
        clients = MongoClients(db.clients, vault)
        kafka = Kafka.of(settings)
        owner = settings.paperbus_instance or f"{socket.gethostname()}-{os.getpid()}"
        leases = Leases(db.leases, "relay.connections", shard_names(), owner)
        relay = Relay(db.connections, db.bodies, kafka, leases)
        guard = Guard([str(network) for network in settings.paperbus_private_networks])
        reach = Reach(guard, clients=clients)
        connections = MongoAggregates(store.KIND, db.connections, db.bodies, now, relay.ring)
        providers = MongoProviders(db.providers, db.manifests, clients.set_up)
        trying = store.MongoTrying(db.connections, owner)
        counting = Counting(MongoGate(db.budgets), vault, steps(reach))
        worker = Worker(trying, Tries(connections, providers, trying, counting, vault).look, now)
        renewing = MongoRenewing(db.connections, db.turns, owner)
        asking, using = ProvidersAsked(reach), Using(partial(held, providers), partial(in_use, providers))
        renewals = Renewals(connections, providers, renewing, vault, asking, using)
        renewer = Worker(renewals, renewals.look, now)
        renewals.rings.append(renewer.ring)
        return cls(
            settings,
            db,
            kafka,
            vault,
            reach,
            verifier,
            relay,
            worker,
            connections,
            providers,
            trying,
            AnswerKeys(MongoKeyStore(db.answer_keys), vault, now),
            Positions(kafka),
            clients,
            renewals,
            renewer,
        )

    @property
    def logins(self) -> LoginHandlers:
        return LoginHandlers(self.connections, self.providers, self.vault, self.worker.ring)

    @property
    def lines(self) -> timeline.Timeline:
        return timeline.Timeline(self.db.timeline)

    def ears(self) -> bus.Ears:
        """Who handles what is heard."""
        return bus.Ears(
            self.connections,
            Requests(self.connections, self.providers, self.catalog_read, first_question),
            self.logins,
            Opener(self.keys, self.verifier.access, now),
            Facts(self.connections, self.providers, self.trying),
            self.lines,
        )

    def inner_app(self, edge: Edge) -> FastAPI:
        """The inner listener: reading, windows and proofs, lending."""
        reading = api.Reading(
            self.connections,
            store.MongoLists(self.db.connections),
            self.lines,
            self.keys,
            LiveChoices(
                self.providers,
                self.vault,
                opens(self.reach),
                lists(self.reach),
                fresh=self.renewals.fresh,
            ),
        )
        desk = inner.Desk(
            self.logins,
            MongoWindows(self.db.windows),
            now,
            self.settings.paperbus_public_url,
            self.settings.origins,
            self.requests_read,
        )
        app = make_app(NAME, self.verifier, (edge.stuck, self.relay.stuck))
        app.include_router(api.routes(reading))
        app.include_router(inner.routes(desk))
        known = configured.service_tokens(self.settings)
        if known is not None:
            audit = MongoAudit(self.db.audit)
            lender = lending.Lender(
                self.one, self.vault, audit, now, self.renewals.using, self.renewals.fresh
            )
            app.include_router(lending.routes(lender, known))
            app.include_router(lending.client_routes(self.clients.ids, known))
        return app

    def window_app(self) -> ASGIApp:
        """The outer listener: the login window alone."""
        public, ancestors = self.settings.paperbus_public_url, self.settings.paperbus_frame_ancestors
        logins, departures = self.logins, MongoDepartures(self.db.departures)
        leaving = Leaving(
            self.connections, self.providers, self.vault, self.reach, departures, public, logins.answer
        )
        catalog = CatalogAsked(self.settings.paperbus_catalog_url, configured.service_tokens(self.settings))
        windows = MongoWindows(self.db.windows)
        return window_app(logins, windows, now, public, ancestors, leaving, Logos(catalog))

    async def prepare(self) -> None:
        """Indexes, the proof that the vault's keys are those of this database, keys for answers."""
        await mongo.ready(self.db.client)
        await vault_store.prove(self.vault, self.db.vault)
        await self.connections.declare(*store.INDEXES, *store.KIDS)
        for collection, indexes in (
            (self.db.timeline, timeline.INDEXES),
            (self.db.answer_keys, MongoKeyStore.INDEXES),
            (self.db.windows, MongoWindows.INDEXES),
            (self.db.audit, MongoAudit.INDEXES),
            (self.db.departures, MongoDepartures.INDEXES),
            (self.db.turns, renewal_store.INDEXES),
            (self.db.budgets, MongoGate.INDEXES),
        ):
            await mongo.declare(collection, indexes)
        await self.keys.tend()

    async def tend_keys(self) -> None:
        """Rotate the keys that answers are sealed to; bring what older vault keys seal under the newest."""
        sealed = (
            *store.records(self.db.connections),
            MongoKeyStore(self.db.answer_keys).records(),
            self.clients.records(),
            MongoDepartures(self.db.departures).records(),
        )
        while True:
            await asyncio.sleep(TEND_KEYS_EVERY)
            try:
                await self.keys.tend()
                await vault_store.tend(self.vault, sealed, vault_store.canary_records(self.db.vault))
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("the keys were not tended", error=type(error).__name__)

    async def one(self, connection_id: str) -> Connection | None:
        """A connection as it is now."""
        kept = (await self.connections.read((connection_id,))).get(connection_id)
        return kept.thing if kept else None

    async def catalog_read(self) -> bool:
        """Whether every provider published before this moment is known."""
        return await self.positions.caught_up(CATALOG_EVENTS, bus.CATALOG_GROUP)

    async def requests_read(self) -> bool:
        """Whether every request sent before this moment is handled."""
        return await self.positions.caught_up(CONNECTIONS_REQUESTS, bus.REQUESTS_GROUP, within=0.5)

    async def close(self) -> None:
        """Let go of Kafka, of providers, of the store."""
        await self.positions.close()
        await self.reach.aclose()
        self.db.client.close()
