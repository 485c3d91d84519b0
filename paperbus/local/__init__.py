"""The embedded MongoDB and Kafka: real servers from packages, on loopback; not for production."""

from paperbus.local.errors import LocalServerError
from paperbus.local.kafka import EmbeddedKafka
from paperbus.local.mongo import EmbeddedMongo

__all__ = ["EmbeddedKafka", "EmbeddedMongo", "LocalServerError"]
