"""A mailbox as somebody else sees it, and what an import told."""

import imaplib
import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imapservers import MailServer
from run_rig import Rig


@dataclass
class Box:
    """A mailbox of a test's own, as somebody else sees it."""

    server: MailServer
    name: str

    def talk(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4(self.server.host, self.server.port)
        client.login(self.server.username, self.server.password)
        return client

    def put(self, *mails: bytes, at: datetime | None = None, name: str | None = None) -> None:
        client = self.talk()
        for mail in mails:
            when = None if at is None else imaplib.Time2Internaldate(at)
            status, said = client.append(name or self.name, None, when, mail)  # type: ignore[arg-type]  # None is today
            assert status == "OK", said
        client.logout()

    def move(self, name: str, to: str) -> None:
        client = self.talk()
        client.create(to)
        client.select(name)
        client.copy("1:*", to)
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()
        client.logout()

    def read(self) -> None:
        """Somebody reads all that is there."""
        client = self.talk()
        client.select(self.name)
        client.store("1:*", "+FLAGS", "\\Seen")
        client.logout()

    def make_anew(self) -> None:
        """The mailbox is deleted and made again: its UIDVALIDITY is another one."""
        client = self.talk()
        client.delete(self.name)
        time.sleep(1.1)  # Dovecot takes the second for it
        client.create(self.name)
        client.logout()

    def flags(self) -> list[bytes]:
        """Of each mail that is there."""
        client = self.talk()
        client.select(self.name, readonly=True)
        _, said = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [line for line in said if isinstance(line, bytes)]

    def count(self, name: str | None = None) -> int:
        client = self.talk()
        status, said = client.select(name or self.name, readonly=True)
        client.logout()
        return int(said[0] or 0) if status == "OK" else 0


async def told(rig: Rig) -> list[dict[str, Any]]:
    """Every document that an event tells of, in order."""
    owes = (await rig.sync())["owes"]
    events = [json.loads(owed["value"]) for owed in owes if "DocumentsImported" in owed["type"]]
    return [document for event in events for document in event["data"]["documents"]]
