"""Aggregates in memory, for tests: the same promise as the Mongo store, held by the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, TypeVar

from kit.aggregates import Aggregates, Change, Kept, Kind, shard_of
from kit.owed import Owed

T = TypeVar("T")


class MemoryAggregates(Aggregates[T]):
    """`documents` are as the Mongo store would keep them; `owed` is everything owed so far, in order."""

    def __init__(self, kind: Kind[T], now: Callable[[], datetime]) -> None:
        super().__init__(kind, now)
        self.documents: dict[str, dict[str, Any]] = {}
        self.owed: list[Owed] = []

    async def read(self, ids: Collection[str]) -> dict[str, Kept[T]]:
        return {id_: self._kept(self.documents[id_]) for id_ in ids if id_ in self.documents}

    async def write(self, changes: Sequence[Change]) -> set[str]:
        lost = set()
        for change in changes:
            document = self.documents.get(change.id, {"v": 0})
            if document["v"] != change.v:
                lost.add(change.id)
                continue
            self.documents[change.id] = self._changed(document, change)
            self.owed += change.owes
        return lost

    def publish(self) -> list[Owed]:
        """Take everything that is owed, as a relay would."""
        published, self.owed = self.owed, []
        for document in self.documents.values():
            document["owes"] = []
        return published

    def _kept(self, document: dict[str, Any]) -> Kept[T]:
        thing = self.kind.load(deepcopy(document))
        owed, seen = len(document["owes"]), tuple(document["seen"])
        return Kept(document["_id"], document["account"], document["v"], owed, thing, seen)

    def _changed(self, document: dict[str, Any], change: Change) -> dict[str, Any]:
        old = document.get("seen", []) if change.remembered is None else change.remembered
        return {name: value for name, value in document.items() if name not in change.unset} | {
            "_id": change.id,
            "account": change.account,
            "v": change.v + change.steps,
            "shard": shard_of(change.id),
            "schema": self.kind.schema,
            "owes": [*document.get("owes", ()), *(owed.document() for owed in change.owes)],
            "seen": [*old, *change.seen],
            **deepcopy(dict(change.set)),
        }
