"""Connections and messages to test with: built by deciding, so that every state is one that is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from connections.handlers.tries import first_question
from connections.lifecycle.case import Case, Provider
from connections.lifecycle.deciding import decide
from connections.lifecycle.messages import Answered, Asked, TryClaimed, Unreached, Verified
from connections.lifecycle.things import Connection, Found, LoginState, Status
from schemas.catalog import ProviderRetired
from schemas.connections import (
    ConnectionOptionsSubmitted,
    ConnectionRemovalRequested,
    ConnectionRequested,
    Trouble,
)
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.syncs import Counts, DocumentsExported, SyncFailed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ID = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10"
ACCOUNT = "acme"
BROWSER = "the digest of the customer's browser"
SEALED = {"v": 1, "kid": "k", "wn": b"1", "wk": b"2", "n": b"3", "ct": b"4"}
MANIFEST = Manifest.model_validate(
    {
        "id": "webdav",
        "name": {"en": "WebDAV", "de": "WebDAV-Server"},
        "summary": "Files",
        "categories": ["storage"],
        "directions": ["export"],
        "login": [
            {
                "ask": "credentials",
                "fields": [
                    {"name": "url", "label": "Address", "type": "url", "required": True, "destination": True},
                    {"name": "username", "label": "User", "required": True},
                    {
                        "name": "password",
                        "label": "Password",
                        "type": "password",
                        "required": True,
                        "secret": True,
                    },
                ],
            }
        ],
        "driver": {"kind": "webdav"},
        "options": {
            "export": [
                {"name": "folder", "label": "Folder", "type": "folder", "default": "/", "choices_live": True},
                {
                    "name": "clash",
                    "label": "If the name is taken",
                    "type": "choice",
                    "default": "skip_same",
                    "choices": [
                        {"value": "skip_same", "label": "Skip"},
                        {"value": "number", "label": "Number"},
                    ],
                },
            ]
        },
    }
)
PROVIDER = Provider(MANIFEST, revision=3)
OPTIONS = tuple(spec.shown("en") for spec in MANIFEST.options.export)


def request(**members: Any) -> ConnectionRequested:
    plain = {"connection_id": ID, "direction": "export", "provider_id": "webdav", "answer_by": "sealed"}
    return ConnectionRequested.model_validate({**plain, **members})


def case(connection: Connection | None = None, at: datetime = NOW) -> Case:
    locale = connection.locale if connection else "en"
    first = first_question(MANIFEST, locale, connection.known if connection else {})
    return Case(at, connection, ACCOUNT, PROVIDER, first)


def after(connection: Connection | None, *messages: object, at: datetime = NOW) -> Connection:
    """The connection once all of these happened to it."""
    for message in messages:
        decision = decide(case(connection, at), message)
        connection = decision.after if decision else connection
    assert connection is not None
    return connection


def said(connection: Connection | None, message: object, at: datetime = NOW) -> list[Any]:
    """What is said about it."""
    decision = decide(case(connection, at), message)
    return list(decision.emits) if decision else []


def answered(connection: Connection, **members: Any) -> Answered:
    challenge = connection.login.challenge
    plain = Answered(
        challenge_id=challenge.challenge_id if challenge else "none",
        answer_id=str(uuid4()),
        action="answer",
        browser=None,
        sealed=SEALED,
    )
    return replace(plain, **members)


def found(identity: str = "jane@dav.example.org") -> Found:
    return Found(identity=identity, credentials=SEALED, known={"username": "jane"}, options=OPTIONS)


def trouble(reason: Reason = Reason.CREDENTIALS_WRONG) -> Trouble:
    return Trouble(reason=reason, message="The login did not work.")


def wrong(connection: Connection, reason: Reason = Reason.CREDENTIALS_WRONG) -> Asked:
    question = first_question(MANIFEST, "en", {})
    return Asked(connection.login.fence, question, SEALED, trouble(reason))


def unreached(connection: Connection) -> Unreached:
    return Unreached(connection.login.fence, trouble(Reason.HOST_UNREACHABLE))


def verified(connection: Connection, identity: str = "jane@dav.example.org") -> Verified:
    return Verified(connection.login.fence, found(identity))


def failed(connection: Connection, reason: Reason = Reason.CREDENTIALS_WRONG, **members: Any) -> SyncFailed:
    plain = {
        "connection_id": connection.id,
        "run_id": "run-1",
        "started_at": NOW,
        "credentials_revision": connection.credentials_revision,
        "reason": reason,
        "message": "It did not work.",
        "retry_at": None,
    }
    return SyncFailed.model_validate({**plain, **members})


def exported(
    connection: Connection, done: int = 1, at: datetime = NOW + timedelta(hours=1)
) -> DocumentsExported:
    return DocumentsExported(
        connection_id=connection.id,
        run_id="run-2",
        due_at=at,
        started_at=at,
        finished_at=at,
        counts=Counts(done=done),
        documents=(),
    )


def connecting(**members: Any) -> Connection:
    return after(None, request(**members))


def trying(connection: Connection | None = None, **members: Any) -> Connection:
    """A worker has the answer, under the fence 1."""
    it = connection or connecting()
    fence = it.login.machine_fence + it.login.sessions * 100 + 1
    it = after(it, answered(it, **members))
    return after(it, TryClaimed(fence))


def configuring(**members: Any) -> Connection:
    it = trying(connecting(**members))
    return after(it, verified(it))


def active() -> Connection:
    return after(configuring(), ConnectionOptionsSubmitted(connection_id=ID, options={"folder": "/Invoices"}))


def attention(reason: Reason = Reason.CREDENTIALS_WRONG) -> Connection:
    it = active()
    return after(it, failed(it, reason))


def in_status(status: Status) -> Connection | None:
    made: dict[Status, Callable[[], Connection | None]] = {
        Status.NEW: lambda: None,
        Status.CONNECTING: connecting,
        Status.CONFIGURING: configuring,
        Status.ACTIVE: active,
        Status.ATTENTION: attention,
        Status.REJECTED: lambda: after(connecting(), ProviderRetired(provider_id="webdav", revision=4)),
        Status.REMOVED: lambda: after(active(), ConnectionRemovalRequested(connection_id=ID)),
    }
    return made[status]()


def in_login_state(state: LoginState) -> Connection:
    match state:
        case LoginState.IDLE:
            return configuring()
        case LoginState.OPEN:
            it = trying(connecting(answer_by="window"), browser=BROWSER)
            return after(it, wrong(it))
        case LoginState.TRYING:
            return trying(connecting(answer_by="window"), browser=BROWSER)
        case LoginState.PROVING:
            it = trying(connecting(answer_by="window"), browser=BROWSER)
            return after(it, verified(it))
