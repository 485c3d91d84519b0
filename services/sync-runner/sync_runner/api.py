"""HTTP in: a connection's ledger, its runs, when it is next due. Changes come in as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile
from typing import Annotated, Any

from fastapi import APIRouter, Query

from kit.aggregates import Aggregates
from kit.http import Caller, Page, cursor_of, not_found, read_cursor
from kit.tokens import Access
from schemas.base import rfc3339
from schemas.reasons import RowStatus, RunStatus
from schemas.syncs import Counts
from sync_runner.handlers.lists import Entry, Lists, Place, Wanted
from sync_runner.lifecycle.sync import Run, Standing, State, Sync
from sync_runner.lifecycle.times import upcoming

Limit = Annotated[int, Query(ge=1, le=200)]
MOST_ALIKE = 1_000_000
"""Rows received at one and the same moment that a cursor may skip."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the interface reads from."""

    syncs: Aggregates[Sync]
    lists: Lists
    now: Callable[[], datetime]

    async def one(self, connection_id: str, caller: Access) -> Sync:
        """The connection, where it exists for this caller; 404 otherwise."""
        id_ = connection_id.lower()
        kept = (await self.syncs.read([id_])).get(id_)
        if kept is None or not caller.may_see(kept.account):
            raise not_found("connection")
        return kept.thing


def routes(reading: Reading) -> APIRouter:
    """Everything that the contract lets others read."""
    router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["syncs"])

    @router.get("/documents")
    async def documents(  # noqa: PLR0913, PLR0917 - the parameters of the path, by the contract
        connection_id: str,
        caller: Caller,
        status: Annotated[list[RowStatus] | None, Query()] = None,
        query: str = "",
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> Page[dict[str, Any]]:
        """Its ledger, newest first. `status` may come several times; `query` looks in names and numbers."""
        sync = await reading.one(connection_id, caller)
        wanted = Wanted(sync.account, sync.id, [one.value for one in status or ()], query.strip())
        entries, last = await reading.lists.rows(wanted, _place(cursor), limit)
        following = cursor_of(last.received_at, last.skip) if last else None
        return Page(items=[_row(entry) for entry in entries], next=following)

    @router.get("/runs")
    async def runs(
        connection_id: str, caller: Caller, cursor: str | None = None, limit: Limit = 50
    ) -> Page[dict[str, Any]]:
        """Its last runs, newest first, with those that wait or are under way."""
        after = read_cursor(cursor, str)
        sync = await reading.one(connection_id, caller)
        items = _runs(sync)
        if after:
            items = list(dropwhile(lambda run: run["id"] != after[0], items))[1:]
        following = cursor_of(items[limit - 1]["id"]) if len(items) > limit else None
        return Page(items=items[:limit], next=following)

    @router.get("/schedule")
    async def schedule(connection_id: str, caller: Caller) -> dict[str, list[str]]:
        """When it is due next by itself: two times, none while it is paused or waits for a person."""
        sync = await reading.one(connection_id, caller)
        if sync.standing is not Standing.ACTIVE or sync.anchor is None:
            return {"next": []}
        return {"next": [rfc3339(at) for at in upcoming(sync.schedule, sync.anchor, reading.now())]}

    return router


def _place(cursor: str | None) -> Place | None:
    after = read_cursor(cursor, datetime, int)
    return Place(after[0], min(max(after[1], 0), MOST_ALIKE)) if after else None


def _runs(sync: Sync) -> list[dict[str, Any]]:
    """What waits, what is under way, what is over: the newest first."""
    now_ = RunStatus.RUNNING if sync.state is State.RUNNING else RunStatus.WAITING
    waiting = [_unfinished(sync.next, RunStatus.WAITING)] if sync.next else []
    current = [_unfinished(sync.run, now_)] if sync.run else []
    last = [sync.last.shown()] if sync.last else []
    return [*waiting, *current, *map(_past, (*last, *sync.past))]


def _row(entry: Entry) -> dict[str, Any]:
    row, document = entry.row, entry.document
    imported = "thing" in row
    return (_imported(row) if imported else {"document_id": row["document"], "version": row["version"]}) | {
        "filename": document.get("filename"),
        "status": row["status"],
        "reason": row.get("reason"),
        "message": row.get("message"),
        "target": row.get("target"),
        "sha256": row.get("sha256") or document.get("sha256"),
        "size": document.get("size"),
        "attempts": row.get("attempts", 0),
        "updated_at": rfc3339(row["at"]),
        "run_id": row.get("run"),
    }


def _imported(row: Mapping[str, Any]) -> dict[str, Any]:
    """What rows of imports have besides."""
    times = {name: rfc3339(row[name]) for name in ("kept_until", "gone_at") if name in row}
    also = {name: row[name] for name in ("duplicate_of", "media_type", "metadata", "place") if name in row}
    return {"external_id": row["document"], "version": str(row["version"])} | times | also


def _past(past: Mapping[str, Any]) -> dict[str, Any]:
    started_at = past.get("started_at")
    return {
        "id": past["id"],
        "due_at": rfc3339(past["due_at"]),
        "reason": past["reason"],
        "status": past["status"],
        "started_at": started_at and rfc3339(started_at),
        "finished_at": rfc3339(past["finished_at"]),
        "counts": Counts(**past["counts"]).wire(),
        "message": past.get("message"),
    }


def _unfinished(run: Run, status: RunStatus) -> dict[str, Any]:
    return {
        "id": run.id,
        "due_at": rfc3339(run.due_at),
        "reason": run.reason.value,
        "status": status.value,
        "started_at": run.started_at and rfc3339(run.started_at),
        "finished_at": None,
        "counts": run.counts.wire(),
        "message": None,
    }
