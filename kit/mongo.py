"""MongoDB: the one place that makes clients and declares indexes. No query of any service is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
    from pymongo import IndexModel
    from pymongo.errors import BulkWriteError

Client: TypeAlias = "AsyncIOMotorClient[dict[str, Any]]"
Database: TypeAlias = "AsyncIOMotorDatabase[dict[str, Any]]"
Collection: TypeAlias = "AsyncIOMotorCollection[dict[str, Any]]"

DUPLICATE = 11000
WRONG_LOGIN = 18


class Unusable(RuntimeError):
    """MongoDB cannot be used as it is. The text is a sentence that says what to do."""


class NoReplicaSet(Unusable):
    """The server is a standalone: it cannot promise that an acknowledged write survives."""


class NoAnswer(Unusable):
    """Nobody answers at that address, or nobody whose certificate counts."""


class LoginRefused(Unusable):
    """The user or the password is another one."""


def connect(url: str) -> Client:
    """A client with `w=majority`, journal, `readConcern majority`, reads from the primary, times in UTC.

    The values are set in code, so that no address can weaken them. Nothing is sent yet.
    """
    from motor.motor_asyncio import AsyncIOMotorClient

    client: Client = AsyncIOMotorClient(
        url,
        appname="paperbus",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        serverSelectionTimeoutMS=10_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=30_000,
        maxPoolSize=32,
        tz_aware=True,
        uuidRepresentation="standard",
    )
    return client


async def ready(client: Client) -> None:
    """Wait (10 s) until the server answers, and check that it is a replica set or a sharded cluster.

    Raises:
        NoReplicaSet: it is a standalone; the text says how to change that.
        NoAnswer: nobody answers, or with a certificate that does not count.
        LoginRefused: the user or the password is another one.
    """
    from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

    try:
        hello = await client.admin.command("hello")
        await client.admin.command("ping")  # unlike `hello`, it asks who we are
    except ServerSelectionTimeoutError as error:
        raise NoAnswer(_why(str(error))) from None
    except OperationFailure as error:
        if error.code != WRONG_LOGIN:
            raise
        raise LoginRefused(
            "MongoDB refuses the login: check the user and the password in MONGO_URL."
        ) from None
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise NoReplicaSet(
            "MONGO_URL names a standalone mongod: start it with --replSet rs0, run rs.initiate() once "
            "in mongosh, then start this again."
        )


def _why(errors: str) -> str:
    """What pymongo's account of its tries comes down to."""
    if "CERTIFICATE_VERIFY_FAILED" in errors:
        return "MongoDB's certificate does not count: check tlsCAFile in MONGO_URL, and the host's name."
    return "No MongoDB answers at MONGO_URL: check the address, that it is running, and whether it wants TLS."


async def declare(collection: Collection, indexes: Sequence[IndexModel]) -> None:
    """Make the indexes of a collection. Safe to call at every start, by every replica."""
    if indexes:
        await collection.create_indexes(list(indexes))


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether all that failed is there already, and what did not fail is durable."""
    return not error.details["writeConcernErrors"] and all(
        failed["code"] == DUPLICATE for failed in error.details["writeErrors"]
    )
