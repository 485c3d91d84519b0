"""One real Kafka and one real MongoDB for a test session, wherever they come from.

Order: the settings KAFKA_BOOTSTRAP_SERVERS and MONGO_URL; else containers, where a Docker engine answers and
has or can pull the images; else the servers from packages.
"""

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from paperbus.local import EmbeddedKafka, EmbeddedMongo, LocalServerError
from paperbus.local.folder import LOOPBACK, free_port

S = TypeVar("S", EmbeddedKafka, EmbeddedMongo)

KAFKA_IMAGE = "apache/kafka:4.4.0"
MONGO_IMAGE = "mongo:8"


class NoServer(Exception):
    """No way to get a real server here; the text says why."""


@contextlib.contextmanager
def any_kafka() -> Iterator[str]:
    """A bootstrap address, for as long as the block runs."""
    if configured := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield configured
    elif engine_has(KAFKA_IMAGE):
        with kafka_container() as bootstrap:
            yield bootstrap
    else:
        with packaged_kafka() as kafka:
            yield kafka.bootstrap


@contextlib.contextmanager
def any_mongo() -> Iterator[str]:
    """The URL of a replica set, for as long as the block runs."""
    if configured := os.environ.get("MONGO_URL"):
        yield configured
    elif engine_has(MONGO_IMAGE):
        with mongo_container() as url:
            yield url
    else:
        with packaged_mongo() as mongo:
            yield mongo.url


@contextlib.contextmanager
def packaged_kafka() -> Iterator[EmbeddedKafka]:
    """A broker of one's own, that may be killed and started again."""
    with _running(EmbeddedKafka) as kafka:
        yield kafka


@contextlib.contextmanager
def packaged_mongo() -> Iterator[EmbeddedMongo]:
    """A mongod of one's own, that may be killed and started again."""
    with _running(EmbeddedMongo) as mongo:
        yield mongo


@contextlib.contextmanager
def _running(kind: type[S]) -> Iterator[S]:
    with tempfile.TemporaryDirectory(prefix="paperbus-test-") as folder:
        server = kind(Path(folder), port=None)
        try:
            asyncio.run(server.start())
        except LocalServerError as error:
            raise NoServer(str(error)) from error
        try:
            yield server
        finally:
            asyncio.run(server.stop())


def engine_has(image: str) -> bool:
    """Whether a Docker engine answers here and has the image, or can pull it."""
    if not _engine_listens():
        return False
    import docker
    from docker.errors import DockerException, ImageNotFound

    try:
        client = docker.from_env(timeout=60)
    except DockerException:
        return False
    with contextlib.closing(client):
        try:
            client.images.get(image)
        except ImageNotFound:
            try:
                client.images.pull(image)
            except DockerException:
                return False
        except DockerException:
            return False
    return True


def _engine_listens() -> bool:
    """Looked at first, because the client leaves a socket open when nothing listens."""
    if os.environ.get("DOCKER_HOST"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex("/var/run/docker.sock") == 0


@contextlib.contextmanager
def kafka_container() -> Iterator[str]:
    port = free_port()
    settings = {
        "NODE_ID": 1,
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": 1,
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": 1,
        "TRANSACTION_STATE_LOG_MIN_ISR": 1,
        "GROUP_INITIAL_REBALANCE_DELAY_MS": 0,
        "AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    with _container(
        KAFKA_IMAGE, 9092, port, {f"KAFKA_{name}": str(value) for name, value in settings.items()}
    ):
        asyncio.run(_until_kafka_answers(f"{LOOPBACK}:{port}"))
        yield f"{LOOPBACK}:{port}"


@contextlib.contextmanager
def mongo_container() -> Iterator[str]:
    port = free_port()
    command = f"mongod --replSet rs0 --port {port}"  # the image adds --bind_ip_all
    with _container(MONGO_IMAGE, port, port, {}, command):
        server = EmbeddedMongo(
            Path(tempfile.gettempdir()), port
        )  # for its way of making the set; never started
        asyncio.run(_until_mongo_answers(server))
        yield server.url


@contextlib.contextmanager
def _container(
    image: str, inside: int, outside: int, environment: dict[str, str], command: str | None = None
) -> Iterator[None]:
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = (
        True  # its reaper is one more image to pull; the block below ends it
    )
    container = DockerContainer(image)
    container.ports[str(inside)] = (LOOPBACK, outside)  # its with_bind_ports would open it to everybody
    for name, value in environment.items():
        container = container.with_env(name, value)
    if command:
        container = container.with_command(command)
    with container:
        yield


async def _until_kafka_answers(bootstrap: str) -> None:
    from aiokafka.errors import KafkaError

    for _ in range(600):
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await client.start()
        except KafkaError:
            await asyncio.sleep(0.1)
        else:
            return
        finally:
            await client.close()
    raise NoServer(f"Kafka in a container does not answer on {bootstrap}")


async def _until_mongo_answers(server: EmbeddedMongo) -> None:
    for _ in range(600):
        if await server._ready():
            return
        await asyncio.sleep(0.1)
    raise NoServer(f"MongoDB in a container does not answer on {server.url}")


class Topics:
    """Makes topics by name, since nothing makes them on its own."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def make(self, *names: str, partitions: int = 1, **configs: str) -> None:
        """Make topics that are not there. `configs` are Kafka's, `_` for `.`: cleanup_policy="compact"."""
        settings = {name.replace("_", "."): value for name, value in configs.items()}
        async with self._admin() as admin:
            there = set(await admin.list_topics())
            new = [
                NewTopic(name, partitions, 1, topic_configs=settings) for name in names if name not in there
            ]
            if new:
                answer = await admin.create_topics(new)
                failed = {topic: text for topic, code, text in answer.topic_errors if code}
                assert not failed, failed
        await self._until(set(names), there=True)

    async def fresh(self, prefix: str = "topic", partitions: int = 1, **configs: str) -> str:
        """Make one topic under a name nobody else has; the name."""
        name = f"{prefix}-{uuid4().hex[:8]}"
        await self.make(name, partitions=partitions, **configs)
        return name

    async def make_all(self, partitions: int = 4) -> None:
        """Make every topic of `schemas.topics` and its dead letters; with few partitions, for speed."""
        from schemas.topics import TOPICS

        lasting = [topic.name for topic in TOPICS if topic.retention]
        compacted = [topic.name for topic in TOPICS if not topic.retention]
        await self.make(*lasting, partitions=partitions)
        await self.make(*compacted, partitions=partitions, cleanup_policy="compact")
        await self.make(*(topic.dead for topic in TOPICS))

    async def empty(self) -> None:
        """Remove every topic; the groups' offsets in them go with them."""
        async with self._admin() as admin:
            names = {name for name in await admin.list_topics() if not name.startswith("__")}
            if names:
                await admin.delete_topics(list(names))
        await self._until(names, there=False)

    async def _until(self, names: set[str], *, there: bool) -> None:
        async with self._admin() as admin:
            for _ in range(200):
                known = set(await admin.list_topics())
                if names <= known if there else not names & known:
                    return
                await asyncio.sleep(0.05)
        raise AssertionError(f"topics {sorted(names)} should be {'there' if there else 'gone'} by now")

    @contextlib.asynccontextmanager
    async def _admin(self) -> Any:
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await client.start()
        try:
            yield client
        finally:
            await client.close()
