"""Renewals by many workers at once, of a provider that rotates and forgives nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from connections import store
from connections.handlers.destinations import Using
from connections.lifecycle.things import Connection, Status
from connections.lifecycle.tokens import TokenState
from connections.renewal import Renewals, lent_credentials
from connections.tokens import digest_of, opened_token, sealed_token
from connections.vault import Vault
from kit.memory import MemoryAggregates
from kit.transitions import Decision
from providers.errors import ProviderError
from providers.login.oauth.tokens import Tokens
from schemas.connections import ConnectionNeedsAttention, ConnectionRemovalRequested
from schemas.manifest import Manifest
from schemas.oauth import TokenLife
from schemas.reasons import Reason
from tests.unit.connections.builders import ACCOUNT, ID, MANIFEST, NOW, active, after
from tests.unit.connections.fakes import MemoryProviders, SetClock

VAULT = Vault([("k", b"k" * 32)])
OAUTH = Manifest.model_validate(
    {
        **MANIFEST.wire(),
        "login": [{"redirect": "oauth"}],
        "oauth": {"token_url": "https://login.example/t", "requests_per_second": 1000},
    }
)


@dataclass
class Rotating:
    """A provider whose refresh tokens count once; used twice, the grant is over (RFC 9700 §4.14)."""

    clock: SetClock
    valid: str = "r0"
    exchanged: int = 0
    over: bool = False
    trouble: ProviderError | None = None
    lost: int = 0
    """Answers that never arrive, though the token was exchanged."""
    given_back: list[str] = field(default_factory=list)
    at_once: int = 0

    async def renew(self, manifest: Manifest, at: Mapping[str, Any], old: Tokens) -> Tokens:
        del manifest, at
        self.at_once += 1
        assert self.at_once == 1, "two renewals of one connection at once"
        await asyncio.sleep(0.002)
        self.at_once -= 1
        if self.trouble is not None:
            raise self.trouble
        if self.over or old.refresh_token != self.valid:
            self.over = True
            raise ProviderError("auth", Reason.CONSENT_EXPIRED, "Used before.")
        self.exchanged += 1
        if self.lost:
            self.lost -= 1
            raise asyncio.CancelledError
        self.valid = f"r{self.exchanged}"
        return tokens(self.exchanged, self.clock())

    async def give_back(self, manifest: Manifest, at: Mapping[str, Any], tokens: Tokens) -> bool:
        if self.trouble is not None:
            raise self.trouble
        self.given_back.append(str(tokens.refresh_token))
        return True


@dataclass
class Leases:
    """As `MongoRenewing`, on the test's clock."""

    clock: SetClock
    until: datetime = NOW - timedelta(days=1)
    fence: int = 0
    bears: bool = True
    left_out: set[str] = field(default_factory=set)
    held_by: set[tuple[str, int]] = field(default_factory=set)
    """Other connections to the account, by provider and revision."""

    async def claim(self, connection_id: str) -> int | None:
        if self.until > self.clock():
            return None
        self.until, self.fence = self.clock() + timedelta(seconds=30), self.fence + 1
        return self.fence

    async def release(self, connection_id: str, fence: int) -> None:
        if fence == self.fence:
            self.until = self.clock() - timedelta(seconds=1)

    async def holders(self, it: Connection) -> set[tuple[str, int]]:
        return self.held_by

    async def turn(self, provider_id: str, per_second: float) -> bool:
        return self.bears

    async def due(self, at: datetime, most: int, but: Collection[str] = ()) -> list[str]:
        self.left_out = set(but)
        return []


def tokens(n: int, at: datetime) -> Tokens:
    return Tokens(f"a{n}", f"r{n}", (at + timedelta(hours=1)).isoformat(), None, at.isoformat())


class Room:
    """One connection with tokens that are due, and workers to renew them."""

    def __init__(self, **spec: Any) -> None:
        self.clock = SetClock(NOW)
        self.things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, self.clock)
        self.providers = MemoryProviders()
        self.provider = Rotating(self.clock)
        self.leases = Leases(self.clock)
        self.held: Reason | None = None

    async def filled(self) -> Room:
        await self.providers.publish([(OAUTH, 3)])
        plain = active()
        token = sealed_token(VAULT, plain, tokens(0, NOW), {}, (TokenLife(), 1, 0))
        it = plain.model_copy(update={"token": token})
        await self.things.alter(ID, lambda _: Decision(it), account=ACCOUNT)
        self.clock.on(3500)
        return self

    def worker(self) -> Renewals:
        async def held(_: str, __: int) -> Reason | None:
            return self.held

        async def in_use(_: str, revision: int) -> int:
            return revision

        return Renewals(self.things, self.providers, self.leases, VAULT, self.provider, Using(held, in_use))

    async def it(self) -> Connection:
        return (await self.things.read([ID]))[ID].thing

    async def kept(self) -> Tokens:
        it = await self.it()
        assert it.token is not None
        return opened_token(VAULT, it, it.token)[0]


