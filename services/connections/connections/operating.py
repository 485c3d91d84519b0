"""`python -m connections.operating`: what an operator does to this service's own stores, a line of JSON each.

`paperbus admin` calls it, so that the vault's keys are opened by this service's code alone. A secret comes on
standard input, never as an argument.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from connections import store, vault_store
from connections.answer_keys_store import MongoKeyStore
from connections.clients import MongoClients
from connections.providers_store import MongoProviders
from connections.republish import republish
from connections.vault import Vault, VaultKeysRefused, read_keys
from connections.vault_store import Records, Rotated, rewrap_all
from connections.window.departures import MongoDepartures
from kit import mongo
from kit.mongo import Database
from kit.settings import Settings, SettingsError
from kit.trouble import is_trouble
from providers.login.oauth.client import Client

NAME = "connections"
MOST_ROUNDS = 20
"""Rounds of rewrapping; each looks again at what was written meanwhile."""
TOLD_EVERY = 1000

Say = Callable[[dict[str, Any]], None]


class Wrong(Exception):
    """What was asked cannot be done; the text says what to do about it."""


class Desk:
    """The stores, for the length of one command."""

    def __init__(self, db: Database, vault: Vault, say: Say, read: Callable[[], str] = str) -> None:
        """`read` gives what came on standard input."""
        self.db = db
        self.vault = vault
        self.say = say
        self.read = read
        self.clients = MongoClients(db.clients, vault)
        self.providers = MongoProviders(db.providers, db.manifests, self.clients.set_up)

    @property
    def records(self) -> tuple[Records, ...]:
        """Every place where something sealed is kept, but the canary."""
        keys = MongoKeyStore(self.db.answer_keys)
        departures = MongoDepartures(self.db.departures)
        connections = store.records(self.db.connections)
        return (*connections, keys.records(), self.clients.records(), departures.records())

    async def set_client(self, provider_id: str) -> None:
        """Keep the client on standard input: {`client_id`, `secret` or `key`, `by`}."""
        newest = (await self.providers.newest((provider_id,))).get(provider_id)
        if newest is None:
            raise Wrong(f"There is no provider {provider_id}; `paperbus provider list` names them.")
        if newest.manifest.oauth is None or newest.manifest.oauth.client != "operator":
            raise Wrong(f"{provider_id} needs no client: its customers log in with what they have.")
        given = json.loads(self.read())
        by_key = newest.manifest.oauth.client_auth == "private_key_jwt"
        if not given.get("client_id") or (by_key and not given.get("key")):
            raise Wrong("A client has a `client_id`, and where it proves itself by key, a private JWK.")
        addresses = frozenset(newest.manifest.oauth.addresses)
        client = Client(given["client_id"], given.get("secret") or None, given.get("key"), addresses)
        await self.clients.keep(provider_id, client, str(given.get("by") or "operator"), datetime.now(UTC))
        self.say({"provider_id": provider_id, "client_id": client.client_id})

    async def list_clients(self) -> None:
        """Which providers have a client, without secrets."""
        for one in await self.clients.known():
            self.say({"provider_id": one["_id"], **{n: _text(v) for n, v in one.items() if n != "_id"}})

    async def remove_client(self, provider_id: str) -> None:
        """Forget a client."""
        if not await self.clients.remove(provider_id):
            raise Wrong(f"There is no client for {provider_id}.")
        self.say({"provider_id": provider_id})

    async def rotate(self) -> None:
        """Wrap everything by the newest vault key, telling how far it is."""
        for _ in range(MOST_ROUNDS):
            total = await self._left()
            done = await rewrap_all(self.vault, self.records, self._telling(total))
            if done.broken:
                raise Wrong(
                    f"{done.broken} records do not open with the keys that are held; put the keys that they "
                    "are sealed by behind the newest, and rotate again."
                )
            if done == Rotated() and not await self._left():  # what moved meanwhile was seen in neither place
                await rewrap_all(self.vault, [vault_store.canary_records(self.db.vault)])
                self.say({"kid": self.vault.newest, "left": 0, "done": True})
                return
        raise Wrong("Services still seal by an older key: give all the newest one first, and restart.")

    async def _left(self) -> int:
        """How many records are wrapped by an older key."""
        return sum([await one.count(self.vault.newest) for one in self.records])

    def _telling(self, total: int) -> Callable[[Rotated], None]:
        def told(done: Rotated) -> None:
            seen = done.rewrapped + done.lost + done.broken
            if seen % TOLD_EVERY == 0 or seen == total:
                self.say({**asdict(done), "left": max(0, total - seen)})

        return told

    async def approve(self, provider_id: str) -> None:
        """Let stored secrets, the client's too, go where the newest manifest sends them."""
        revision = await self.providers.approve(provider_id)
        if revision is None:
            raise Wrong(f"There is no provider {provider_id}.")
        approved = await self.providers.at(provider_id, revision)
        if approved is not None and approved.manifest.oauth is not None:
            await self.clients.approve(provider_id, approved.manifest.oauth.addresses)
        self.say({"provider_id": provider_id, "approved": revision})

    async def pause(self, provider_id: str) -> None:
        await self._paused(provider_id, paused=True)

    async def resume(self, provider_id: str) -> None:
        await self._paused(provider_id, paused=False)

    async def republish(self, account: str, connection: str) -> None:
        """Owe the present state of connections again: of an account, of one, or (both empty) of all."""
        count = await republish(self.db, account or None, connection or None)
        if connection and not count:
            raise Wrong(f"There is no saved connection {connection}.")
        self.say({"connections": count})

    async def _paused(self, provider_id: str, *, paused: bool) -> None:
        if not await self.providers.pause(provider_id, paused=paused):
            raise Wrong(f"There is no provider {provider_id}.")
        self.say({"provider_id": provider_id, "paused": paused})


CALLS: dict[str, Callable[..., Awaitable[None]]] = {
    "clients-set": Desk.set_client,
    "clients-list": Desk.list_clients,
    "clients-remove": Desk.remove_client,
    "keys-rotate": Desk.rotate,
    "provider-approve": Desk.approve,
    "provider-pause": Desk.pause,
    "provider-resume": Desk.resume,
    "republish": Desk.republish,
}


async def run(call: str, given: Sequence[str], settings: Settings, say: Say) -> None:
    """Do one of `CALLS`.

    Raises:
        Wrong, SettingsError, VaultKeysRefused: one sentence.
    """
    if settings.mongo_url is None or settings.paperbus_vault_keys is None:
        raise SettingsError("MONGO_URL and PAPERBUS_VAULT_KEYS are needed: set them as connections has them.")
    vault = read_keys(settings.paperbus_vault_keys.get_secret_value())
    client = mongo.connect(settings.mongo_url.get_secret_value())
    try:
        await mongo.ready(client)
        await vault_store.prove(vault, client[NAME].vault)
        await CALLS[call](Desk(client[NAME], vault, say, sys.stdin.read), *given)
    finally:
        client.close()


def main(arguments: Sequence[str]) -> int:
    """0 where it was done; a sentence on standard error and 1 where not."""

    def say(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    try:
        asyncio.run(run(arguments[0], arguments[1:], Settings.load(), say))
    except (Wrong, SettingsError, VaultKeysRefused, mongo.Unusable) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    except Exception as error:
        if not is_trouble(error):
            raise
        sys.stderr.write("MongoDB is away; call this again, it goes on where it was.\n")
        return 1
    return 0


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
