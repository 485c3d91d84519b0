"""What a decision is made about: the connection, the moment, and what was looked up for it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connections.lifecycle.things import Connection, Status
from schemas.challenges import Challenge
from schemas.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as a connection meets it: one revision of its manifest, and whether it is offered still."""

    manifest: Manifest
    revision: int
    retired: bool = False
    set_up: bool = True
    """Whether the operator's client is there, where the provider's login needs one."""
    paused: bool = False
    """Whether an operator paused it: nothing is lent, and no login begins."""
    approved: int | None = None
    """The newest revision whose hosts an operator approved of."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a decision is made about: a connection, the moment, and whatever the handler looked up for it.

    `connection` is None only while the status is `new`.
    """

    at: datetime
    connection: Connection | None = None
    account: str = ""
    provider: Provider | None = None
    first: Challenge | None = None
    """The first question of a login, where the message begins one."""

    @property
    def it(self) -> Connection:
        """The connection, where there must be one."""
        if self.connection is None:
            raise LookupError("there is no connection yet")
        return self.connection

    @property
    def status(self) -> Status:
        return Status.NEW if self.connection is None else self.connection.status

    @property
    def offered(self) -> Provider:
        """The provider, where the message is about one."""
        if self.provider is None:
            raise LookupError("the handler looked up no provider")
        return self.provider

    def became(self, connection: Connection) -> Case:
        return replace(self, connection=connection)

    def changed(self, **members: Any) -> Case:
        """With these members of the connection changed."""
        return replace(self, connection=self.it.model_copy(update=members))

    def login(self, **members: Any) -> Case:
        """With these members of the login changed."""
        return self.changed(login=self.it.login.model_copy(update=members))
