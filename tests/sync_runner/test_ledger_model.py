"""The ledger against a model of ten lines: in whatever order things happen, exports move what they should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from syncing import World, a_document, due_now, heard, saved, withdrawn

from schemas.connections import ConnectionChanged
from schemas.filters import Filters
from schemas.reasons import RowStatus
from sync_runner.handlers.runs import Result

pytestmark = pytest.mark.servers

DOCUMENTS = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["invoice", "letter"])
WANTS = st.sampled_from([(), ("invoice",), ("letter",)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), DOCUMENTS, TYPES),
        st.tuples(st.just("describe"), DOCUMENTS, TYPES),
        st.tuples(st.just("withdraw"), DOCUMENTS),
        st.tuples(st.just("change"), WANTS),
        st.tuples(st.just("again")),
        st.tuples(st.just("export")),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class Model:
    """What there is, what is wanted, what was moved."""

    documents: dict[str, tuple[int, str, bool]] = field(default_factory=dict)
    wants: tuple[str, ...] = ()
    moved: set[tuple[str, int]] = field(default_factory=set)

    def export(self) -> set[tuple[str, int]]:
        """What an export moves now."""
        wanted = {
            (name, version)
            for name, (version, kind, gone) in self.documents.items()
            if not gone and (not self.wants or kind in self.wants)
        }
        new = wanted - self.moved
        self.moved |= new
        return new


class Real:
    """The same, by the service's own parts, in an account of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.account = uuid4().hex
        self.connection = str(uuid4())
        self.revision = 1
        self.heard: list[Any] = []

    async def connect(self) -> None:
        await self.world.facts([heard(saved(self.connection), self.account)])
        await self.world.fills.once()

    async def hear(self, data: Any) -> None:
        self.heard.append(heard(data, self.account))
        await self.world.ingest(self.heard[-1:])

    async def hear_again(self) -> None:
        await self.world.ingest(self.heard)

    async def change(self, wants: tuple[str, ...]) -> None:
        self.revision += 1
        filters = Filters(document_types=wants)
        changed = saved(self.connection, ConnectionChanged, filters=filters, revision=self.revision)
        await self.world.facts([heard(changed, self.account)])
        await self.world.fills.once()

    async def export(self) -> set[tuple[str, int]]:
        runs, moved = self.world.runs, set()
        await self.world.dues([heard(due_now(self.connection), self.account)])
        if (claim := await runs.claim("w")) is None:
            return set()
        while rows := await runs.intend(claim, await runs.take_rows(claim, 2)):
            moved |= {(row.document_id, row.version) for row in rows}
            await runs.record(claim, [Result(row.id, RowStatus.DONE) for row in rows])
        assert await runs.finish(claim)
        return moved


@pytest.fixture
async def world(mongo: str, fresh_database: str) -> AsyncIterator[World]:
    world = await World(mongo, fresh_database).begin()
    yield world
    world.client.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_each_export_moves_what_it_should_and_nothing_twice(
    world: World, steps: list[tuple[Any, ...]]
) -> None:
    model, real = Model(), Real(world)
    await real.connect()
    for step in [*steps, ("export",)]:
        match step:
            case ("receive", name, kind):
                version = model.documents.get(name, (0, "", False))[0] + 1
                model.documents[name] = (version, kind, False)
                await real.hear(a_document(name, version, metadata={"document_type": kind}))
            case ("describe", name, kind) if name in model.documents and not model.documents[name][2]:
                version = model.documents[name][0]
                model.documents[name] = (version, kind, False)
                await real.hear(a_document(name, version, metadata={"document_type": kind}))
            case ("withdraw", name) if name in model.documents:
                model.documents[name] = (*model.documents[name][:2], True)
                await real.hear(withdrawn(name))
            case ("change", wants):
                model.wants = wants
                await real.change(wants)
            case ("again",):
                await real.hear_again()
            case ("export",):
                assert await real.export() == model.export()
