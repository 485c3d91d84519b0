"""A run borrows from what connections really serves, and is told apart each refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from joserfc.jwk import KeySet

from connections.handlers.destinations import Using
from connections.lending import Lender as Bank, routes
from connections.lifecycle.things import Connection, Status
from connections.tokens import digest_of, sealed_token
from kit.http import make_app
from kit.tokens import ServiceTokens, new_signing_key
from paperbus.local.folder import free_port
from providers.egress import Guard
from providers.login.oauth.tokens import Tokens
from providers.reach import Reach
from schemas.oauth import TokenLife
from schemas.reasons import Reason
from sync_runner.borrowing import Lender, Loan, NotLent
from tests.unit.vault.test_lending import (
    ACCOUNT,
    CANARY,
    CONNECTION,
    OURS,
    RUNNER,
    VAULT,
    connection,
    trouble,
)


class Lending:
    """Connections' inner path over one connection."""

    kept: Connection | None = None
    broken = False
    behind = timedelta(0)
    """How far connections' clock is behind ours."""

    def __init__(self) -> None:
        self.ended: list[str | None] = []
        """Tokens that are said to have ended."""

    async def read(self, connection_id: str) -> Connection | None:
        return self.kept if connection_id == CONNECTION else None

    async def write(self, lent: Any) -> None:
        if self.broken:
            raise ConnectionError("the store is down")

    async def held(self, provider_id: str, revision: int) -> Reason | None:
        return None

    async def in_use(self, provider_id: str, revision: int) -> int:
        return revision

    async def fresh(self, connection_id: str, refused: str | None = None) -> Connection | None:
        self.ended.append(refused)
        return self.kept


def now() -> datetime:
    return datetime.now(UTC)


def tokens(own: Any) -> ServiceTokens:
    keys = KeySet([key.import_key(key.as_dict(private=False)) for key in (RUNNER, OURS)])
    return ServiceTokens(own, keys, lambda: now().timestamp())


@asynccontextmanager
async def served(lending: Lending) -> AsyncIterator[str]:
    app = make_app("connections")
    using = Using(lending.held, lending.in_use)
    bank = Bank(lending.read, VAULT, lending, lambda: now() - lending.behind, using, lending.fresh)
    app.include_router(routes(bank, tokens(OURS)))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        await task


async def borrow(
    lending: Lending,
    account: str = ACCOUNT,
    signer: Any = RUNNER,
    url: str = "",
    refused: str | None = None,
) -> Loan:
    async with served(lending) as at, Reach(Guard(["127.0.0.0/8"])) as reach:
        lender = Lender(reach, url or at, tokens(signer))
        return await lender.for_run(account, CONNECTION, "run-1", 3)(refused)


async def test_what_was_lent_is_opened_by_the_run_alone_and_shows_no_secret() -> None:
    lending = Lending()
    lending.kept = connection()

    loan = await borrow(lending)

    assert loan.credentials == {"password": CANARY}
    assert (loan.run_id, loan.fence, loan.credentials_revision) == ("run-1", 3, 4)
    assert loan.fresh(now())
    assert not loan.fresh(now() + timedelta(minutes=5))
    assert CANARY not in repr(loan)


async def test_a_token_that_ended_early_is_told_by_its_digest() -> None:
    lending, given = Lending(), Tokens("t0k3n", since=now().isoformat())
    token = sealed_token(VAULT, connection(), given, {}, (TokenLife(), 4, 0))
    lending.kept = connection(token=token)

    loan = await borrow(lending, refused="t0k3n")

    assert loan.credentials["access_token"] == "t0k3n"
    assert lending.ended == [digest_of("t0k3n")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"paused": True}, Reason.PAUSED),
        ({"status": Status.REMOVED}, Reason.REMOVED),
        (trouble(Reason.CREDENTIALS_WRONG), Reason.CREDENTIALS_WRONG),
    ],
)
async def test_a_connection_that_may_not_run_stops_the_run(changed: dict[str, Any], reason: Reason) -> None:
    lending = Lending()
    lending.kept = connection(**changed)

    with pytest.raises(NotLent) as refused:
        await borrow(lending)

    assert (refused.value.reason, refused.value.later) == (reason, False)


async def test_another_accounts_connection_is_unknown() -> None:
    lending = Lending()
    lending.kept = connection()

    with pytest.raises(NotLent) as refused:
        await borrow(lending, account="somebody-else")

    assert (refused.value.reason, refused.value.later) == (Reason.UNKNOWN_CONNECTION, False)


async def test_an_audit_trail_that_cannot_be_written_is_waited_for() -> None:
    lending = Lending()
    lending.kept, lending.broken = connection(), True

    with pytest.raises(NotLent) as refused:
        await borrow(lending)

    assert (refused.value.later, refused.value.wait) == (True, 5.0)


async def test_a_loan_that_has_run_out_on_arrival_is_waited_for() -> None:
    lending = Lending()
    lending.kept, lending.behind = connection(), timedelta(minutes=4, seconds=30)

    with pytest.raises(NotLent) as refused:
        await borrow(lending)

    assert (refused.value.reason, refused.value.later) == (Reason.INTERRUPTED, True)


async def test_a_key_that_nobody_knows_borrows_nothing() -> None:
    lending = Lending()
    lending.kept = connection()

    with pytest.raises(NotLent) as refused:
        await borrow(lending, signer=new_signing_key("sync-runner"))

    assert refused.value.reason is Reason.BUG


async def test_connections_that_are_away_are_waited_for() -> None:
    with pytest.raises(NotLent) as refused:
        await borrow(Lending(), url=f"http://127.0.0.1:{free_port()}")

    assert refused.value.later