@pytest.fixture
async def room() -> Room:
    return await Room().filled()


async def test_many_workers_renew_once(room: Room) -> None:
    await asyncio.gather(*(room.worker().look(ID) for _ in range(50)))

    assert room.provider.exchanged == 1
    assert (await room.kept()).refresh_token == room.provider.valid == "r1"
    assert not room.provider.over


async def test_a_hundred_lends_at_once_are_lent_one_newer_token(room: Room) -> None:
    lent = await asyncio.gather(*(room.worker().fresh(ID) for _ in range(100)))

    assert room.provider.exchanged == 1
    given = {
        lent_credentials(VAULT, it, {"account": "jane"}, room.clock())["access_token"] for it in lent if it
    }
    assert given == {"a1"}
    assert all("r1" not in repr(lent_credentials(VAULT, it, {}, room.clock())) for it in lent if it)


async def test_an_outage_is_waited_out_and_an_ended_token_is_not_lent(room: Room) -> None:
    room.provider.trouble = ProviderError("transient", Reason.PROVIDER_DOWN, "Down.")
    it = await room.worker().fresh(ID)

    assert it is not None
    assert it.status is Status.ACTIVE
    assert lent_credentials(VAULT, it, {}, room.clock())["access_token"] == "a0"
    room.clock.on(200)
    with pytest.raises(ProviderError) as refused:
        lent_credentials(VAULT, it, {}, room.clock())
    assert refused.value.later
    room.provider.trouble = None
    await room.worker().look(ID)
    assert (await room.kept()).access_token == "a1"


async def test_a_token_that_its_provider_ended_early_is_renewed_before_anybody_is_asked(room: Room) -> None:
    room.clock.at = NOW + timedelta(minutes=10)
    it = await room.worker().fresh(ID, digest_of("a0"))

    assert room.provider.exchanged == 1
    assert it is not None
    assert it.status is Status.ACTIVE
    assert lent_credentials(VAULT, it, {}, room.clock(), digest_of("a0"))["access_token"] == "a1"
    await room.worker().fresh(ID, digest_of("a0"))  # whoever says so late
    await room.worker().fresh(ID, digest_of("a1"))  # that was refused at once: it has not ended
    assert room.provider.exchanged == 1
    assert lent_credentials(VAULT, it, {}, room.clock(), digest_of("a1"))["access_token"] == "a1"


async def test_an_ended_token_that_cannot_be_renewed_now_is_waited_for(room: Room) -> None:
    room.clock.at = NOW + timedelta(minutes=10)
    room.provider.trouble = ProviderError("transient", Reason.PROVIDER_DOWN, "Down.")
    it = await room.worker().fresh(ID, digest_of("a0"))

    assert it is not None
    assert not it.login_broken
    with pytest.raises(ProviderError) as refused:
        lent_credentials(VAULT, it, {}, room.clock(), digest_of("a0"))
    assert refused.value.later


async def test_an_ended_token_of_which_no_end_was_known_is_renewed_too(room: Room) -> None:
    endless = Tokens("a0", "r0", None, None, NOW.isoformat())
    token = sealed_token(VAULT, active(), endless, {}, (TokenLife(), 1, 0))
    await room.things.alter(ID, lambda it: it and Decision(it.model_copy(update={"token": token})))
    await room.worker().look(ID)
    assert room.provider.exchanged == 0

    it = await room.worker().fresh(ID, digest_of("a0"))

    assert it is not None
    assert lent_credentials(VAULT, it, {}, room.clock())["access_token"] == "a1"


async def test_an_ended_token_without_a_newer_one_asks_the_customer(room: Room) -> None:
    room.clock.at, room.provider.over = NOW + timedelta(minutes=10), True
    it = await room.worker().fresh(ID, digest_of("a0"))

    assert it is not None
    assert it.login_broken


async def test_a_refused_refresh_token_asks_the_customer_at_once_and_once(room: Room) -> None:
    room.provider.over = True
    for _ in range(3):
        await room.worker().look(ID)

    told = [owed for owed in room.things.publish() if ConnectionNeedsAttention.TYPE in repr(owed.document())]
    assert len(told) == 1
    it = await room.it()
    assert it.token is not None
    assert it.token.state is TokenState.DEAD


