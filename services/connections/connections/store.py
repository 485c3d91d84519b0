"""Connections in MongoDB: the aggregate's shape, who may try, what is due, lists. It decides nothing.

`connections` is kept for ever (a removed one without its secrets, for its ledger's sake).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from connections.lifecycle.changes import MOST_GRANTS
from connections.lifecycle.things import Connection, LoginState, Status
from connections.places import (
    kept_answer_place,
    kept_credentials_place,
    kept_found_place,
    kept_found_token_place,
    kept_grant_place,
    kept_machine_place,
    kept_token_place,
)
from connections.renewal_store import DUE as RENEWALS_DUE, GRANTS
from connections.vault_store import MongoRecords
from kit.aggregates import SHARDS, Kind, shard_of
from kit.mongo import Collection
from kit.owed import Voice
from schemas.base import Model
from schemas.topics import CONNECTIONS_EVENTS

LEASE = timedelta(seconds=30)
DUE = IndexModel(
    [("shard", ASCENDING), ("wake_at", ASCENDING)],
    name="due",
    partialFilterExpression={"wake_at": {"$exists": True}},
)
"""Only what somebody must look at is in it."""
OF_ACCOUNT = IndexModel(
    [("account", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="of_account"
)
OF_PROVIDER = IndexModel(
    [("shard", ASCENDING), ("provider_id", ASCENDING)],
    name="unfinished_of_provider",
    partialFilterExpression={"unfinished": True},
)
INDEXES = (DUE, RENEWALS_DUE, GRANTS, OF_ACCOUNT, OF_PROVIDER)
_ALL_SHARDS = {"$in": list(range(SHARDS))}


def load(document: Mapping[str, Any]) -> Connection:
    """The connection in a document."""
    return Connection.model_validate({**document, "id": document["_id"]})


def dump(connection: Connection) -> dict[str, Any]:
    """Its members, and those that only queries need."""
    members: dict[str, Any] = {
        name: _plain(getattr(connection, name))
        for name in Connection.model_fields
        if name not in ("id", "account")
    }
    members["unfinished"] = connection.unfinished
    times = {"wake_at": connection.wake_at, "renew_at": connection.renew_at}
    return members | {name: time for name, time in times.items() if time is not None}


_AS_IS = frozenset({str, int, float, bool, bytes, datetime, type(None)})


def _plain(value: Any) -> Any:
    """As BSON knows it: models are their members, tuples are lists, days are text. Every write does it."""
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is dict:
        return {name: member if type(member) in _AS_IS else _plain(member) for name, member in value.items()}
    if kind is list or kind is tuple:
        return [member if type(member) in _AS_IS else _plain(member) for member in value]
    if isinstance(value, Model):
        return _plain(value.model_dump())
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


KIND: Kind[Connection] = Kind(
    name="connection",
    schema=1,
    load=load,
    dump=dump,
    voice=Voice("/paperbus/connections", CONNECTIONS_EVENTS),
)


class MongoTrying:
    """Who may try, by lease; what is due. Both by the collection of connections."""

    def __init__(self, collection: Collection, owner: str) -> None:
        """`owner` is unique per process."""
        self._collection = collection
        self._owner = owner

    async def claim(self, connection_id: str) -> int | None:
        """The fence for the answer that waits, by the server's clock. One lease for each answer."""
        answer = "$login.given.answer_id"
        free = [{"$ne": ["$lease.answer", answer]}, {"$lt": ["$lease.until", "$$NOW"]}]
        until = {"$add": ["$$NOW", int(LEASE.total_seconds() * 1000)]}
        fence = {"$add": [{"$ifNull": ["$lease.fence", 0]}, 1]}
        lease = {"answer": answer, "owner": self._owner, "until": until, "fence": fence}
        claimed = await self._collection.find_one_and_update(
            {
                "_id": connection_id,
                "shard": shard_of(connection_id),
                "login.state": LoginState.TRYING.value,
                "$expr": {"$or": free},
            },
            [{"$set": {"lease": lease}}],
            projection={"lease": 1},
            return_document=ReturnDocument.AFTER,
        )
        return int(claimed["lease"]["fence"]) if claimed else None

    async def due(self, at: datetime, most: int) -> list[str]:
        """The ids of connections that somebody has to look at by `at`, the longest due first."""
        query = {"shard": _ALL_SHARDS, "wake_at": {"$lte": at}}
        found = self._collection.find(query, {"_id": 1}).sort("wake_at", ASCENDING).limit(most)
        return [document["_id"] async for document in found]

    async def same_as(self, it: Connection, identity: str, place: Mapping[str, Any]) -> tuple[str, ...]:
        """Other saved connections of its customer to this account, at the place with these values."""
        query: dict[str, Any] = {
            "account": it.account,
            "provider_id": it.provider_id,
            "identity": identity,
            "status": {"$in": [Status.ACTIVE.value, Status.ATTENTION.value]},
            "_id": {"$ne": it.id},
            **{f"known.{name}": value for name, value in place.items()},
        }
        return tuple([one["_id"] async for one in self._collection.find(query, {"_id": 1}).limit(10)])

    async def unfinished_of(self, provider_id: str) -> list[str]:
        """The ids of connections to a provider that were never saved and still may be."""
        query = {"shard": _ALL_SHARDS, "provider_id": provider_id, "unfinished": True}
        return [document["_id"] async for document in self._collection.find(query, {"_id": 1})]


class MongoLists:
    """What the interface lists."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def of_account(
        self, account: str, most: int, after: tuple[datetime, str] | None = None
    ) -> list[Connection]:
        """The newest connections of an account, those after a place in that order."""
        query: dict[str, Any] = {"account": account}
        if after is not None:
            at, id_ = after
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": id_}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        found = self._collection.find(query, {"owes": 0, "seen": 0}).sort(order).limit(most)
        return [load(document) async for document in found]


def records(collection: Collection) -> tuple[MongoRecords, ...]:
    """Every sealed record in a connection's document, for rewrapping."""
    of = partial(MongoRecords, collection, versioned=True)
    return (
        *(of(path, place) for path, place in _LASTING),
        *(of(path, place, _IN_A_LOGIN) for path, place in _PASSING),
        *(
            of(f"old_grants.{n}.sealed", partial(kept_grant_place, n), _WITH_RENEWALS)
            for n in range(MOST_GRANTS)
        ),
    )


_IN_A_LOGIN = {"shard": _ALL_SHARDS, "wake_at": {"$exists": True}}
"""A login under way is looked at by its end."""
_WITH_RENEWALS = {"shard": _ALL_SHARDS, "renew_at": {"$exists": True}}
_LASTING = (("credentials", kept_credentials_place), ("token.sealed", kept_token_place))
_PASSING = (
    ("login.found.credentials", kept_found_place),
    ("login.found.token.sealed", kept_found_token_place),
    ("login.machine", kept_machine_place),
    ("login.given.sealed", kept_answer_place),
)
KIDS = tuple(
    IndexModel(
        [(f"{path}.kid", ASCENDING)],
        name=f"kid of {path}",
        partialFilterExpression={f"{path}.kid": {"$exists": True}},
    )
    for path, _ in _LASTING
)
"""So that looking for records under older vault keys reads none of the others."""
