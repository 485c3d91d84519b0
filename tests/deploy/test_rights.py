"""Kafka by SASL_SSL, MongoDB by TLS, with the documented rights: each does its work and nothing else."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from outside_steps import arrived, connect
from outsider import Outsider
from running import Running
from secured import Authority, SecuredKafka, SecuredMongo
from starting import command
from targets import rclone_webdav

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]

WRITES = {
    "catalog": {"catalog.events", "catalog.requests.dead"},
    "connections": {"connections.events", "connections.answers.dead"},
    "sync-runner": {"syncs.events", "syncs.requests", "documents.events.dead"},
    "console": {"connections.requests", "syncs.requests", "catalog.requests"},
    "platform": {"connections.requests", "connections.answers", "documents.events", "syncs.requests"},
    "scheduler": {"syncs.requests"},
}
REFUSED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)
ALL = sorted({topic for topics in WRITES.values() for topic in topics})


@pytest.mark.faults  # it is long
def test_a_whole_export_passes_over_tls_with_a_user_for_each_service(
    kafka: SecuredKafka, mongo: SecuredMongo, tmp_path: Path
) -> None:
    services = Running(tmp_path, "127.0.0.43", kafka.bootstrap, mongo.url)
    keys = services.environment["PAPERBUS_SERVICE_KEYS"]
    platform = {name: value for name, value in kafka.client("platform").items() if "bootstrap" not in name}
    places = (services.url("connections"), services.url("sync-runner"))
    one = Outsider(kafka.bootstrap, services.platform_key, *places, keys, **platform)
    try:
        for name in ("catalog", "connections", "sync-runner"):
            services.environment |= kafka.settings_of(name)
            services.start(name)
        for name in ("catalog", "connections", "sync-runner"):
            services.ready(name)
        with rclone_webdav(tmp_path / "target") as target, one.listening(), one.serving() as origin:
            connection, _ = connect(one, target)
            document = one.document(b"%PDF over TLS", "a.pdf", origin)
            one.due(connection)
            told = one.exported(connection, [document])
            assert {row["status"] for row in told.values()} == {"done"}
            assert arrived(target) == {"Invoices/2026/a.pdf": b"%PDF over TLS"}
    finally:
        services.stop()
    assert "TopicAuthorizationFailed" not in services.logs()
    assert "AuthorizationFailed" not in services.logs()


def test_each_service_writes_where_it_may_and_nowhere_else(kafka: SecuredKafka) -> None:
    allowed = {user: {topic for topic in ALL if _may_write(kafka, user, topic)} for user in WRITES}

    assert {user: topics & set(WRITES[user]) for user, topics in allowed.items()} == WRITES
    others = {user: topics - WRITES[user] for user, topics in allowed.items() if topics - WRITES[user]}
    assert others == {"platform": {"catalog.requests"}}, "more than is written down above"


@pytest.mark.parametrize("user", ["catalog", "sync-runner", "console", "platform", "scheduler", "operator"])
def test_nobody_but_connections_reads_sealed_answers(kafka: SecuredKafka, user: str) -> None:
    assert _may_read(kafka, "connections", "connections.answers")
    assert not _may_read(kafka, user, "connections.answers")


def test_what_keeps_a_client_out_is_told_in_one_sentence(
    kafka: SecuredKafka, mongo: SecuredMongo, tmp_path: Path
) -> None:
    stranger = str(Authority.fresh(tmp_path / "stranger").ca)
    right = kafka.settings_of("topics")

    elsewhere = mongo.url.replace(str(mongo.authority.ca), stranger)
    mistakes = {
        "it refuses the login: check KAFKA_USERNAME and KAFKA_PASSWORD": right
        | {"KAFKA_PASSWORD": "another"},
        "its certificate does not count": right | {"KAFKA_CA_FILE": stranger},
        "set KAFKA_SECURITY=sasl_ssl": {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap},
        "KAFKA_SECURITY is missing: say sasl_ssl, or plaintext": {
            "KAFKA_BOOTSTRAP_SERVERS": "k.example:9092"
        },
        "MongoDB's certificate does not count": {"MONGO_URL": elsewhere},
    }
    calls = [
        ("admin", "connections", "list") if "MONGO_URL" in made else ("topics",) for made in mistakes.values()
    ]
    with ThreadPoolExecutor() as side_by_side:  # each of them waits for a while
        answers = list(side_by_side.map(lambda call, made: command(*call, **made), calls, mistakes.values()))

    for sentence, answer in zip(mistakes, answers, strict=True):
        assert sentence in answer.stderr
        assert (answer.returncode, len(answer.stderr.strip().splitlines())) == (1, 1)


def test_an_operator_looks_at_everything_and_others_at_nothing(kafka: SecuredKafka) -> None:
    asked = [("operator", "tail", "--once"), ("operator", "dead", "list"), ("scheduler", "tail", "--once")]

    with ThreadPoolExecutor() as side_by_side:
        ways = side_by_side.map(lambda one: command("admin", *one[1:], **kafka.settings_of(one[0])), asked)
        tailed, listed, refused = ways

    assert (tailed.returncode, listed.returncode) == (0, 0), tailed.stderr + listed.stderr
    assert refused.returncode == 1
    assert "AuthorizationFailed" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def _may_write(kafka: SecuredKafka, user: str, topic: str) -> bool:
    """Whether Kafka takes a message of this user. Topics that are compacted insist on a key."""
    answers: list[KafkaError | None] = []
    producer = Producer({**kafka.client(user), "message.timeout.ms": 20000})
    producer.produce(topic, b"{}", key=b"rights", on_delivery=lambda error, _: answers.append(error))
    producer.flush(25)
    [answer] = answers
    refused = answer is not None and answer.code() in REFUSED
    assert refused or answer is None, answer
    return not refused


def _may_read(kafka: SecuredKafka, user: str, topic: str) -> bool:
    """Whether what is in the topic reaches this user."""
    group = {"group.id": f"{user}.{uuid.uuid4()}", "auto.offset.reset": "earliest"}
    consumer = Consumer({**kafka.client(user), **group})
    consumer.subscribe([topic])
    try:
        for _ in range(60):
            message = consumer.poll(0.25)
            if message is not None and message.error() is not None:
                assert message.error().code() in REFUSED, message.error()
                return False
            if message is not None:
                return True
    finally:
        consumer.close()
    raise AssertionError(f"{user} hears nothing of {topic}, not even a refusal")
