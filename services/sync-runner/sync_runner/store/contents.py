"""Bytes of imported documents in GridFS (bucket `content`), under ids that follow from what they are.

The file's entry is written after all of its pieces, so what is there is whole. Small ones go in bulk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from kit.mongo import Database, only_duplicates
from sync_runner.handlers.imports import Kept
from sync_runner.store.files import BUCKET

Doc = dict[str, Any]
PIECE = 255 * 1024
"""GridFS's own size of a chunk."""
LOT = 8 * 1024 * 1024
"""Bytes that are written at once."""
CHUNK_INDEXES = (IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True),)
FILE_INDEXES = (
    IndexModel(
        [("metadata.until", ASCENDING)],
        name="until",
        partialFilterExpression={"metadata.until": {"$exists": True}},
    ),
)


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of kept bytes."""

    id: str
    account: str
    filename: str
    media_type: str
    size: int
    sha256: str


class MongoContents:
    """Keeps `handlers.imports.Contents`."""

    def __init__(self, database: Database) -> None:
        self.chunks = database[f"{BUCKET}.chunks"]
        self.files = database[f"{BUCKET}.files"]

    async def keep(self, bodies: Sequence[Kept]) -> None:
        lot: list[Doc] = []
        held = 0
        for chunk in _chunks(bodies):
            lot.append(chunk)
            held += len(chunk["data"])
            if held >= LOT:
                await _insert(self.chunks, lot)
                lot, held = [], 0
        await _insert(self.chunks, lot)
        there = await _insert(self.files, [_entry(body) for body in bodies])
        longer = [
            UpdateOne({"_id": bodies[index].id}, {"$max": {"metadata.until": bodies[index].until}})
            for index in there
        ]
        if longer:
            await self.files.bulk_write(longer, ordered=False)

    async def has(self, content_id: str) -> bool:
        return await self.files.find_one({"_id": content_id}, {"_id": 1}) is not None

    async def about(self, content_id: str) -> Content | None:
        """What is kept under this id."""
        found = await self.files.find_one({"_id": content_id, "metadata.sha256": {"$exists": True}})
        if found is None:
            return None
        about = found["metadata"]
        return Content(
            content_id,
            about["account"],
            found["filename"],
            about["media_type"],
            found["length"],
            about["sha256"],
        )

    async def read(self, content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop`.

        Raises:
            LookupError: they went meanwhile.
        """
        first, at = start // PIECE, start
        query = {"files_id": content.id, "n": {"$gte": first, "$lte": max(first, (stop - 1) // PIECE)}}
        async for chunk in self.chunks.find(query).sort("n", ASCENDING).batch_size(16):
            begin = chunk["n"] * PIECE
            data: bytes = chunk["data"][at - begin : stop - begin]
            at += len(data)
            yield data
        if at < stop:
            raise LookupError(content.id)

    async def remove(self, content_ids: Sequence[str]) -> None:
        """Drop them; what is gone is fine. The entry goes first, so that nothing half is ever shown."""
        await self.files.delete_many({"_id": {"$in": list(content_ids)}})
        await self.chunks.delete_many({"files_id": {"$in": list(content_ids)}})

    async def expired(self, now: datetime, most: int) -> list[str]:
        """Ids of what was kept until now at the longest."""
        found = self.files.find({"metadata.until": {"$lte": now}}, {"_id": 1}).limit(most)
        return [file["_id"] async for file in found]


def _chunks(bodies: Iterable[Kept]) -> Iterator[Doc]:
    from bson import Binary

    for body in bodies:
        number, held = 0, b""
        for data in body.open():
            held += data
            while len(held) >= PIECE:
                yield _chunk(body, number, Binary(held[:PIECE]))
                number, held = number + 1, held[PIECE:]
        if held:
            yield _chunk(body, number, Binary(held))


def _chunk(body: Kept, number: int, data: bytes) -> Doc:
    return {"_id": f"{body.id}/{number}", "files_id": body.id, "n": number, "data": data}


def _entry(body: Kept) -> Doc:
    return {
        "_id": body.id,
        "length": body.size,
        "chunkSize": PIECE,
        "uploadDate": datetime.now(UTC),
        "filename": body.filename,
        "metadata": {
            "account": body.account,
            "connection": body.connection_id,
            "sha256": body.sha256,
            "media_type": body.media_type,
            "until": body.until,
        },
    }


async def _insert(collection: Any, documents: Sequence[Doc]) -> list[int]:
    """Insert; what is there already is the same. Returns which were there."""
    if not documents:
        return []
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as errors:
        if not only_duplicates(errors):
            raise
        return [error["index"] for error in errors.details["writeErrors"]]
    return []
