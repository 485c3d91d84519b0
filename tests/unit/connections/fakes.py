"""Stores in memory that keep the promises of `connections.handlers.ports`; held to them beside MongoDB's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connections import store
from connections.budgets import Became, Budget, Refusal
from connections.lifecycle.case import Provider
from connections.lifecycle.things import Connection
from kit.memory import MemoryAggregates
from schemas.manifest import Manifest


class SetClock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class MemoryTrying:
    """Who may try, beside connections in memory."""

    def __init__(self, connections: MemoryAggregates[Connection], now: Callable[[], datetime]) -> None:
        self._documents = connections.documents
        self._leases: dict[str, tuple[str, datetime, int]] = {}
        self._now = now

    async def claim(self, connection_id: str) -> int | None:
        document = self._documents.get(connection_id)
        if document is None or document["login"]["state"] != "trying":
            return None
        answer = document["login"]["given"]["answer_id"]
        held = self._leases.get(connection_id, ("", self._now(), 0))
        if held[0] == answer and held[1] >= self._now():
            return None
        self._leases[connection_id] = (answer, self._now() + store.LEASE, held[2] + 1)
        return held[2] + 1

    async def due(self, at: datetime, most: int) -> list[str]:
        waiting = [d for d in self._documents.values() if "wake_at" in d and d["wake_at"] <= at]
        return [document["_id"] for document in sorted(waiting, key=lambda d: d["wake_at"])][:most]

    async def same_as(self, it: Connection, identity: str, place: Mapping[str, Any]) -> tuple[str, ...]:
        def matches(d: Mapping[str, Any]) -> bool:
            same = (d["account"], d["provider_id"], d["identity"]) == (it.account, it.provider_id, identity)
            known = all(d["known"].get(name) == value for name, value in place.items())
            return same and known and d["status"] in ("active", "attention") and d["_id"] != it.id

        return tuple(d["_id"] for d in self._documents.values() if matches(d))

    async def unfinished_of(self, provider_id: str) -> list[str]:
        return [
            d["_id"] for d in self._documents.values() if d["unfinished"] and d["provider_id"] == provider_id
        ]


class MemoryProviders:
    """Providers in memory."""

    def __init__(self, *manifests: Manifest) -> None:
        self._manifests: dict[tuple[str, int], Manifest] = {}
        self._heads: dict[str, dict[str, Any]] = {}
        for manifest in manifests:
            self._keep(manifest, 1)

    async def newest(self, ids: Collection[str]) -> Mapping[str, Provider]:
        return {
            id_: Provider(manifest, head["revision"], head["retired"])
            for id_ in ids
            if (head := self._heads.get(id_)) and (manifest := self._manifests.get((id_, head["revision"])))
        }

    async def at(self, provider_id: str, revision: int) -> Provider | None:
        manifest = self._manifests.get((provider_id, revision))
        return None if manifest is None else Provider(manifest, revision)

    async def publish(self, revisions: Sequence[tuple[Manifest, int]]) -> None:
        for manifest, revision in sorted(revisions, key=lambda pair: pair[1]):
            self._keep(manifest, revision)

    async def retire(self, provider_id: str, revision: int) -> bool:
        head = self._heads.setdefault(provider_id, {"revision": revision})
        if head["revision"] > revision:
            return False
        head["retired"] = True
        return True

    async def retired(self, ids: Collection[str]) -> set[str]:
        return {id_ for id_ in ids if self._heads.get(id_, {}).get("retired")}

    def _keep(self, manifest: Manifest, revision: int) -> None:
        self._manifests[manifest.id, revision] = manifest
        head = self._heads.get(manifest.id)
        if head is not None and head["revision"] >= revision:
            return
        self._heads[manifest.id] = {"revision": revision, "retired": False}


class MemoryGate:
    """Counts tries in memory."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._counts: dict[str, _Count] = {}
        self._queues: dict[str, list[tuple[str, str, datetime]]] = {}
        self._next: dict[str, datetime] = {}

    async def turn(
        self, provider_id: str, account: str, answer_id: str, per_minute: float
    ) -> datetime | None:
        now, queue = self._now(), self._queues.setdefault(provider_id, [])
        queue[:] = [
            one for one in queue if one[2] > now or (one[1] == answer_id and one[2] > now - IN_FLIGHT)
        ]
        if not any(answer_id == answer or account == who for who, answer, _ in queue):
            slot = max(now, self._next.get(provider_id, now))
            self._next[provider_id] = slot + timedelta(minutes=1 / per_minute)
            queue.append((account, answer_id, slot))
        mine = [at for _, answer, at in queue if answer == answer_id]
        until = (mine or [at for who, _, at in queue if who == account])[0]
        return None if mine and until <= now else until

    async def spend(self, budgets: Sequence[Budget], answer_id: str) -> Refusal | None:
        for number, budget in enumerate(budgets):
            count = self._aged(budget)
            if count.until is not None or count.failed + len(count.open) >= budget.most:
                await self.settle(budgets[:number], answer_id, "nothing")
                until = count.until or self._now() + timedelta(seconds=1)
                return Refusal(until, blocked=count.until is not None)
            count.open[answer_id] = self._now()
        return None

    async def settle(self, budgets: Sequence[Budget], answer_id: str, became: Became) -> None:
        for budget in budgets:
            count = self._aged(budget)
            count.open.pop(answer_id, None)
            if became == "passed" and budget.heals:
                self._counts[budget.key] = _Count(open=count.open)
            elif became == "failed":
                count.failed += 1
                self._block(budget, count)

    def _aged(self, budget: Budget) -> _Count:
        now, count = self._now(), self._counts.setdefault(budget.key, _Count())
        if count.until is not None and count.until <= now:
            count.until, count.failed = None, 0
        late = [answer for answer, at in count.open.items() if at <= now - IN_FLIGHT]
        count.failed += len(late)
        for answer in late:
            del count.open[answer]
        self._block(budget, count)
        return count

    def _block(self, budget: Budget, count: _Count) -> None:
        if count.until is None and count.failed >= budget.most:
            lasts = timedelta(minutes=budget.block_minutes * 2**count.blocks)
            count.until = self._now() + min(lasts, timedelta(days=1))
            count.blocks += 1


@dataclass
class _Count:
    """One budget as it stands."""

    failed: int = 0
    until: datetime | None = None
    blocks: int = 0
    open: dict[str, datetime] = field(default_factory=dict)


IN_FLIGHT = timedelta(minutes=1)
