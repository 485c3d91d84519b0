"""Makes MongoDB ready for the services: the replica set, and a user each. What is done already stays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from paperbus.errors import Stopped

SERVICES = {
    "catalog": "catalog",
    "connections": "connections",
    "sync-runner": "sync_runner",
    "console": "console",
}
"""Which user owns which database."""
ADMIN, OPERATOR = "admin", "operator"
USERS = (ADMIN, OPERATOR, *SERVICES)
PATIENCE = 60.0
WRONG_PASSWORD, ALREADY_INITIATED = 18, 23
"""MongoDB's error codes."""

Client = MongoClient[dict[str, Any]]


def roles(user: str) -> list[Any]:
    """What a user may: a service its own database, the operator all four, the admin everything."""
    if user == ADMIN:
        return ["root"]
    owned = SERVICES.values() if user == OPERATOR else (SERVICES[user],)
    return [{"role": "readWrite", "db": database} for database in owned]


def prepare(url: str, member: str, passwords: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Initiate the set of the one `member`, make the users; say what was done.

    At the first start `url` must reach mongod over loopback: only there may the first user be made.

    Raises:
        Stopped: nobody answers within a minute, or the admin's password is another one.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _prepare(url, member, passwords, say)
        except ConnectionFailure as error:
            if time.monotonic() > deadline:
                raise Stopped(f"MongoDB is not ready after {PATIENCE:.0f} s: {error}") from None
            time.sleep(0.5)
        except PyMongoError as error:
            raise Stopped(f"MongoDB refused: {error}") from None


def _prepare(url: str, member: str, passwords: Mapping[str, str], say: Callable[[str], None]) -> None:
    with _client(url) as nobody:
        if _initiated(nobody, member):
            say(f"The replica set has its first member, {member}.")
        if not nobody.admin.command("hello")["isWritablePrimary"]:
            raise ConnectionFailure("it is not primary yet")
        with contextlib.suppress(OperationFailure):  # there is a user already, so nobody may make one
            _make(nobody, ADMIN, passwords[ADMIN])
            say(f"Made the user {ADMIN}.")
    with _client(url, password=passwords[ADMIN]) as admin:
        for user, password in passwords.items():
            if user != ADMIN and _user_is_new(admin, user, password):
                say(f"Made the user {user}.")


def _client(url: str, password: str | None = None) -> Client:
    """Straight to this one server; as the admin where its password is given, else as nobody."""
    host, port = parse_uri(url)["nodelist"][0]
    who: dict[str, Any] = {"username": ADMIN, "password": password} if password else {}
    return MongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=2000, **who)


def _initiated(nobody: Client, member: str) -> bool:
    if "setName" in nobody.admin.command("hello"):
        return False
    try:
        nobody.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": member}]})
    except OperationFailure as error:
        if error.code == ALREADY_INITIATED:
            return False
        raise
    return True


def _user_is_new(admin: Client, user: str, password: str) -> bool:
    try:
        _make(admin, user, password)
    except OperationFailure as error:
        if error.code == WRONG_PASSWORD:
            raise Stopped(
                "MongoDB has another password for `admin` than MONGO_PASSWORD_ADMIN: give back the .env "
                "that it was made with, or start with an empty volume."
            ) from None
        admin.admin.command("updateUser", user, pwd=password, roles=roles(user))
        return False
    return True


def _make(client: Client, user: str, password: str) -> None:
    client.admin.command("createUser", user, pwd=password, roles=roles(user))
