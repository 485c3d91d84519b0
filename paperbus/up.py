"""Starts servers, topics and services, in this order; ends them in the opposite one. Parses no options."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kit.broker import Kafka
from kit.mongo import connect, ready
from kit.settings import Settings, strangers
from paperbus.errors import Stopped
from paperbus.keeping import Kept
from paperbus.local import EmbeddedKafka, EmbeddedMongo, kafka, mongo
from paperbus.local.errors import NoSpace
from paperbus.local.folder import LOOPBACK, FolderLock, make_folder, require_port
from paperbus.local.server import EmbeddedServer
from paperbus.reaching import reachable
from paperbus.services import SERVICES, Embedded, Service, require_own_keys, require_vault, settings_for
from paperbus.topics import make_topics
from paperbus.where import told

Say = Callable[[str], None]
LOOK_FOR_ROOM = 2.0
"""Seconds between two looks whether a full disk has room again."""


@dataclass(frozen=True)
class Plan:
    """What to start. `only` empty is every service; `added` are settings for all services."""

    data: Path
    only: tuple[str, ...] = ()
    kafka_port: int = kafka.PORT
    mongo_port: int = mongo.PORT
    services: tuple[Service, ...] = SERVICES
    added: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> list[Service]:
        return [service for service in self.services if not self.only or service.name in self.only]


@dataclass(frozen=True)
class Up:
    """What runs. `settings` are those that the services got, without their own keys."""

    settings: Settings
    data: Path
    embedded: Embedded
    services: tuple[Kept, ...]
    servers: tuple[EmbeddedServer, ...]
    say: Say

    async def keep(self) -> None:
        """Start again whatever dies, until cancelled."""
        kept = [service.keep() for service in self.services]
        await asyncio.gather(*kept, *(_keep(server, self.say) for server in self.servers))


@contextmanager
def data_folder(settings: Settings, given: Path | None, *, ephemeral: bool) -> Iterator[Path]:
    """The folder that is asked for, made if need be; an ephemeral one is gone afterwards."""
    with ExitStack() as stack:
        if ephemeral:
            yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paperbus-")))
        else:
            data = (given or settings.paperbus_data).absolute()
            try:
                data.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise Stopped(f"The data folder {data} cannot be made: {error.strerror}.") from error
            yield data


@asynccontextmanager
async def running(plan: Plan, say: Say, environ: Mapping[str, str] | None = None) -> AsyncIterator[Up]:
    """Everything of `plan`, ready, while the block runs.

    Raises:
        Stopped, SettingsError, KeysRefused, Unusable: one sentence; nothing is left running.
    """
    environ = {**(os.environ if environ is None else environ), **plan.added}
    settings = Settings.load(environ)
    servers = _servers(plan, settings)
    for unknown in strangers(environ):
        say(unknown)
    _require_safe(plan, settings, servers)
    await _require_mongo(settings, say)
    await _require_kafka(settings, say)
    async with _alone(plan, settings, servers) as held, _started(servers, say) as embedded:
        names = [service.name for service in plan.chosen]
        everyone, own = settings_for(names, environ, settings, plan.data, embedded)
        shared = Settings.load(everyone)
        with told(plan.data, embedded, shared.paperbus_console_url):
            if made := await make_topics(Kafka.of(shared)):
                say(f"Made {len(made)} topics.")
            kept = tuple(
                Kept(one, everyone | own[one.name], str(shared.paperbus_listen), _log(plan, one), say, held)
                for one in plan.chosen
            )
            async with _serving(kept):
                yield Up(shared, plan.data, embedded, kept, tuple(servers), say)


def _log(plan: Plan, service: Service) -> Path | None:
    """A fresh file for each of several services; one alone speaks for itself."""
    if plan.only:
        return None
    log = plan.data / "logs" / f"{service.name}.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    return log


def _servers(plan: Plan, settings: Settings) -> list[EmbeddedServer]:
    """What is not configured. Each listens where the services do, on loopback."""
    address = str(settings.paperbus_listen) if settings.paperbus_listen.version == 4 else LOOPBACK
    servers: list[EmbeddedServer] = []
    if settings.mongo_url is None:
        servers.append(EmbeddedMongo(plan.data, plan.mongo_port, address))
    if settings.kafka_bootstrap_servers is None:
        servers.append(EmbeddedKafka(plan.data, plan.kafka_port, address))
    return servers


def _require_safe(plan: Plan, settings: Settings, servers: list[EmbeddedServer]) -> None:
    if servers and not settings.paperbus_listen.is_loopback:
        raise Stopped(
            f"PAPERBUS_LISTEN={settings.paperbus_listen} is an address that others reach, and embedded "
            "servers know no passwords: set KAFKA_BOOTSTRAP_SERVERS and MONGO_URL to servers of your own."
        )
    if plan.only:
        require_own_keys(settings, list(plan.only))
    require_vault(settings, [service.name for service in plan.chosen])


async def _require_mongo(settings: Settings, say: Say) -> None:
    """Ask the MongoDB that is set before anything starts: all of it would only wait for that.

    Raises:
        Unusable: it does not answer within 10 s, or not as it should.
        Stopped: the address is none.
    """
    if settings.mongo_url is None:
        return
    from pymongo.errors import ConfigurationError

    say("Asking MongoDB at MONGO_URL whether it is there.")
    try:
        client = connect(settings.mongo_url.get_secret_value())
    except (ConfigurationError, ValueError):
        why = "MONGO_URL is no address of a MongoDB: write it as mongodb://USER:PASSWORD@HOST:27017/."
        raise Stopped(why) from None
    try:
        await ready(client)
    finally:
        client.close()


async def _require_kafka(settings: Settings, say: Say) -> None:
    """Likewise the Kafka that is set.

    Raises:
        Stopped: it cannot be used; the sentence says why.
    """
    if settings.kafka_bootstrap_servers is not None:
        say("Asking Kafka at KAFKA_BOOTSTRAP_SERVERS whether it is there.")
        await reachable(Kafka.of(settings))


@asynccontextmanager
async def _alone(plan: Plan, settings: Settings, servers: list[EmbeddedServer]) -> AsyncIterator[list[int]]:
    """The data folder and the services' ports are this start's alone while the block runs.

    Yields what each service holds open: after kill -9 the next start waits until the last of them is gone.
    Where no server is embedded, the folder holds nothing that two starts could not share.

    Raises:
        FolderInUse, PortTaken, NoSpace: one sentence each.
    """
    with ExitStack() as stack:
        held = []
        if servers:
            make_folder(plan.data, max(server.space for server in servers))
            lock = await FolderLock.take(plan.data)
            stack.callback(lock.release)
            held.append(lock.descriptor)
        for service in plan.chosen:
            for port in service.ports:
                require_port(port, "set PAPERBUS_LISTEN to another address", str(settings.paperbus_listen))
        yield held


@asynccontextmanager
async def _started(servers: list[EmbeddedServer], say: Say) -> AsyncIterator[Embedded]:
    """The embedded servers, started side by side; where one fails, the other is ended."""
    if servers:
        say(f"Starting {' and '.join(server.title for server in servers)}.")
    try:
        results = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        yield Embedded(
            kafka=next((one.bootstrap for one in servers if isinstance(one, EmbeddedKafka)), None),
            mongo=next((one.url for one in servers if isinstance(one, EmbeddedMongo)), None),
        )
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


@asynccontextmanager
async def _serving(services: tuple[Kept, ...]) -> AsyncIterator[None]:
    """The services, started side by side and ready."""
    try:
        for service in services:
            service.start()
        await _all(service.ready() for service in services)
        yield
    finally:
        await asyncio.gather(*(service.stop() for service in services))


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """Wait for all; the first that fails cancels the others and is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _keep(server: EmbeddedServer, say: Say) -> None:
    while True:
        while server.running:  # noqa: ASYNC110  a process sets no event
            await asyncio.sleep(0.2)
        say(f"{server.title} ended: starting it again. Its log is {server.log}.")
        await _once_there_is_room(server, say)


async def _once_there_is_room(server: EmbeddedServer, say: Say) -> None:
    """Start it; on a full disk, as soon as that is possible. Meanwhile the services take nothing."""
    said = False
    while True:
        try:
            await server.start_again()
        except NoSpace as full:
            if not said:
                say(f"{full.what_to_do}; {server.title} then starts by itself, and everything goes on.")
                said = True
            await asyncio.sleep(LOOK_FOR_ROOM)
        else:
            return
