"""The services' databases, as an operator opens them for the length of one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kit import mongo
from kit.mongo import Client
from kit.settings import Settings
from paperbus.errors import Stopped
from paperbus.where import with_databases

CATALOG, CONNECTIONS, SYNC_RUNNER = "catalog", "connections", "sync_runner"
DATABASES = (CATALOG, CONNECTIONS, SYNC_RUNNER)


@asynccontextmanager
async def databases(settings: Settings) -> AsyncIterator[Client]:
    """MongoDB as set, else that of the running `paperbus up`.

    Raises:
        Unusable: nobody answers there, or it is no replica set.
        Stopped: it refuses what is asked in the block.
    """
    from pymongo.errors import PyMongoError

    client = mongo.connect(with_databases(settings))
    try:
        await mongo.ready(client)
        yield client
    except PyMongoError as error:
        raise Stopped(f"MongoDB did not do that: {error}") from None
    finally:
        client.close()
