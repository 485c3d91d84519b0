"""The calls of the command that need no `up`: what they say, and what they put into Kafka."""

import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from servers import Topics
from starting import command

from paperbus import sending
from paperbus.cli import COMMANDS, paperbus
from paperbus.errors import Stopped
from paperbus.topics import differences, wanted
from schemas.envelope import CONTENT_TYPE
from schemas.syncs import ExportDue

ID = "0b6f1d0e-4d3e-4a4f-9d5d-0d6f1d0e4d3e"
DATA = {"connection_id": ID, "due_at": "2026-11-22T10:00:00Z", "reason": "manual"}
DUE = ["ExportDue", *(f"{name}={value}" for name, value in DATA.items()), "--account", "acme"]
FACTS = ["ConnectionSaved", "DocumentsExported", "ProviderPublished", "RequestRefused"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_listed_command_is_there(name: str) -> None:
    found = paperbus.get_command(None, name)

    assert found is not None
    assert found.name == name


def test_words_reach_into_groups_and_stay_text_unless_they_begin_as_json() -> None:
    words = ["a=1", "b.c=x=y", "b.d=", 'e=["1"]', "f=null", 'g={"h":2}']

    assert sending.fields(words) == {
        "a": "1",
        "b": {"c": "x=y", "d": ""},
        "e": ["1"],
        "f": None,
        "g": {"h": 2},
    }


@pytest.mark.parametrize("words", [["no value"], ["=x"], ["a=[1"], ["a=1", "a.b=2"]])
def test_words_that_mean_nothing_are_refused(words: list[str]) -> None:
    with pytest.raises(Stopped):
        sending.fields(words)


@pytest.mark.parametrize("name", ["ExportDue", "paperbus.ExportDue.v1"])
def test_an_event_is_found_by_either_name(name: str) -> None:
    topic, data = sending.find(name)

    assert (topic.name, data) == ("syncs.requests", ExportDue)


@pytest.mark.parametrize("name", FACTS)
def test_nobody_can_state_a_service_s_facts(name: str) -> None:
    with pytest.raises(Stopped, match="alone states"):
        sending.find(name)


def test_what_breaks_the_rules_is_told_field_by_field() -> None:
    with pytest.raises(Stopped, match=r"due_at: is missing") as refused:
        sending.event(ExportDue, {"connection_id": "no uuid", "reason": "manual"}, "acme", None)

    assert "connection_id: must be a UUID" in str(refused.value)


async def test_send_puts_one_valid_event_where_it_belongs(all_topics: Topics, kafka: str) -> None:
    sent = command("send", *DUE, KAFKA_BOOTSTRAP_SERVERS=kafka)
    assert sent.returncode == 0, sent.stderr
    consumer = AIOKafkaConsumer("syncs.requests", bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    event = json.loads(record.value)

    assert record.key == ID.encode()
    assert record.headers == (("content-type", CONTENT_TYPE.encode()),)
    assert (event["type"], event["accountid"]) == ("paperbus.ExportDue.v1", "acme")
    assert event["data"]["due_at"].startswith("2026-11-22T10:00:00")


async def test_send_takes_a_whole_event_and_keeps_its_id(all_topics: Topics, kafka: str) -> None:
    event = sending.event(ExportDue, DATA, "acme", None)
    sent = command("send", "ExportDue", "--file", "-", stdin=event.encoded(), KAFKA_BOOTSTRAP_SERVERS=kafka)

    assert event.id in sent.stdout


def test_a_kafka_that_is_away_is_one_sentence() -> None:
    sent = command("send", *DUE, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9")

    assert sent.returncode == 1
    why = "it does not answer: start it, or check the address"
    assert sent.stderr == f"Kafka on 127.0.0.1:9 did not take it ({why}): nothing was sent.\n"


async def test_topics_are_made_once_and_what_differs_is_told(topics: Topics, kafka: str) -> None:
    await topics.empty()
    await topics.make("syncs.events", partitions=3)
    first = command("topics", KAFKA_BOOTSTRAP_SERVERS=kafka)
    again = command("topics", KAFKA_BOOTSTRAP_SERVERS=kafka)
    await topics.empty()

    assert first.stdout.count("made ") == 15
    assert again.stdout == ""
    assert again.returncode == 1
    assert "syncs.events has 3 partitions instead of 48" in again.stderr
    assert "syncs.events has retention.ms=604800000 instead of 2592000000" in again.stderr


def test_three_brokers_keep_three_copies_and_confirm_by_two() -> None:
    topic = wanted(brokers=3)[0]

    assert (topic.copies, topic.settings["min.insync.replicas"]) == (3, "2")
    assert {one.copies for one in wanted(brokers=2)} == {1}
    assert not list(differences(topic, topic.partitions, 3, topic.settings))
    assert list(differences(topic, topic.partitions, 1, topic.settings))


def test_a_new_provider_passes_its_check_and_a_broken_one_is_told_by_line(tmp_path: Path) -> None:
    made = command("provider", "new", "Crédit Müßig", "--in", str(tmp_path))
    manifest = tmp_path / "credit-mussig" / "manifest.yaml"
    right = command("provider", "check", str(manifest))
    manifest.write_text(manifest.read_text().replace("concurrency: 4", "concurrency: many"))
    wrong = command("provider", "check", str(manifest))

    assert made.returncode == 0, made.stderr
    assert right.returncode == 0, right.stderr
    assert wrong.returncode == 1
    assert wrong.stdout.startswith(f"{manifest}:31:3: ")


def test_every_provider_of_the_catalogue_is_listed() -> None:
    listed = command("provider", "list")

    assert listed.returncode == 0, listed.stderr
    assert "nextcloud" in listed.stdout
