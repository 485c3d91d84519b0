"""The demo's story: connect an account over events alone, hand over documents, export, look at the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey

from kit.tokens import seal
from paperbus.demo.bus import Bus, DemoFailed
from paperbus.demo.platform import Stored
from paperbus.demo.target import Target
from schemas.connections import (
    AuthChallengeAnswerSubmitted,
    AuthChallengeIssued,
    ConnectionAuthorized,
    ConnectionOptionsSubmitted,
    ConnectionRequested,
    ConnectionSaved,
)
from schemas.reasons import Direction
from schemas.schedules import Schedule
from schemas.syncs import DocumentsExported, DueReason, ExportDue

OPTIONS = {"folder": "/Invoices/{year}", "filename": "{filename}", "clash": "skip_same", "sidecar": "none"}
ANSWER_TYPE = "paperbus-answer+jwe"


@dataclass(frozen=True)
class Connecting:
    """An account to connect: which way, at which provider, how it logs in, and what is chosen."""

    direction: Direction
    provider_id: str
    name: str
    login: dict[str, object] = field(repr=False)
    options: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Everything that the demo needs to speak of one account."""

    bus: Bus
    http: httpx.AsyncClient
    connections_url: str
    sync_runner_url: str
    token: Callable[[], str]

    async def connect(self, wanted: Connecting) -> str:
        """Connect an account, to run daily, with a sealed answer. Returns the connection's id."""
        connection = str(uuid4())
        await self.bus.say(
            ConnectionRequested(
                connection_id=connection,
                direction=wanted.direction,
                provider_id=wanted.provider_id,
                answer_by="sealed",
                schedule=Schedule(every="P1D", timezone="Europe/Paris"),
                start="all",
                name=wanted.name,
            )
        )
        challenge = await self.bus.told(AuthChallengeIssued, connection)
        await self.bus.say(await self._answer(challenge, wanted.login))
        await self.bus.told(ConnectionAuthorized, connection)
        await self.bus.say(ConnectionOptionsSubmitted(connection_id=connection, options=wanted.options))
        await self.bus.told(ConnectionSaved, connection)
        return connection

    async def _answer(
        self, challenge: AuthChallengeIssued, fields: dict[str, object]
    ) -> AuthChallengeAnswerSubmitted:
        """The answer, sealed to the first key that connections publishes (CONTRACT §4)."""
        published = await self.http.get(f"{self.connections_url}/.well-known/jwks.json")
        key = ECKey.import_key(published.raise_for_status().json()["keys"][0])
        now = int(time())
        answer = {
            "aud": "paperbus.connections",
            "token": self.token(),
            "connection_id": challenge.connection_id,
            "challenge_id": challenge.challenge_id,
            "answer_id": str(uuid4()),
            "action": "answer",
            "iat": now,
            "exp": now + 300,
            "fields": fields,
        }
        sealed = seal(answer, key, ANSWER_TYPE)
        return AuthChallengeAnswerSubmitted(
            connection_id=challenge.connection_id, challenge_id=challenge.challenge_id, sealed=sealed
        )

    async def hand_over(self, documents: dict[str, Stored], origin: str) -> None:
        """Tell Paperbus of every document."""
        for document in documents.values():
            await self.bus.say(document.received(origin))

    async def export(self, connection: str, documents: dict[str, Stored]) -> None:
        """Send a due, and wait until every document has been told of.

        Raises:
            DemoFailed: one of them did not arrive.
        """
        await self.bus.say(
            ExportDue(connection_id=connection, due_at=datetime.now(UTC), reason=DueReason.MANUAL)
        )
        missing = set(documents)
        seen: set[str] = set()

        def new(data: DocumentsExported) -> bool:
            return f"{data.run_id}/{data.part}" not in seen

        while missing:
            told = await self.bus.told(DocumentsExported, connection, new)
            seen.add(f"{told.run_id}/{told.part}")
            for document in told.documents:
                if document.status != "done":
                    raise DemoFailed(f"{document.document_id} is {document.status}: {document.message}")
                missing.discard(document.document_id)

    async def ledger(self, connection: str) -> list[dict[str, Any]]:
        """The rows that sync-runner keeps of the connection."""
        answer = await self.http.get(
            f"{self.sync_runner_url}/v1/connections/{connection}/documents",
            headers={"Authorization": f"Bearer {self.token()}"},
        )
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return rows


def differing(documents: dict[str, Stored], target: Target) -> list[str]:
    """The filenames that did not arrive byte for byte, exactly once."""
    arrived = list(target.files().values())
    return [
        document.invoice.filename
        for document in documents.values()
        if arrived.count(document.invoice.content) != 1
    ]
