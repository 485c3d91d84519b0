"""Whose seal stays on rows that are told of. The rest of telling is proved in `tests/imports`."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sync_runner.handlers.runs import Claim
from sync_runner.store.import_rows import ImportRows

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLAIM = Claim("c", "acme", "run", 5, "worker", NOON, NOON, "imap", 1, {}, 1, 1, direction="import")


class Ledger:
    """One row that is untold, and what becomes of its seal by `untold`'s own filter."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}

    async def update_many(self, query: dict[str, Any], update: dict[str, Any]) -> None:
        newer_than = query["seal_fence"]["$not"]["$gt"]
        if self.row.get("seal") != query["seal"]["$ne"] and not self.row.get("seal_fence", 0) > newer_than:
            self.row |= update["$set"]

    def find(self, _: dict[str, Any]) -> "Ledger":
        return self

    async def to_list(self, _: None) -> list[dict[str, Any]]:
        return []


async def test_a_worker_that_wakes_up_late_takes_no_seal_off_that_its_successor_put_on() -> None:
    ledger = Ledger()
    rows = ImportRows(ledger)  # type: ignore[arg-type]  # stands in
    await rows.untold(CLAIM)
    assert ledger.row["seal"] == "run/1/5"
    await rows.untold(replace(CLAIM, fence=6))
    await rows.untold(CLAIM)
    assert ledger.row["seal"] == "run/1/6"
