"""What pages show of connections: how each stands, what a choice would take, when a schedule comes due."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
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
from schemas.schedules import Schedule
from schemas.syncs import Counts, DueReason
from sync_runner.handlers.overview import MOST_COUNTED
from sync_runner.lifecycle.sync import EVERYTHING, Past, Run, Standing, State, Sync
from sync_runner.overview import MOST_LOOKED, Looking, routes
from sync_runner.store.shapes import SYNC

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = new_signing_key("platform")
CONNECTION = str(uuid4())


@dataclass
class MadeUp:
    """A ledger that counts as told, and documents as given."""

    counts: dict[str, int] = field(default_factory=lambda: {"done": 3, "pending": 2, "rejected": 1})
    documents: list[Mapping[str, Any]] = field(default_factory=list)

    async def standing(self, account: str, connection: str) -> dict[str, int]:
        return dict(self.counts)

    async def newest(self, account: str, since: datetime | None) -> AsyncIterator[Mapping[str, Any]]:
        for document in self.documents:
            if since is None or document["received_at"] >= since:
                yield document


def document(n: int, **metadata: Any) -> dict[str, Any]:
    at = NOW - timedelta(hours=n)
    return {"document": f"d{n}", "filename": f"R-{n}.pdf", "received_at": at, "metadata": metadata}


def headers(account: str) -> dict[str, str]:
    at = int(NOW.timestamp())
    claims = {"iss": "platform", "sub": "jane", "aud": "paperbus", "iat": at, "exp": at + 60, "jti": "1"}
    return {"Authorization": f"Bearer {sign(KEY, claims | {'account': account, 'role': 'member'})}"}


@pytest.fixture
def made_up() -> MadeUp:
    return MadeUp()


@pytest.fixture
async def client(made_up: MadeUp) -> AsyncIterator[httpx.AsyncClient]:
    syncs: MemoryAggregates[Sync] = MemoryAggregates(SYNC, lambda: NOW)
    ended = Past("past", NOW, DueReason.SCHEDULE, RunStatus.DONE, NOW, NOW, Counts(done=3))
    sync = Sync(
        id=CONNECTION,
        account="acme",
        standing=Standing.ACTIVE,
        state=State.WAITING,
        schedule=Schedule(every="P1D"),
        anchor=NOW - timedelta(hours=1),
        run=Run("waiting", NOW, DueReason.SCHEDULE, EVERYTHING),
        last=ended,
        counts=Counts(done=123_456),
    )
    await syncs.alter(CONNECTION, lambda _: Decision(sync, ()), account="acme")
    keys = public_keys(json.dumps({"keys": [KEY.as_dict(private=False)]}), "K")
    app = make_app("sync-runner", Verifier(keys, None, NOW.timestamp))
    app.include_router(routes(Looking(syncs, made_up, lambda: NOW)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sync-runner") as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, account: str = "acme", **query: Any) -> httpx.Response:
    return await client.get(f"/v1/{path}", params=query, headers=headers(account))


async def test_a_connection_is_shown_with_its_runs_and_counts(client: httpx.AsyncClient) -> None:
    listed = (await get(client, "connections", ids=f"{CONNECTION},{uuid4()}")).json()["items"]

    assert [one["id"] for one in listed] == [CONNECTION]
    assert listed[0] == (await get(client, f"connections/{CONNECTION}")).json()
    assert listed[0]["counts"] == {"done": 3, "pending": 2, "rejected": 1}
    assert listed[0]["next"] == ["2026-11-23T09:00:00.000Z", "2026-11-24T09:00:00.000Z"]
    assert (listed[0]["run"]["status"], listed[0]["last"]["status"]) == ("waiting", "done")


async def test_another_accounts_connection_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await get(client, "connections", "other", ids=CONNECTION)).json()["items"] == []
    assert (await get(client, f"connections/{CONNECTION}", "other")).status_code == 404


async def test_what_is_too_much_to_count_is_said_by_the_counter(
    client: httpx.AsyncClient, made_up: MadeUp
) -> None:
    made_up.counts["done"] = MOST_COUNTED

    assert (await get(client, f"connections/{CONNECTION}")).json()["counts"]["done"] == 123_456


async def test_a_preview_counts_what_waits_and_names_five(client: httpx.AsyncClient, made_up: MadeUp) -> None:
    made_up.documents = [
        document(n, document_type="invoice", issue_date="2026-03-0" + str(n)) for n in range(1, 8)
    ]
    made_up.documents += [document(8, document_type="letter"), {**document(9), "withdrawn": True}]
    query = {"folder": "/In/{year}", "filename": "{month}-{stem}{ext}", "document_types": ["invoice"]}
    told = (await get(client, "preview", **query)).json()

    assert told == {"waiting": 7, "more": False, "paths": [f"/In/2026/03-R-{n}.pdf" for n in range(1, 6)]}
    assert (await get(client, "preview", start="now")).json()["waiting"] == 0
    assert (await get(client, "preview", start="2026-11-22")).json()["waiting"] == 8


async def test_a_preview_of_very_many_ends_somewhere(client: httpx.AsyncClient, made_up: MadeUp) -> None:
    made_up.documents = [document(1)] * (MOST_LOOKED + 1)
    told = (await get(client, "preview")).json()

    assert (told["waiting"], told["more"]) == (MOST_LOOKED, True)


async def test_a_wrong_pattern_and_a_wrong_schedule_are_said_in_words(client: httpx.AsyncClient) -> None:
    pattern = await get(client, "preview", filename="{nobody}")
    schedule = await get(client, "schedules/next", schedule='{"at":"25:00"}')

    assert (pattern.status_code, schedule.status_code) == (422, 422)
    assert "is no placeholder" in pattern.json()["detail"]
    assert schedule.json()["errors"][0]["field"] == "schedule.at"


async def test_a_schedule_says_when_it_comes_due(client: httpx.AsyncClient) -> None:
    asked = json.dumps({"at": "02:30", "timezone": "Europe/Paris"})
    told = (await get(client, "schedules/next", schedule=asked)).json()

    assert told == {"next": ["2026-11-23T01:30:00.000Z", "2026-11-24T01:30:00.000Z"]}
