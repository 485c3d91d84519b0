"""What may be read over HTTP: page by page, and only by those whose it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from kit.http import make_app
from kit.memory import MemoryAggregates
from kit.tokens import Verifier, new_signing_key, public_keys, sign
from kit.transitions import Decision
from schemas.reasons import RunStatus
from schemas.syncs import Counts, DueReason
from sync_runner.api import Reading, routes
from sync_runner.handlers.lists import Entry, Place, Wanted
from sync_runner.lifecycle.sync import EVERYTHING, Past, Run, Standing, State, Sync
from sync_runner.store.shapes import SYNC

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = new_signing_key("platform")
CONNECTION = str(uuid4())


class NoLists:
    """An empty ledger."""

    async def rows(self, wanted: Wanted, place: Place | None, most: int) -> tuple[list[Entry], Place | None]:
        return [], None


def past(n: int) -> Past:
    at = NOW - timedelta(hours=n)
    return Past(f"past-{n}", at, DueReason.SCHEDULE, RunStatus.DONE, at, at, Counts())


def headers(account: str) -> dict[str, str]:
    at = int(NOW.timestamp())
    claims = {"iss": "platform", "sub": "jane", "aud": "paperbus", "iat": at, "exp": at + 60, "jti": "1"}
    return {"Authorization": f"Bearer {sign(KEY, claims | {'account': account, 'role': 'member'})}"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    syncs: MemoryAggregates[Sync] = MemoryAggregates(SYNC, lambda: NOW)
    sync = Sync(
        id=CONNECTION,
        account="acme",
        standing=Standing.ACTIVE,
        state=State.RUNNING,
        run=Run("running", NOW, DueReason.SCHEDULE, EVERYTHING, started_at=NOW),
        next=Run("next", NOW, DueReason.MANUAL, EVERYTHING),
        last=past(1),
        past=tuple(past(n).shown() for n in range(2, 5)),
    )
    await syncs.alter(CONNECTION, lambda _: Decision(sync, ()), account="acme")
    keys = public_keys(json.dumps({"keys": [KEY.as_dict(private=False)]}), "K")
    app = make_app("sync-runner", Verifier(keys, None, NOW.timestamp))
    app.include_router(routes(Reading(syncs, NoLists(), lambda: NOW)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sync-runner") as client:
        yield client


async def runs(client: httpx.AsyncClient, account: str = "acme", **query: Any) -> httpx.Response:
    return await client.get(f"/v1/connections/{CONNECTION}/runs", params=query, headers=headers(account))


async def test_runs_come_newest_first_and_page_by_page(client: httpx.AsyncClient) -> None:
    pages, query = [], {"limit": 4}
    while True:
        page = (await runs(client, **query)).json()
        pages.append([run["id"] for run in page["items"]])
        if page["next"] is None:
            break
        query = {"limit": 4, "cursor": page["next"]}

    assert pages == [["next", "running", "past-1", "past-2"], ["past-3", "past-4"]]


async def test_another_accounts_runs_are_not_there_and_a_made_up_cursor_is_no_place(
    client: httpx.AsyncClient,
) -> None:
    assert (await runs(client, account="other")).status_code == 404
    assert (await runs(client, cursor="x")).status_code == 400
