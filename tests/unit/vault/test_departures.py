"""What a departure must remember is wrapped anew with everything else that is sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from connections.handlers.leaving import Left
from connections.operating import Desk
from connections.vault import Sealed, Vault
from connections.vault_store import Rotated, rewrap_all
from connections.window.departures import MongoDepartures
from kit.mongo import Database

OLD, NEW = ("old", bytes(range(32))), ("new", bytes(range(32, 64)))
AT = datetime(2026, 11, 22, tzinfo=UTC)
EMPTY = Left("digest", "window", "c1", "acme", "challenge", "bank", "browser", AT, {})


class OneDocument:
    """A collection of one document, of which every question asks, and whose wrapping can be replaced."""

    def __init__(self, left: Left) -> None:
        self.document = {**asdict(left), "_id": left.id, "schema": 1}
        del self.document["id"]

    async def find(self, _: object) -> AsyncIterator[Mapping[str, Any]]:
        yield self.document

    async def update_one(self, _: object, update: Mapping[str, Any]) -> SimpleNamespace:
        wrapping = {path.removeprefix("sealed."): value for path, value in update["$set"].items()}
        self.document["sealed"] = {**self.document["sealed"], **wrapping}
        return SimpleNamespace(matched_count=1)


async def test_a_browser_that_is_away_while_the_keys_change_can_come_back() -> None:
    sealed = Vault([OLD]).seal_values(EMPTY.place, {"verifier": "v"})
    kept = OneDocument(replace(EMPTY, sealed=sealed.document()))

    done = await rewrap_all(Vault([NEW, OLD]), [MongoDepartures(cast("Any", kept)).records()])

    assert done == Rotated(rewrapped=1)
    assert Vault([NEW]).open_values(EMPTY.place, Sealed.of(kept.document["sealed"])) == {"verifier": "v"}


def test_the_rotation_knows_of_departures() -> None:
    names = ("connections", "answer_keys", "clients", "providers", "manifests", "departures", "vault")
    db = SimpleNamespace(**{name: SimpleNamespace(name=name) for name in names})
    desk = Desk(cast("Database", db), Vault([NEW]), print)

    assert db.departures in [vars(one)["_collection"] for one in desk.records]
