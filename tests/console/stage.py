"""A platform with its console on servers of its own: for tests in a browser, and for pictures of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from outsider import Json, Outsider
from running import PORTS, Running, running
from targets import Target, rclone_webdav

from tests.console.gate import Gate, a_gate

SELLERS = (
    "Moulins du Nord",
    "Müller & Söhne GmbH",
    "Imprimerie Lafayette",
    "Stadtwerke Köln",
    "Café <b>Noir</b>",
)
OPTIONS = {"folder": "/Invoices/{year}", "filename": "{issue_date} {seller_name} {number}{ext}"}


@dataclass
class Stage:
    """What a walk needs: the console's address, a way in, a target to log in to."""

    services: Running
    outsider: Outsider
    target: Target
    origin: str
    providers: Path
    """A folder of manifests that the catalog reads."""

    @property
    def url(self) -> str:
        return self.services.url("console")

    def link(self, role: str = "admin") -> str:
        """A fresh link to the console, as the platform makes it."""
        token = self.outsider.token(
            role, aud="paperbus.console", sub="jane@martin.example", exp=int(time.time()) + 600
        )
        return f"{self.url}/enter?token={token}"

    def account(self, name: str) -> None:
        """From now on, everything is of this account."""
        self.outsider.account = name

    def documents(self, number: int) -> list[Json]:
        """Documents of the platform, served to sync-runner."""
        return [
            self.outsider.document(
                f"%PDF-1.4 {n} {uuid.uuid4()}".encode(),
                f"R-2026-{1000 + n}.pdf",
                self.origin,
                number=f"R-2026-{1000 + n}",
                seller_name=SELLERS[n % len(SELLERS)],
                issue_date=f"2026-{n % 11 + 1:02}-15",
            )
            for n in range(number)
        ]

    @asynccontextmanager
    async def two_consoles(self) -> AsyncIterator[tuple[Gate, tuple[Running, Running]]]:
        """Two replicas behind the console's address, and what decides to which one new connections go."""
        services = self.services
        await asyncio.to_thread(services.end, "console")
        first, second = (
            services.replica(services.address.replace("127.0.0.", f"127.0.{n}.")) for n in (1, 2)
        )
        for each in (first, second):
            each.start("console")
        try:
            for each in (first, second):
                await asyncio.to_thread(each.ready, "console")
            async with a_gate(services.address, PORTS["console"], first.address) as gate:
                yield gate, (first, second)
        finally:
            first.stop()
            second.stop()
            services.start("console")
            await asyncio.to_thread(services.ready, "console")

    def published(self, provider: str) -> None:
        """Wait until a provider is in the catalogue."""
        self.outsider.wait("ProviderPublished", provider)

    def connect(
        self, name: str, target: Target | None = None, bucket: str | None = None, **asked: object
    ) -> str:
        """A saved export to a WebDAV server, or to a bucket, made over events alone."""
        at = target or self.target
        id_ = str(uuid.uuid4())
        wanted = {"schedule": {"at": "02:30", "timezone": "Europe/Paris"}, "answer_by": "sealed", **asked}
        about = {"direction": "export", "provider_id": "s3" if bucket else "webdav", "name": name}
        self.outsider.ask("ConnectionRequested", connection_id=id_, **about, **wanted)
        challenge = self.outsider.wait("AuthChallengeIssued", id_)["data"]
        login = {"url": at.url, "username": at.username, "password": at.password}
        if bucket:
            login = {"endpoint": at.url, "region": "eu-west-1", "bucket": bucket}
            login |= {"access_key_id": at.username, "secret_access_key": at.password}
        self.outsider.answer(challenge, login)
        self.outsider.wait("ConnectionAuthorized", id_)
        self.outsider.ask("ConnectionOptionsSubmitted", connection_id=id_, options=OPTIONS)
        self.outsider.wait("ConnectionSaved", id_)
        return id_


@contextmanager
def staged(folder: Path, address: str, **settings: str) -> Iterator[Stage]:
    """All of it, for as long as the block lasts."""
    (providers := folder / "providers").mkdir(exist_ok=True)
    settings = {"PAPERBUS_PROVIDERS": str(providers)} | settings
    with running(address, "console", **settings) as services, rclone_webdav(folder / "target") as target:
        outsider = Outsider(
            services.kafka,
            services.platform_key,
            services.url("connections"),
            services.url("sync-runner"),
            services.environment["PAPERBUS_SERVICE_KEYS"],
        )
        with outsider.listening(), outsider.serving() as origin:
            yield Stage(services, outsider, target, origin, providers)
