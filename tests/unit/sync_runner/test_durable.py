"""A write that MongoDB took but could not make durable is trouble, never a row that was there already."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pymongo.errors import BulkWriteError
from syncing import a_document, heard, now

from kit.mongo import Collection
from sync_runner.handlers.documents import told_by
from sync_runner.store.documents import MongoDocuments
from sync_runner.store.ledger import add, new_row

LOST = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "timed out"}], "nInserted": 1}


class NotDurable:
    """A collection of a replica set that has lost its majority."""

    async def insert_many(self, *_: Any, **__: Any) -> None:
        raise BulkWriteError(LOST)

    async def bulk_write(self, *_: Any, **__: Any) -> None:
        raise BulkWriteError(LOST)


async def test_rows_and_documents_that_are_not_durable_are_not_taken_for_kept() -> None:
    collection = cast(Collection, NotDurable())
    documents = MongoDocuments(collection, collection, collection)

    with pytest.raises(BulkWriteError):
        await add(collection, [new_row("acme", "c", "a", 1, now(), now())])
    with pytest.raises(BulkWriteError):
        await documents.keep([told_by(heard(a_document("a")).event)])
