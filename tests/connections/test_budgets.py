"""Failed logins are counted before the try, and tries wait their turn: one suite in memory and in MongoDB."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connections.budgets import Budget, Refusal, budgets
from connections.budgets_store import MongoGate
from connections.handlers.counting import Counting
from connections.handlers.ports import Gate
from connections.vault import Vault
from kit import mongo as kit_mongo
from providers.login import outcomes
from providers.login.machine import begin
from schemas.connections import Trouble
from schemas.reasons import Reason
from tests.unit.connections.builders import MANIFEST, after, answered, connecting
from tests.unit.connections.fakes import MemoryGate

NAME = Budget("jane at a host", most=3, block_minutes=15, heals=True)
ASKER = Budget("acme", most=5, block_minutes=15, heals=False)


@pytest.fixture
async def gates(where: tuple[str, str] | None) -> AsyncIterator[Sequence[Gate]]:
    """The same budgets, as three replicas see them."""
    if where is None:
        yield [MemoryGate(lambda: datetime.now(UTC))] * 3
        return
    url, name = where
    clients = [kit_mongo.connect(url) for _ in range(3)]
    yield [MongoGate(client[name].budgets) for client in clients]
    for client in clients:
        client.close()


def answer_id() -> str:
    return str(uuid4())


async def failing(gate: Gate, *counted: Budget) -> Refusal | None:
    id_ = answer_id()
    refused = await gate.spend(counted, id_)
    if refused is None:
        await gate.settle(counted, id_, "failed")
    return refused


async def test_a_name_that_failed_as_often_as_it_may_is_not_tried_again(gates: Sequence[Gate]) -> None:
    gate = gates[0]
    assert [await failing(gate, NAME) for _ in range(3)] == [None] * 3
    refused = await failing(gates[1], NAME)

    assert refused is not None
    assert refused.blocked
    left = refused.until - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


async def test_a_login_that_went_through_makes_a_name_whole_and_never_an_asker(gates: Sequence[Gate]) -> None:
    gate, id_ = gates[0], answer_id()
    for _ in range(2):
        await failing(gate, NAME, ASKER)
    assert await gate.spend((NAME, ASKER), id_) is None
    await gate.settle((NAME, ASKER), id_, "passed")

    assert [await failing(gate, NAME, ASKER) for _ in range(3)] == [None] * 3
    assert await failing(gate, Budget("another name", 3, 15, heals=True), ASKER) is not None


async def test_a_try_whose_end_is_not_known_holds_its_place_and_gives_it_back(gates: Sequence[Gate]) -> None:
    gate, ids = gates[0], [answer_id() for _ in range(3)]
    for id_ in ids:
        assert await gate.spend((NAME,), id_) is None
    refused = await gate.spend((NAME,), answer_id())
    assert refused is not None
    assert not refused.blocked
    await gate.settle((NAME,), ids[0], "nothing")
    assert await gate.spend((NAME,), answer_id()) is None


async def test_what_one_budget_refuses_costs_the_others_nothing(gates: Sequence[Gate]) -> None:
    gate, full = gates[0], Budget("full", 1, 15, heals=True)
    assert await failing(gate, full) is None
    for _ in range(5):
        assert await gate.spend((NAME, full), answer_id()) is not None
    assert await gate.spend((NAME,), answer_id()) is None


@pytest.mark.timeout(120)
async def test_of_a_thousand_guesses_at_once_over_three_replicas_the_provider_sees_three(
    gates: Sequence[Gate],
) -> None:
    """Each guess is of a customer of its own; only the account's name at the provider is the same."""
    seen: list[str] = []

    async def provider(*_: Any) -> outcomes.Outcome:
        seen.append("guess")
        await asyncio.sleep(0.05)
        return outcomes.Asked(
            {"step": 0, "values": {}, "here": {}},
            begin(MANIFEST, {}, "en").challenge,
            Trouble(reason=Reason.CREDENTIALS_WRONG, message="No."),
        )

    vault = Vault([("test", bytes(32))])
    counting = [Counting(gate, vault, provider) for gate in gates]
    state = begin(MANIFEST, {}, "en").state

    async def guess(number: int) -> str:
        it = connecting().model_copy(update={"account": f"asker-{number}"})
        it = after(it, answered(it))
        fields = {"url": "https://dav.example/", "username": "Jane ", "password": f"guess {number}"}
        came = await counting[number % 3].step(it, MANIFEST, state, outcomes.Answer(fields))
        return "blocked" if isinstance(came, Refusal) else "tried"

    became = Counter(await asyncio.gather(*(guess(number) for number in range(1000))))
    assert (len(seen), became) == (3, {"tried": 3, "blocked": 997})


async def test_the_same_name_is_one_however_it_and_its_address_are_written() -> None:
    def key(account: str, **values: str) -> str:
        return budgets(MANIFEST, account, {"url": "https://dav.example/a", "username": "jane", **values})[
            0
        ].key

    assert key("acme") == key("other", username=" JANE", url="https://DAV.example/another/path")
    assert key("acme") != key("acme", username="june")
    assert key("acme") != key("acme", url="https://else.example/a")


async def test_above_the_rate_tries_wait_and_accounts_take_turns(gates: Sequence[Gate]) -> None:
    """One account comes with many answers, another with one: the other waits for one turn, not for many."""
    first = answer_id()
    assert await gates[0].turn("slow", "acme", first, 60) is None
    many = [answer_id() for _ in range(5)]
    waits = [await gates[number % 3].turn("slow", "acme", id_, 60) for number, id_ in enumerate(many)]
    other = await gates[1].turn("slow", "other", answer_id(), 60)

    now = datetime.now(UTC)
    assert all(wait is not None and wait > now for wait in waits)
    assert other is not None
    assert other - now < timedelta(seconds=2.5)
    await asyncio.sleep(max(0.0, (waits[0] - now).total_seconds()) + 0.1)  # type: ignore[operator]  # not None
    assert await gates[2].turn("slow", "acme", many[0], 60) is None
