"""What happened to a connection, from both services that know: its events, and its runs. It reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.aggregates import shard_of
from kit.mongo import Client
from paperbus.admin.databases import CONNECTIONS, SYNC_RUNNER
from paperbus.errors import Stopped

Entry = dict[str, Any]


async def timeline(client: Client, connection: str, most: int) -> list[Entry]:
    """The newest `most` entries, oldest first: `at`, `what`, `actor`, `data`.

    Raises:
        Stopped: there is no such connection.
    """
    where = {"_id": connection, "shard": shard_of(connection)}
    if await client[CONNECTIONS].connections.find_one(where, {"_id": 1}) is None:
        raise Stopped(f"There is no connection {connection}: `paperbus admin connections list` shows them.")
    newest = client[CONNECTIONS].timeline.find({"connection": connection}).sort("at", -1).limit(most)
    said = [_said(document) async for document in newest]
    sync = await client[SYNC_RUNNER].syncs.find_one(where, {"past": 1, "last": 1, "run": 1}) or {}
    return sorted([*said, *_runs(sync)], key=lambda entry: entry["at"])[-most:]


def _said(document: Mapping[str, Any]) -> Entry:
    return {name: document.get(name) for name in ("at", "what", "actor", "data")}


def _runs(sync: Mapping[str, Any]) -> Iterable[Entry]:
    """Each run once, at its end; the one under way or waiting, at its beginning or its due."""
    known = {
        run["id"]: run
        for run in (*sync.get("past", ()), sync.get("last") or {}, sync.get("run") or {})
        if run
    }
    for run in known.values():
        at = run.get("finished_at") or run.get("started_at") or run["due_at"]
        told = {
            name: run[name]
            for name in ("id", "status", "reason", "due_at", "counts", "message")
            if name in run
        }
        what = f"Run {run.get('status') or ('running' if run.get('started_at') else 'waiting')}"
        yield {"at": at, "what": what, "actor": None, "data": told}
