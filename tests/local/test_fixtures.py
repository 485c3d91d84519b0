"""The servers that every other test stands on."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import MongoClient
from servers import Topics


async def test_kafka_carries_a_record(kafka: str, topics: Topics) -> None:
    topic = await topics.fresh("spoken", partitions=2)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, b"hello", key=b"k")
    await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=topic)
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()

    assert (record.key, record.value) == (b"k", b"hello")


def test_mongodb_is_a_replica_set_that_confirms_by_majority(mongo: str, fresh_database: str) -> None:
    with MongoClient(mongo, w="majority", journal=True, readConcernLevel="majority") as client:
        client[fresh_database].things.insert_one({"_id": 1})

        assert client[fresh_database].things.find_one() == {"_id": 1}
        assert client.admin.command("hello")["setName"]


async def test_all_topics_are_empty_each_time(all_topics: Topics, kafka: str) -> None:
    async with all_topics._admin() as admin:
        names = set(await admin.list_topics())

    assert {"syncs.requests", "syncs.requests.dead", "catalog.events"} <= names
