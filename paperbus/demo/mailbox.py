"""The demo's mailbox: a real IMAP server that we did not write (`pymap`), with invoices in its inbox."""

from __future__ import annotations

import asyncio
import imaplib
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from paperbus.demo.invoices import Invoice
from paperbus.demo.target import answering
from paperbus.local.folder import free_port
from paperbus.local.process import Process

_PYMAP = str(Path(sys.executable).parent / "pymap")
_NOTHING_ELSE = ("--no-service", "admin", "--no-service", "managesieve", "--no-service", "swagger")


@dataclass(frozen=True)
class Mailbox:
    """A mail account: where it is and how to log in."""

    port: int
    username: str
    password: str = field(repr=False)
    host: str = "127.0.0.1"

    @property
    def login(self) -> dict[str, object]:
        """What the provider `imap` asks for."""
        return {
            "host": self.host,
            "port": self.port,
            "security": "none",
            "username": self.username,
            "password": self.password,
        }

    def receive(self, invoices: Iterable[Invoice]) -> None:
        """One mail for each invoice, in the inbox."""
        client = imaplib.IMAP4(self.host, self.port)
        client.login(self.username, self.password)
        for invoice in invoices:
            client.append("INBOX", "", imaplib.Time2Internaldate(time.time()), _mail(invoice))
        client.logout()


@asynccontextmanager
async def mailbox(
    folder: Path, invoices: Iterable[Invoice], password: str | None = None
) -> AsyncIterator[Mailbox]:
    """The server with these invoices in its inbox, for as long as the block lasts; its log goes to `folder`.

    Without a `password` it gets a new one of its own.

    Raises:
        DidNotStart: see `answering`.
    """
    port = free_port()
    box = Mailbox(port, "jane", password or secrets.token_urlsafe(12))
    # Joined by `=`: a password may begin with a hyphen, as one of 64 that we make does.
    account = ("dict", f"--demo-user={box.username}", f"--demo-password={box.password}")
    log = folder / "mailbox.log"
    process = Process(
        [_PYMAP, "--host", box.host, "--port", str(port), "--no-tls", *_NOTHING_ELSE, *account],
        log=log,
    )
    try:
        await answering(process, port, "The demo's mailbox", log)
        await asyncio.to_thread(box.receive, invoices)
        yield box
    finally:
        await process.stop(2)


def _mail(invoice: Invoice) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"{invoice.seller[0]} <billing@seller.example>"
    mail["To"] = "jane@bakery.example"
    mail["Subject"] = f"Invoice {invoice.number}"
    mail["Message-ID"] = f"<{invoice.number}@seller.example>"
    mail.set_content("Please find our invoice attached.")
    mail.add_attachment(invoice.content, maintype="application", subtype="pdf", filename=invoice.filename)
    return mail.as_bytes()
