"""What is our own store or broker in trouble, and what is a bug. It handles neither."""

from __future__ import annotations

from aiokafka.errors import KafkaError
from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError, WriteError

ITEMS = (WriteError, BulkWriteError, DocumentTooLarge, InvalidDocument)
"""What Mongo says about one item. Everything else that it says is about itself."""


def is_trouble(error: Exception) -> bool:
    """Whether waiting may mend it: store, broker or network. Else it belongs to one item, and is a bug."""
    if isinstance(error, BulkWriteError) and error.details["writeConcernErrors"]:
        return True  # what was written may be lost again
    return isinstance(error, PyMongoError | KafkaError | OSError) and not isinstance(error, ITEMS)


def wait_for(tries: int, most: float = 5.0) -> float:
    """Seconds before the next try: 0.1, 0.2, 0.4 … up to `most`."""
    return float(min(0.1 * 2 ** min(tries, 16), most))
