"""Steps that several tests from outside take: log in, connect, look at what arrived."""

from __future__ import annotations

import uuid
from pathlib import Path

from outsider import Json, Outsider
from targets import Target

OPTIONS = {"folder": "/Invoices/{year}", "filename": "{filename}", "clash": "skip_same", "sidecar": "none"}


def arrived(target: Target) -> dict[str, bytes]:
    return {
        p.relative_to(target.folder).as_posix(): p.read_bytes()
        for p in Path(target.folder).rglob("*")
        if p.is_file()
    }


def login(target: Target) -> Json:
    return {"url": target.url, "username": target.username, "password": target.password}


def connect(outsider: Outsider, target: Target, **asked: object) -> tuple[str, Json]:
    """Connects and saves; returns the connection's id and the data of `ConnectionSaved`."""
    connection = str(uuid.uuid4())
    outsider.ask(
        "ConnectionRequested",
        connection_id=connection,
        direction="export",
        provider_id="webdav",
        answer_by="sealed",
        **{"schedule": {"every": "manual"}, **asked},
    )
    outsider.answer(outsider.wait("AuthChallengeIssued", connection)["data"], login(target))
    outsider.wait("ConnectionAuthorized", connection)
    outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options=OPTIONS)
    return connection, outsider.wait("ConnectionSaved", connection)["data"]
