"""Which bytes are let go, and until when they are kept. Real databases are asked in `tests/imports`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from schemas.reasons import RowStatus
from sync_runner.handlers.imports import Kept
from sync_runner.handlers.words import Word
from sync_runner.store.contents import MongoContents
from sync_runner.store.words import MongoWords

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = {"_id": "c/a.pdf/1", "account": "acme", "sha256": "0" * 64, "content": "bytes"}


class Ledger:
    """The row that the platform took, and perhaps a later one with its bytes."""

    def __init__(self, later: dict[str, Any] | None) -> None:
        self.later = later

    async def find_one_and_update(self, *_: Any) -> dict[str, Any]:
        return ROW

    async def find_one(self, query: dict[str, Any], _: Any) -> dict[str, Any] | None:
        if self.later is None or self.later["_id"] == query["_id"]["$ne"]:
            return None
        same = all(self.later[name] == query[name] for name in ("account", "sha256", "content", "status"))
        return self.later if same and "accepted" not in self.later else None


class Shelf:
    """Bytes that can be let go."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    async def remove(self, ids: Sequence[str]) -> None:
        self.removed += ids


LATER = ROW | {"_id": "c/a.pdf/3", "status": RowStatus.DONE.value}


@pytest.mark.parametrize(
    ("later", "removed"),
    [(None, ["bytes"]), (LATER, []), (LATER | {"accepted": True}, ["bytes"])],
    ids=["no other", "another waits", "both are taken"],
)
async def test_bytes_that_a_later_version_shares_stay_until_that_is_taken_too(
    later: dict[str, Any] | None, removed: list[str]
) -> None:
    shelf = Shelf()
    words = MongoWords(Ledger(later), shelf, lambda: NOON)  # type: ignore[arg-type]  # stand in
    await words.hear(Word("acme", "c/a.pdf/1", NOON))
    assert shelf.removed == removed


class Files:
    """A collection where everything is already."""

    def __init__(self) -> None:
        self.written: list[Any] = []

    async def insert_many(self, documents: Sequence[Any], **_: Any) -> None:
        errors = [{"index": index, "code": 11000} for index, _ in enumerate(documents)]
        raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})

    async def bulk_write(self, writes: Sequence[Any], **_: Any) -> None:
        self.written += writes


async def test_bytes_that_come_again_are_kept_for_the_whole_time_again() -> None:
    files = Files()
    contents = MongoContents({"content.chunks": files, "content.files": files})  # type: ignore[arg-type]  # stands in
    until = NOON + timedelta(days=30)
    body = Kept("id", "acme", "c", "a.pdf", "application/pdf", 1, "0" * 64, until, lambda: iter([b"x"]))
    await contents.keep([body])
    assert [write._doc for write in files.written] == [{"$max": {"metadata.until": until}}]
