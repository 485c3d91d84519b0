"""The one place where the parts of catalog meet. Nothing connects before the service runs."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from catalog import api, bus
from catalog.handlers import suggest
from catalog.loader import Loader
from catalog.mirror import Mirror
from catalog.setup import SetUp
from catalog.store import CatalogStore
from catalog.watch import Watch
from kit import configured, mongo
from kit.broker import Kafka
from kit.edge import Edge
from kit.http import make_app
from kit.leases import Leases
from kit.parking import Parking
from kit.relay import ALL, FencedRelay
from kit.service import Listener, Loop, Service
from kit.settings import CATALOG_PORT, Settings, SettingsError
from providers.extends import CATALOGUE

NAME = "catalog"


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


def build(settings: Settings) -> Service:
    """The service, ready to run.

    Raises:
        SettingsError, KeysRefused: one sentence that names the setting.
    """
    watch = Watch((CATALOGUE, *_roots(settings)))
    client, kafka = mongo.connect(configured.mongo_url(settings)), Kafka.of(settings)
    database = client[NAME]
    owner = settings.paperbus_instance or f"{socket.gethostname()}-{os.getpid()}"
    leases = Leases(database["leases"], "relay.catalog", ALL, owner)
    relay = FencedRelay(database["providers"], database["bodies"], kafka, leases)
    store = CatalogStore(database, now, relay.ring)
    mirror = Mirror(store, now)
    edge = Edge(kafka, NAME, Parking(database["parked"]), now)

    suggested = partial(suggest, known=mirror.known, store=store, now=now)
    loader = Loader(watch, store, mirror, leases, bus.Topic(kafka, store))
    bus.read(edge, suggested)
    app = make_app(NAME, configured.verifier(settings), (edge.stuck, loader.stuck, leases.stuck))
    services, url = configured.service_tokens(settings), settings.paperbus_catalog_url
    set_up = SetUp(settings.paperbus_connections_url, services)
    app.include_router(api.routes(api.Catalogue(store, mirror, suggested, url, set_up.can_be_chosen)))
    if services is not None:
        app.include_router(api.inner_routes(store, services))

    async def close() -> None:
        client.close()

    return Service(
        NAME,
        listeners=(Listener(app, CATALOG_PORT),),
        edge=edge,
        loops=(
            Loop("relay", relay.run),
            Loop("folders", loader.run),
            Loop("search", mirror.follow),
            Loop("set up", set_up.follow),
        ),
        start=(partial(mongo.ready, client), store.declare, mirror.load),
        close=(close,),
    )


def _roots(settings: Settings) -> tuple[Path, ...]:
    """The operator's own folders: there at the start; one that vanishes later retires nothing."""
    for root in settings.paperbus_providers:
        if not root.is_dir():
            raise SettingsError(f"PAPERBUS_PROVIDERS names {root}, which is no folder: make it, or mend it.")
    return settings.paperbus_providers
