"""The demo's platform: it serves its documents to sync-runner, and only to sync-runner (CONTRACT §4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from joserfc.jwk import KeySet

from kit.tokens import TokenRefused, claims_of
from paperbus.demo.invoices import Invoice
from schemas.documents import DocumentReceived, Metadata

if TYPE_CHECKING:
    from aiohttp import web

LONGEST_FETCH = 300
"""Seconds that sync-runner's token for one document may live (CONTRACT §4)."""


@dataclass(frozen=True)
class Stored:
    """One document of the platform, under its id."""

    document_id: str
    account: str
    invoice: Invoice
    received_at: datetime

    def received(self, origin: str) -> DocumentReceived:
        """What the platform tells Paperbus about it."""
        return DocumentReceived(
            document_id=self.document_id,
            version=1,
            filename=self.invoice.filename,
            media_type="application/pdf",
            size=len(self.invoice.content),
            sha256=self.invoice.sha256,
            content_url=f"{origin}/files/{self.document_id}",
            received_at=self.received_at,
            metadata=Metadata.model_validate(self.invoice.metadata()),
        )


def stored(account: str, invoices: Iterable[Invoice], received_at: datetime) -> dict[str, Stored]:
    """The invoices as documents of `account`, by id."""
    documents = (Stored(str(uuid4()), account, invoice, received_at) for invoice in invoices)
    return {document.document_id: document for document in documents}


@asynccontextmanager
async def serving(
    documents: dict[str, Stored], service_keys: KeySet, now: Callable[[], float]
) -> AsyncIterator[str]:
    """Serves the documents on a free port of loopback; yields the origin."""
    from aiohttp import web

    origin: list[str] = []

    async def file(request: web.Request) -> web.Response:
        document = documents.get(request.match_info["id"])
        if document is None or not _lets_in(request.headers, document, service_keys, origin[0], now()):
            raise web.HTTPForbidden(text="Only sync-runner may read this, with a token for this document.")
        return web.Response(body=document.invoice.content, content_type="application/pdf")

    app = web.Application()
    app.router.add_get("/files/{id}", file)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        origin.append(f"http://127.0.0.1:{port}")
        yield origin[0]
    finally:
        await runner.cleanup()


def _lets_in(headers: Any, document: Stored, keys: KeySet, origin: str, now: float) -> bool:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    try:
        claims = claims_of(token, {str(key.kid): key for key in keys}, origin, LONGEST_FETCH, now)
    except TokenRefused:
        return False
    said = tuple(claims.get(name) for name in ("iss", "account", "document_id"))
    return scheme == "Bearer" and said == ("sync-runner", document.account, document.document_id)
