"""The demo's way in: a mailbox and a folder are connected, and what lies there arrives at the platform."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paperbus.demo.bus import DemoFailed
from paperbus.demo.invoices import Invoice
from paperbus.demo.mailbox import Mailbox
from paperbus.demo.story import Connecting, Story
from paperbus.demo.target import Target
from schemas.documents import DocumentAccepted
from schemas.syncs import DocumentsImported, DueReason, ImportDue, ImportedDocument

INBOX = "Inbox"
"""The folder of the WebDAV account that documents are brought from."""


@dataclass(frozen=True)
class Imports:
    """The platform as it takes in what its customer has elsewhere."""

    story: Story

    async def from_mailbox(self, box: Mailbox, expected: Sequence[Invoice]) -> list[ImportedDocument]:
        """Connect the mailbox, and take what arrived in it."""
        wanted = Connecting("import", "imap", "Jane's mailbox", box.login, {"mailbox": "INBOX"})
        return await self._taken(wanted, expected)

    async def from_folder(self, target: Target, expected: Sequence[Invoice]) -> list[ImportedDocument]:
        """Connect the folder, and take what lies in it."""
        wanted = Connecting("import", "webdav", "Scanner's folder", target.login, {"folder": f"/{INBOX}"})
        return await self._taken(wanted, expected)

    async def _taken(self, wanted: Connecting, expected: Sequence[Invoice]) -> list[ImportedDocument]:
        connection = await self.story.connect(wanted)
        due = ImportDue(connection_id=connection, due_at=datetime.now(UTC), reason=DueReason.MANUAL)
        await self.story.bus.say(due)
        told = await self.story.bus.told(DocumentsImported, connection)
        documents = list(told.documents)
        for document in documents:
            await self._accept(connection, document)
        missing = {invoice.sha256 for invoice in expected} - {document.sha256 for document in documents}
        if missing:
            raise DemoFailed(
                f"{len(missing)} of {len(expected)} documents did not arrive from {wanted.name}."
            )
        return documents

    async def _accept(self, connection: str, document: ImportedDocument) -> None:
        """Fetch the bytes, compare them with what was said of them, and say that the platform has them."""
        token = {"Authorization": f"Bearer {self.story.token()}"}
        answer = await self.story.http.get(document.content_url, headers=token)
        if hashlib.sha256(answer.raise_for_status().content).hexdigest() != document.sha256:
            raise DemoFailed(f"The bytes of {document.filename} are not those that were told of.")
        accepted = DocumentAccepted(
            connection_id=connection, external_id=document.external_id, version=document.version
        )
        await self.story.bus.say(accepted, connection)


def lay_down(folder: Path, invoices: Sequence[Invoice]) -> None:
    """Put invoices where they are brought from. The server remembers listings: do so before it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    for invoice in invoices:
        (folder / invoice.filename).write_bytes(invoice.content)
