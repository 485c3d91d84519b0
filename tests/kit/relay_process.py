"""A relay in a process of its own, to be killed: `relay_process.py BOOTSTRAP MONGO DATABASE OWNER KIND`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from kit import mongo
from kit.broker import Kafka
from kit.leases import Leases
from kit.relay import ALL, FencedRelay, Relay, shard_names


async def main(bootstrap: str, url: str, database: str, owner: str, kind: str) -> None:
    db = mongo.connect(url)[database]
    plain = kind == "plain"
    leases = Leases(db["leases"], "relay", shard_names() if plain else ALL, owner, timedelta(seconds=2))
    relay = (Relay if plain else FencedRelay)(db["tallies"], db["bodies"], Kafka(bootstrap), leases)
    sys.stdout.write("started\n")
    sys.stdout.flush()
    await relay.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
