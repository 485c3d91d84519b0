"""Connections of every account, read from the database of `connections`. No secret is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.aggregates import SHARDS
from kit.mongo import Client
from paperbus.admin.databases import CONNECTIONS

SHOWN = (
    "account", "direction", "provider_id", "name", "status", "paused", "identity", "revision", "created_at",
    "saved_at",
)  # fmt: skip


async def connections(client: Client, chosen: Mapping[str, str], most: int) -> list[dict[str, Any]]:
    """The newest connections with those members (`account`, `provider_id`, `status`)."""
    query: dict[str, Any] = {"shard": {"$in": list(range(SHARDS))}, **chosen}
    wanted = dict.fromkeys((*SHOWN, "trouble.reason", "trouble.message", "reason", "message"), 1)
    found = client[CONNECTIONS].connections.find(query, wanted).sort("created_at", -1).limit(most)
    return [_shown(document) async for document in found]


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    trouble = document.get("trouble") or document
    told = {name: document.get(name) for name in SHOWN}
    return {"id": document["_id"]} | told | {name: trouble.get(name) for name in ("reason", "message")}
