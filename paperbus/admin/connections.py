"""Connections of every account and their ledgers, read from the databases. No secret is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.aggregates import SHARDS, shard_of
from kit.mongo import Client
from paperbus.admin.databases import CONNECTIONS, DATABASES, SYNC_RUNNER
from paperbus.errors import Stopped

SHOWN = (
    "account", "direction", "provider_id", "name", "status", "paused", "identity", "revision", "created_at",
    "saved_at",
)  # fmt: skip
_MEMBERS = dict.fromkeys((*SHOWN, "trouble.reason", "trouble.message", "reason", "message"), 1)
_SETTLED = dict.fromkeys(("provider_revision", "schedule", "options", "filters", "start"), 1)
_SYNC = ("standing", "state", "attention", "due_at", "run", "last", "counts", "failures")
_ROW = (
    "document", "version", "status", "reason", "message", "target", "attempts", "next_at", "received_at",
    "at", "run",
)  # fmt: skip


async def connections(client: Client, chosen: Mapping[str, str], most: int) -> list[dict[str, Any]]:
    """The newest connections with those members (`account`, `provider_id`, `status`)."""
    query: dict[str, Any] = {"shard": {"$in": list(range(SHARDS))}, **chosen}
    found = client[CONNECTIONS].connections.find(query, _MEMBERS).sort("created_at", -1).limit(most)
    return [_shown(document) async for document in found]


async def one(client: Client, id_: str) -> dict[str, Any]:
    """A connection with what sync-runner knows of it, and what waits: owed events, parked events, open rows.

    Raises:
        Stopped: there is none of this id.
    """
    where = {"_id": id_, "shard": shard_of(id_)}
    found = await client[CONNECTIONS].connections.find_one(where, {**_MEMBERS, **_SETTLED, "owes.id": 1})
    if found is None:
        raise Stopped(f"There is no connection {id_}: `paperbus admin connections list` shows them.")
    sync = await client[SYNC_RUNNER].syncs.find_one(where, dict.fromkeys((*_SYNC, "owes.id"), 1)) or {}
    ledger = {"account": found["account"], "connection": id_, "next_at": {"$exists": True}}
    parked = [await client[name].parked.count_documents({"key": id_.encode()}) for name in DATABASES]
    return (
        _shown(found)
        | {name: found.get(name) for name in _SETTLED}
        | {f"sync_{name}": sync.get(name) for name in _SYNC}
        | {"open_documents": await client[SYNC_RUNNER].ledger.count_documents(ledger)}
        | {
            "owed_events": len(found.get("owes", ())) + len(sync.get("owes", ())),
            "parked_events": sum(parked),
        }
    )


async def documents(client: Client, id_: str, status: str | None, most: int) -> list[dict[str, Any]]:
    """The ledger of a connection, the newest documents first: what was moved, what was not, and why.

    Raises:
        Stopped: there is no connection of this id that was saved.
    """
    sync = await client[SYNC_RUNNER].syncs.find_one({"_id": id_, "shard": shard_of(id_)}, {"account": 1})
    if sync is None:
        raise Stopped(f"There is no saved connection {id_}: `paperbus admin connections list` shows them.")
    query = {"account": sync["account"], "connection": id_} | ({"status": status} if status else {})
    rows = client[SYNC_RUNNER].ledger.find(query, dict.fromkeys(_ROW, 1)).sort("received_at", -1).limit(most)
    return [{name: row.get(name) for name in _ROW} async for row in rows]


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    trouble = document.get("trouble") or document
    told = {name: document.get(name) for name in SHOWN}
    return {"id": document["_id"]} | told | {name: trouble.get(name) for name in ("reason", "message")}
