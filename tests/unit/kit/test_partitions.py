"""Keys go to the partitions that every other Kafka client sends them to."""

from __future__ import annotations

from uuid import uuid4

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, strategies as some

from kit.partitions import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_one_that_kafkas_own_tests_expect(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % 2**32


@given(some.binary(max_size=80), some.integers(1, 100))
def test_every_key_goes_where_another_client_sends_it(key: bytes, count: int) -> None:
    partitions = list(range(count))
    assert partition_of(key, partitions, partitions) == DefaultPartitioner()(key, partitions, partitions)


def test_ids_are_spread_over_all_partitions() -> None:
    partitions = list(range(48))
    assert {partition_of(str(uuid4()).encode(), partitions, []) for _ in range(2000)} == set(partitions)


def test_without_a_key_it_is_one_that_can_be_reached() -> None:
    assert {partition_of(None, [0, 1, 2], [2]) for _ in range(50)} == {2}
    assert partition_of(None, [0], []) == 0
