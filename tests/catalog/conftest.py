"""The catalogue as it runs, on real servers, with a folder of providers of the test's own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from catalog.app import build
from kit.logs import set_up
from kit.service import running
from kit.settings import Settings
from kit.tokens import new_signing_key, sign
from providers.starter import new
from schemas.topics import CATALOG_EVENTS

ADDRESS = "127.0.0.41"
PATIENCE = 30.0


class Rig:
    """What a test needs of the catalogue: start and stop it, ask it, read what it published."""

    def __init__(self, kafka: str, mongo: str, folder: Path, address: str = ADDRESS) -> None:
        self.address = address
        self.kafka = kafka
        self.mongo = mongo
        self.folder = folder
        self.key = new_signing_key("platform")
        self.http = httpx.AsyncClient(
            base_url=f"http://{address}:8101", headers={"authorization": self.token()}
        )

    def beside(self, address: str) -> Rig:
        """Another replica: the same servers and folder."""
        return Rig(self.kafka, self.mongo, self.folder, address)

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        all_claims = {
            "iss": "platform", "sub": "jane", "aud": "paperbus", "iat": now, "exp": now + 600,
            "jti": uuid4().hex, "account": "acme", "role": "member", **claims,
        }  # fmt: skip
        return f"Bearer {sign(self.key, all_claims)}"

    def settings(self) -> Settings:
        keys = {"keys": [self.key.as_dict(private=False)]}
        return Settings.load(
            {
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
                "MONGO_URL": self.mongo,
                "PAPERBUS_LISTEN": self.address,
                "PAPERBUS_PLATFORM_KEYS": json.dumps(keys),
                "PAPERBUS_PROVIDERS": str(self.folder),
                "PAPERBUS_INSTANCE": f"catalog-{self.address}",
            }
        )

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The service, ready."""
        settings = self.settings()
        async with running(build(settings), settings):
            await self.until(self.is_ready)
            yield

    async def is_ready(self) -> bool:
        return (await self.http.get("/health/ready")).status_code == httpx.codes.OK

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not await true():
            assert time.monotonic() < deadline, f"not so within {PATIENCE:.0f} s: {true}"
            await asyncio.sleep(0.1)

    async def finds(self, query: str, **filters: str) -> list[str]:
        answer = await self.http.get("/v1/providers", params={"query": query, **filters})
        assert answer.status_code == httpx.codes.OK, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def events(self, provider_id: str | None = None, topic: str = CATALOG_EVENTS.name) -> list[Any]:
        """Everything published so far, about one provider or all."""
        from aiokafka import AIOKafkaConsumer

        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.kafka,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        found: list[Any] = []
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            while left := [part for part, end in ends.items() if await consumer.position(part) < end]:
                for records in (await consumer.getmany(*left, timeout_ms=500)).values():
                    found += [
                        record for record in records if provider_id in (None, (record.key or b"").decode())
                    ]
        finally:
            await consumer.stop()
        return found

    async def said(self, provider_id: str) -> list[tuple[str, int]]:
        """The types and revisions published about one provider, in order."""
        events = [json.loads(record.value) for record in await self.events(provider_id)]
        return [(event["type"].split(".")[1], event["data"]["revision"]) for event in events]

    async def publisher(self) -> str:
        """The replica that reads the folders and publishes."""
        client: Any = AsyncIOMotorClient(self.mongo)
        held = await client["catalog"]["leases"].find_one({"name": {"$exists": True}})
        client.close()
        return str(held["owner"])

    async def lose_the_store(self) -> None:
        client: Any = AsyncIOMotorClient(self.mongo)
        await client.drop_database("catalog")
        client.close()

    def add(self, name: str) -> Path:
        return new(name, self.folder)

    def edit(self, folder: Path, old: str, fresh: str) -> None:
        path = folder / "manifest.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, fresh))


@pytest.fixture
async def rig(all_topics: Any, kafka: str, mongo: str, tmp_path: Path) -> AsyncIterator[Rig]:
    set_up("warning")
    folder = tmp_path / "providers"
    folder.mkdir()
    rig = Rig(kafka, mongo, folder)
    await rig.lose_the_store()
    yield rig
    await rig.http.aclose()
    await rig.lose_the_store()
