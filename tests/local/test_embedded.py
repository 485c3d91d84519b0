"""What can happen to the embedded servers: killed, refused, cut off. Real ones, on loopback."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import MongoClient
from servers import Topics

from paperbus.local import EmbeddedKafka, EmbeddedMongo, LocalServerError, jars
from paperbus.local.errors import FolderInUse, LibraryMissing, NoSpace, NotFetched, PortTaken
from paperbus.local.folder import LOOPBACK, FolderLock, free_port
from paperbus.local.libraries import install_command, require_libraries

pytestmark = pytest.mark.servers


async def test_what_mongodb_acknowledged_survives_kill_9(fresh_mongo: EmbeddedMongo) -> None:
    with MongoClient(fresh_mongo.url, w="majority", journal=True) as client:
        client.kept.things.insert_one({"_id": "before"})
    fresh_mongo.kill()
    await fresh_mongo.start_again()

    with MongoClient(fresh_mongo.url) as client:
        assert client.kept.things.find_one() == {"_id": "before"}


async def test_mongodb_listens_on_loopback_and_never_speaks_zlib(fresh_mongo: EmbeddedMongo) -> None:
    with MongoClient(fresh_mongo.url) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]

    listens = [c.laddr.ip for c in psutil.Process(fresh_mongo.pid).net_connections() if c.status == "LISTEN"]
    assert options["compression"]["compressors"] == "snappy,zstd"
    assert set(listens) == {LOOPBACK}


async def test_mongodb_comes_back_on_another_port(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path, port=None) as mongo:
        with MongoClient(mongo.url, w="majority") as client:
            client.kept.things.insert_one({"_id": 1})
    async with EmbeddedMongo(tmp_path, port=None) as moved:
        assert moved.port != mongo.port
        with MongoClient(moved.url, w="majority") as client:
            client.kept.things.insert_one({"_id": 2})
            assert client.kept.things.count_documents({}) == 2


async def test_what_kafka_acknowledged_survives_kill_9(fresh_kafka: EmbeddedKafka) -> None:
    topic = await Topics(fresh_kafka.bootstrap).fresh()
    producer = AIOKafkaProducer(bootstrap_servers=fresh_kafka.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, b"before")
    await producer.stop()
    fresh_kafka.kill()
    await fresh_kafka.start_again()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=fresh_kafka.bootstrap, group_id="g", auto_offset_reset="earliest"
    )
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 60)
    await consumer.stop()

    assert record.value == b"before"


async def test_kafka_listens_on_loopback_and_makes_no_topic_by_itself(fresh_kafka: EmbeddedKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=fresh_kafka.bootstrap, request_timeout_ms=2000)
    await producer.start()
    with pytest.raises(Exception, match="UnknownTopic"):
        await producer.send_and_wait("never-made", b"x")
    await producer.stop()

    listens = psutil.Process(fresh_kafka.pid).net_connections()
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listens if c.status == "LISTEN"} == {LOOPBACK}


@pytest.mark.parametrize("kind", [EmbeddedMongo, EmbeddedKafka])
async def test_a_taken_port_is_one_sentence_that_names_who_has_it(
    kind: type[EmbeddedMongo | EmbeddedKafka], tmp_path: Path
) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await kind(tmp_path, port).start()

    assert f"Port {port} on 127.0.0.1 is taken by" in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)


async def test_a_second_start_on_the_same_folder_is_one_sentence(fresh_mongo: EmbeddedMongo) -> None:
    second = EmbeddedMongo(fresh_mongo.folder.parent, port=None)
    with pytest.raises(FolderInUse, match=rf"in use by process {os.getpid()}: stop it first"):
        await second.start()

    assert fresh_mongo.running


async def test_a_lock_left_by_a_killed_process_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4194304")  # no such process

    (await FolderLock.take(tmp_path)).release()


class GreedyMongo(EmbeddedMongo):
    space = 10**18


async def test_a_full_disk_is_one_sentence_and_starts_nothing(tmp_path: Path) -> None:
    server = GreedyMongo(tmp_path, port=None)
    with pytest.raises(NoSpace, match="not enough disk space"):
        await server.start()

    assert not server.running


@pytest.fixture
def dead_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a registry where nothing listens. The cache."""
    (tmp_path / "home" / ".config").mkdir(parents=True)
    settings = tmp_path / "home" / ".config" / "jgo.conf"
    settings.write_text(f"[repositories]\nnowhere = http://{LOOPBACK}:{free_port()}/\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "paperbus" / "jars"


async def test_no_network_at_the_first_start_is_one_sentence_and_leaves_nothing_half_made(
    dead_registry: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFetched, match="check the network"):
        await EmbeddedKafka(tmp_path / "data", port=None).start()

    assert [file.name for file in dead_registry.iterdir()] == [".lock"]
    assert not (tmp_path / "data" / "kafka" / "topics").exists()


def test_a_damaged_jar_is_noticed_and_not_used(dead_registry: Path) -> None:
    jar = min(jars.pinned(), key=lambda jar: jar.size)
    dead_registry.mkdir(parents=True)
    (dead_registry / jar.name).write_bytes(b"half of it")

    assert jar in jars.missing()
    with pytest.raises(NotFetched):
        jars.class_path()


def test_a_missing_library_is_named_with_what_installs_it(tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4: cannot open' >&2\nexit 127\n"
    )
    program.chmod(0o700)

    with pytest.raises(LibraryMissing, match=r"MongoDB needs libcurl.so.4.*install libcurl"):
        require_libraries("MongoDB", program)


def test_every_missing_library_is_in_one_command() -> None:
    missing = ["libcurl.so.4", "libssl.so.3", "libcrypto.so.3", "libgssapi_krb5.so.2"]

    assert install_command(missing, "apt-get") == "apt-get install libcurl4 libssl3 libgssapi-krb5-2"
    assert install_command(missing, "dnf") == "dnf install libcurl openssl-libs krb5-libs"


async def test_formatting_that_was_cut_off_is_done_anew(tmp_path: Path) -> None:
    (tmp_path / "kafka" / ".formatting-cut-off" / "topics").mkdir(parents=True)
    async with EmbeddedKafka(tmp_path, port=None) as kafka:
        assert kafka.running
    assert not list((tmp_path / "kafka").glob(".formatting-*"))

    shutil.rmtree(tmp_path / "kafka" / "topics")
    (tmp_path / "kafka" / "topics").mkdir()
    with pytest.raises(LocalServerError, match="its log is"):
        await EmbeddedKafka(tmp_path, port=None).start()
