"""MongoDB: the one place that makes clients and declares indexes. No query of any service is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
    from pymongo import IndexModel

Client: TypeAlias = "AsyncIOMotorClient[dict[str, Any]]"
Database: TypeAlias = "AsyncIOMotorDatabase[dict[str, Any]]"
Collection: TypeAlias = "AsyncIOMotorCollection[dict[str, Any]]"


class NoReplicaSet(RuntimeError):
    """The server is a standalone: it cannot promise that a write survives."""


def connect(url: str) -> Client:
    """A client with `w=majority`, journal, `readConcern majority`, reads from the primary, times in UTC.

    The values are set in code, so that no address can weaken them. Nothing is sent yet.
    """
    raise NotImplementedError


async def ready(client: Client) -> None:
    """Wait (10 s) until the server answers and is a replica set.

    Raises:
        NoReplicaSet: it is a standalone; the text says how to change that.
        pymongo.errors.ServerSelectionTimeoutError: nobody answers.
    """
    raise NotImplementedError


async def declare(collection: Collection, indexes: Sequence[IndexModel]) -> None:
    """Make the indexes of a collection. Safe to call at every start."""
    raise NotImplementedError
