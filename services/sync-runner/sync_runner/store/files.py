"""Bytes that are kept here (`gridfs:`), told apart by account. It only reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kit.mongo import Database

BUCKET = "content"


class GridFiles:
    """Keeps `content.Files` in GridFS. A file's `metadata.account` says whose it is."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self, account: str, file_id: str) -> AsyncIterator[bytes]:
        from bson import ObjectId
        from motor.motor_asyncio import AsyncIOMotorGridFSBucket

        key = ObjectId(file_id) if ObjectId.is_valid(file_id) else file_id
        bucket = AsyncIOMotorGridFSBucket(self.database, bucket_name=BUCKET)
        found = await bucket.find({"_id": key, "metadata.account": account}).to_list(1)
        if not found:
            raise LookupError(file_id)
        stream = await bucket.open_download_stream(key)
        while chunk := await stream.readchunk():
            yield chunk