@pytest.mark.parametrize("reason", [Reason.CANCELLED, Reason.SESSION_EXPIRED, Reason.CREDENTIALS_WRONG])
async def test_whatever_a_provider_calls_the_end_of_a_grant_the_customer_is_asked(
    room: Room, reason: Reason
) -> None:
    room.provider.trouble = ProviderError("auth", reason, "Over.")
    await room.worker().look(ID)

    it = await room.it()
    assert it.login_broken
    assert it.trouble is not None
    assert it.trouble.action == "reauthenticate"


async def test_a_worker_that_dies_before_the_provider_was_asked_costs_nothing(room: Room) -> None:
    fence = await room.leases.claim(ID)
    assert fence == 1  # and there it died
    await room.worker().look(ID)
    assert room.provider.exchanged == 0
    room.clock.on(32)

    await room.worker().look(ID)

    assert room.provider.exchanged == 1
    assert (await room.it()).status is Status.ACTIVE


async def test_a_worker_that_dies_with_the_answer_is_followed_by_one_try_with_the_old_token(
    room: Room,
) -> None:
    room.provider.lost = 1
    with pytest.raises(asyncio.CancelledError):
        await room.worker().look(ID)
    crashed = await room.it()
    assert crashed.token is not None
    assert crashed.token.state is TokenState.RENEWING
    room.clock.on(32)

    await room.worker().look(ID)

    it = await room.it()
    assert it.token is not None
    # This provider had not yet taken the old one, so that nobody is asked.
    assert it.token.state is TokenState.FRESH
    assert (await room.kept()).refresh_token == room.provider.valid


async def test_what_is_held_back_is_not_sent_anywhere(room: Room) -> None:
    room.held = Reason.PROVIDER_CHANGED
    await room.worker().look(ID)

    assert room.provider.exchanged == 0
    assert (await room.it()).renew_at == room.clock() + timedelta(minutes=5)


async def test_a_provider_that_bears_no_more_is_asked_later_and_keeps_nobody_else_waiting(room: Room) -> None:
    room.leases.bears = False
    worker = room.worker()
    await worker.look(ID)
    assert room.provider.exchanged == 0
    await worker.due(room.clock(), 10)
    assert room.leases.left_out == {"webdav"}
    assert (await room.it()).renew_at is not None
    room.leases.bears = True
    worker.full.clear()

    await worker.look(ID)

    assert room.provider.exchanged == 1


async def test_the_grant_of_a_removed_connection_is_given_back_once_its_loans_are_over(room: Room) -> None:
    removed = ConnectionRemovalRequested(connection_id=ID)
    await room.things.alter(ID, lambda it: Decision(after(it, removed, at=room.clock())))
    await room.worker().look(ID)
    assert room.provider.given_back == []
    room.clock.on(361)
    room.provider.trouble = ProviderError("transient", Reason.PROVIDER_DOWN, "Down.")
    await room.worker().look(ID)
    room.provider.trouble = None
    room.clock.on(60)
    for _ in range(3):
        await room.worker().look(ID)

    assert room.provider.given_back == ["r0"]
    assert (await room.it()).old_grants == ()
    assert (await room.it()).renew_at is None


async def test_a_grant_that_another_connection_lives_by_is_left_to_it(room: Room) -> None:
    room.leases.held_by = {(OAUTH.id, 3)}
    removed = ConnectionRemovalRequested(connection_id=ID)
    await room.things.alter(ID, lambda it: Decision(after(it, removed, at=room.clock())))
    room.clock.on(361)
    await room.worker().look(ID)

    assert room.provider.given_back == []
    assert (await room.it()).old_grants == ()


async def test_a_new_login_does_not_end_its_own_grant_by_giving_the_old_one_back(room: Room) -> None:
    now = await room.it()
    assert now.token is not None
    removed = after(now, ConnectionRemovalRequested(connection_id=ID), at=room.clock())
    again = now.model_copy(update={"old_grants": removed.old_grants})
    await room.things.alter(ID, lambda _: Decision(again))
    room.clock.on(361)
    await room.worker().look(ID)

    assert room.provider.given_back == []
    assert (await room.it()).old_grants == ()
    assert (await room.it()).token is not None


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_in_between_no_refresh_token_is_used_twice(room: Room, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(30):
        room.provider.trouble = (
            ProviderError("transient", Reason.PROVIDER_DOWN, "Down.") if chance.random() < 0.3 else None
        )
        await asyncio.gather(*(room.worker().look(ID) for _ in range(chance.randint(1, 5))))
        room.clock.on(chance.choice([1, 31, 600, 3600]))

    assert not room.provider.over
    assert (await room.kept()).refresh_token == room.provider.valid
