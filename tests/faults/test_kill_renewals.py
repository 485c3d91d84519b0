"""Workers killed with SIGKILL around a renewal, at servers that rotate refresh tokens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from connections import store
from connections.lifecycle.things import Connection, Status
from connections.lifecycle.tokens import TokenState
from connections.tokens import opened_token, sealed_token
from kit.aggregates import shard_of
from providers.login.oauth import leaving, tokens
from providers.login.oauth.registered import registered
from schemas.manifest import Manifest
from schemas.oauth import TokenLife
from tests.faults.renewing import POINTS, SECRET, VAULT, worker
from tests.oauth.walking import CALLBACK, agree
from tests.peers.oidc_server import OidcServer, oidc_server
from tests.peers.toolkit_server import toolkit_server
from tests.unit.connections.builders import MANIFEST, active

pytestmark = [pytest.mark.faults, pytest.mark.servers, pytest.mark.timeout(600)]
CLIENT = {
    "client_id": "paperbus",
    "client_secret": SECRET,
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def forgiving() -> Iterator[OidcServer]:
    """It takes a refresh token that was exchanged once more, for two minutes."""
    with toolkit_server([CLIENT], ["files", "offline_access"], grace=120) as server:
        yield server


@pytest.fixture(scope="module")
def strict() -> Iterator[OidcServer]:
    """It ends the grant when a refresh token that was exchanged comes again (RFC 9700 §4.14.2)."""
    with oidc_server([CLIENT], scopes=["files"], always_refresh=True) as server:
        yield server


class Place:
    """A connection whose tokens are due, in a database."""

    def __init__(self, url: str, database: str, authority: OidcServer, *, consents: bool = False) -> None:
        self.url, self.database, self.id = url, database, str(uuid4())
        oauth = {
            "issuer": authority.issuer,
            "scopes": ["openid", "files"],
            "authorize_params": {"prompt": "consent"} if consents else {},
        }
        plain = {**MANIFEST.wire(), "login": [{"redirect": "oauth"}], "oauth": oauth}
        self.manifest = Manifest.model_validate(plain)
        self.client = MongoClient[dict[str, Any]](url, tz_aware=True)
        self.kept = self.client[database].connections

    def close(self) -> None:
        self.client.close()

    async def fill(self) -> None:
        """Log in at the server, as a customer would, and let the tokens be due."""
        async with worker(self.url, self.database, self.manifest) as (renewals, _):
            there = await registered(self.manifest, {}, renewals.asking.reach)  # type: ignore[attr-defined]
            address, _, departure = leaving.depart(there, CALLBACK)
            code = (await agree(address))["code"]
            given = await tokens.by_code(there, code, departure.verifier, CALLBACK)
        it = active().model_copy(update={"id": self.id})
        token = sealed_token(VAULT, it, given, {}, (TokenLife(), 1, 0))
        it = it.model_copy(
            update={
                "token": token.model_copy(update={"access_due": datetime.now(UTC) - timedelta(seconds=1)})
            }
        )
        own = {"account": "acme", "v": 1, "shard": shard_of(self.id), "schema": 1, "owes": [], "seen": []}
        self.kept.insert_one({"_id": self.id, **own, **store.dump(it)})

    def work(self, dies: str | None = None, ahead: int = 0) -> int:
        """Let a worker do what is due; how it ended."""
        given = {
            "url": self.url, "database": self.database, "manifest": self.manifest.wire(), "id": self.id,
            "dies": dies, "ahead": ahead,
        }  # fmt: skip
        program = Path(__file__).parent / "renewing.py"
        return subprocess.run(
            [sys.executable, str(program), json.dumps(given)], check=False, timeout=60
        ).returncode

    def lease_ends(self) -> None:
        self.kept.update_one({"_id": self.id}, {"$set": {"renewal.until": EPOCH}})

    def connection(self) -> Connection:
        document = self.kept.find_one({"_id": self.id})
        assert document is not None
        return store.load(document)

    def told(self) -> list[str]:
        document = self.kept.find_one({"_id": self.id}) or {}
        return [json.loads(owed["value"])["type"].split(".")[1] for owed in document["owes"]]


async def killed(place: Place, point: str) -> Connection:
    """What becomes of a connection whose worker died at this point, once its successor has worked."""
    await place.fill()
    assert place.work(point) == -signal.SIGKILL
    assert place.work(ahead=60) == 0  # its lease still holds: nobody else asks the provider
    place.lease_ends()
    assert place.work(ahead=60) == 0
    return place.connection()


@pytest.mark.parametrize("point", POINTS)
async def test_a_rotated_token_is_never_lost_where_the_provider_takes_the_old_one_again(
    point: str, forgiving: OidcServer, mongo: str, fresh_database: str
) -> None:
    with closing(Place(mongo, fresh_database, forgiving)) as place:
        it = await killed(place, point)

        assert (it.status, place.told()) == (Status.ACTIVE, [])
    assert it.token is not None
    assert (it.token.state, it.token.renewals) == (TokenState.FRESH, 1)
    old, at = opened_token(VAULT, it, it.token)
    async with worker(mongo, fresh_database, place.manifest) as (renewals, _):
        new = await renewals.asking.renew(place.manifest, at, old)
    assert new.access_token != old.access_token


@pytest.mark.parametrize("point", POINTS)
async def test_a_provider_that_takes_no_token_twice_lets_the_customer_be_asked_once(
    point: str, strict: OidcServer, mongo: str, fresh_database: str
) -> None:
    with closing(Place(mongo, fresh_database, strict, consents=True)) as place:
        it, told = await killed(place, point), place.told()

    assert it.token is not None
    if point == "between answer and store":
        assert (it.status, it.token.state) == (Status.ATTENTION, TokenState.DEAD)
        assert told == ["ConnectionNeedsAttention"]
    else:
        assert (it.status, it.token.state, told) == (Status.ACTIVE, TokenState.FRESH, [])
