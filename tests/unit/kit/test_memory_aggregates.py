"""The fake keeps the promise of the store."""

from typing import Any

import pytest

from kit.aggregates import Aggregates
from kit.memory import MemoryAggregates
from tests.kit.aggregates_contract import AggregatesContract, Clock
from tests.kit.tally import Tally, kind


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryAggregates[Tally]:
    return MemoryAggregates(kind(), clock)


class TestMemoryAggregates(AggregatesContract):
    async def document(self, store: Aggregates[Tally], id_: str) -> dict[str, Any]:
        assert isinstance(store, MemoryAggregates)
        return store.documents[id_]
