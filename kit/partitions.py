"""Which partition a Kafka key belongs to: the same for every client. It knows no topic and no broker."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

SEED = 0x9747B28C
FACTOR = 0x5BD1E995
BITS = 0xFFFFFFFF


def partition_of(key: bytes | None, partitions: Sequence[int], available: Sequence[int]) -> int:
    """As Java's default: `murmur2` of the key; without a key any of those that can be reached.

    aiokafka's own gives the same and takes three times as long.
    """
    if key is None:
        return random.choice(available or partitions)  # noqa: S311 - to spread, not to hide
    return partitions[(murmur2(key) & 0x7FFFFFFF) % len(partitions)]


def murmur2(key: bytes) -> int:
    """`org.apache.kafka.common.utils.Utils.murmur2`, as an unsigned number of 32 bits."""
    words, rest = divmod(len(key), 4)
    hashed = SEED ^ len(key)
    for word in struct.unpack_from(f"<{words}I", key):
        mixed = word * FACTOR & BITS
        hashed = (hashed * FACTOR ^ (mixed ^ mixed >> 24) * FACTOR) & BITS
    if rest:
        hashed = (hashed ^ int.from_bytes(key[-rest:], "little")) * FACTOR & BITS
    hashed = (hashed ^ hashed >> 13) * FACTOR & BITS
    return hashed ^ hashed >> 15
