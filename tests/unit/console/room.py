"""A console with made-up services around it: they answer as the contract says, and keep what was asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any, cast

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from console.app import Faces, Parts, console_app
from console.live import Hub
from console.services import Services, Urls
from console.sessions import Session
from kit.deadletters import Letter
from kit.tokens import Verifier, new_signing_key, sign
from schemas.connections import ConnectionSaved
from schemas.envelope import Event, RequestRefused

Json = dict[str, Any]
URL = "https://console.paperbus.example"
WINDOW = "https://login.paperbus.example"
PLATFORM = new_signing_key("platform")
OWN = new_signing_key("console")
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
ID = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10"
NASTY = "<script>alert(1)</script>"
CHANGES = ("pause", "resume", "run", "retry", "remove", "relogin", "window", "options", "settings")


class MemorySessions:
    """Sessions in memory, with the promises of `SessionStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}
        self.spent: set[str] = set()

    async def spend(self, jti: str, now: datetime) -> bool:
        new = jti not in self.spent
        self.spent.add(jti)
        return new

    async def add(self, session: Session) -> None:
        self.kept[session.id] = session

    async def find(self, id_: str) -> Session | None:
        return self.kept.get(id_)

    async def seen(self, id_: str, now: datetime) -> None:
        self.kept[id_] = replace(self.kept[id_], seen_at=now)

    async def end(self, id_: str) -> None:
        self.kept.pop(id_, None)


class MemoryLists:
    """Lists in memory, with the promises of `Lists`."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Json]] = {}

    async def keep(self, account: str, lines: list[Json], now: datetime) -> None:
        self.lines[account] = lines

    async def kept(self, account: str) -> list[Json] | None:
        return self.lines.get(account)


def connection(status: str = "active", **changed: Any) -> Json:
    """A connection as `connections` shows it."""
    return {
        "id": ID, "direction": "export", "provider_id": "webdav", "name": "Books", "identity": "jane@firm",
        "status": status, "paused": False, "reason": None, "message": None, "title": None, "action": None,
        "login": "idle", "challenge": None, "schedule": {"at": "02:30", "timezone": "Europe/Paris"},
        "options": {"folder": "/In"}, "filters": {"approved_only": False}, "start": "now", "revision": 3,
        "created_at": "2026-11-01T10:00:00.000Z", "saved_at": "2026-11-01T10:05:00.000Z", **changed,
    }  # fmt: skip


def standing(**counts: int) -> Json:
    """A connection as `sync-runner` shows it."""
    every = {"done": 0, "pending": 0, "sending": 0, "failed": 0, "rejected": 0, "unknown": 0, **counts}
    return {
        "id": ID, "next": ["2026-11-23T01:30:00.000Z"], "run": None, "last": None, "counts": every,
        "most_counted": 10_000,
    }  # fmt: skip


def provider(**changed: Any) -> Json:
    return {
        "id": "webdav", "name": "WebDAV", "summary": "Any folder.", "categories": ["storage"],
        "countries": [], "directions": ["export", "import"], "available": True, "website": None,
        "docs": None, **changed,
    }  # fmt: skip


def row(n: int, status: str = "done", **changed: Any) -> Json:
    return {
        "document_id": f"d{n}", "version": 1, "filename": f"R-{n}.pdf", "status": status, "reason": None,
        "message": None, "target": f"/In/R-{n}.pdf", "sha256": "0" * 64, "size": 1200, "attempts": 1,
        "updated_at": "2026-11-22T15:00:00.000Z", "run_id": "r1", **changed,
    }  # fmt: skip


FIELDS = [
    {"name": "folder", "label": "Folder", "type": "folder", "choices_live": True, "default": "/In"},
    {"name": "filename", "label": "File name", "type": "pattern", "default": "{filename}"},
]


@dataclass
class Room:
    """The console's surroundings: what services say (by path), what was asked of them, what was published."""

    at: list[datetime] = field(default_factory=lambda: [NOW])
    sessions: MemorySessions = field(default_factory=MemorySessions)
    lists: MemoryLists = field(default_factory=MemoryLists)
    hub: Hub = field(default_factory=Hub)
    says: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    statuses: list[list[str]] = field(default_factory=list)
    """The states that each page of documents was asked for by."""
    published: list[Json] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    answer: Callable[[Json], Any] | None = None
    """What is said because of an event; None is silence."""
    http: httpx.AsyncClient = field(init=False, repr=False)
    app: ASGIApp = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.says = {
            "/v1/connections": {"items": [connection()], "next": None},
            f"/v1/connections/{ID}": connection(),
            f"/v1/connections/{ID}/options": {"items": FIELDS, "next": None},
            f"/v1/connections/{ID}/timeline": {"items": [], "next": None},
            "/v1/providers": {"items": [provider()], "next": None},
            "/v1/providers/webdav": provider(),
            "runner /v1/connections": {"items": [standing(done=3)], "next": None},
            f"runner /v1/connections/{ID}": standing(done=3),
            f"/v1/connections/{ID}/runs": {"items": [], "next": None},
            f"/v1/connections/{ID}/documents": {"items": [row(1)], "next": None},
            "/v1/preview": {"waiting": 3, "more": False, "paths": ["/In/R-1.pdf"]},
            "/v1/schedules/next": {"next": ["2026-11-23T01:30:00.000Z", "2026-11-24T01:30:00.000Z"]},
        }

    def token(self, **changed: Any) -> str:
        at = int(self.at[0].timestamp())
        claims = {"iss": "platform", "sub": "jane", "aud": "paperbus.console", "iat": at, "exp": at + 600}
        return sign(
            PLATFORM,
            claims | {"jti": str(uuid.uuid4()), "account": "acme", "role": "admin"} | changed,
        )

    async def enter(self, **changed: Any) -> None:
        entered = await self.http.post("/enter", data={"token": self.token(**changed)})
        assert entered.status_code == httpx.codes.SEE_OTHER

    async def form_token(self) -> str:
        page = (await self.http.get("/add")).text
        return page.split('name="_form" value="', 1)[1].split('"', 1)[0]

    async def post(self, path: str, **form: Any) -> httpx.Response:
        return await self.http.post(path, data={"_form": await self.form_token(), **form})

    async def publish(self, letters: Sequence[Letter]) -> None:
        if "bus" in self.away:
            raise OSError("no broker")
        for letter in letters:
            event = json.loads(letter.value or b"")
            self.published.append(event)
            said = self.answer(event) if self.answer else None
            if said is not None:
                self.hub.heard(caused(said, event))

    async def serve(self, request: Request) -> Response:
        """What any of the three services answers."""
        service = request.url.hostname or ""
        if service in self.away:
            return Response("gateway", 502)
        claims = jwt.decode(
            request.headers["authorization"].removeprefix("Bearer "), OWN, algorithms=["EdDSA"]
        ).claims
        assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == ("console", "paperbus", 60)
        body = json.loads(await request.body() or b"{}")
        self.asked.append((request.url.path, dict(request.query_params) | body | {"as": claims["account"]}))
        if request.url.path.endswith("/documents"):
            self.statuses.append(request.query_params.getlist("status"))
        prefix = "runner " if service == "sync-runner" else ""
        found = self.says.get(f"{prefix}{request.url.path}", self.says.get(request.url.path))
        if found is None or claims["account"] != "acme":
            return _problem(404, "There is no such thing.")
        if callable(found) and not isinstance(found, Response):
            said = found(request)
            return cast(Response, await said if isawaitable(said) else said)
        return found if isinstance(found, Response) else JSONResponse(found)


def _problem(status: int, detail: str, **more: Any) -> Response:
    return JSONResponse({"detail": detail, **more}, status, media_type="application/problem+json")


problem = _problem


def caused(data: Any, cause: Json) -> Event[Any]:
    """An event that is said because of another."""
    return Event(
        id=str(uuid.uuid4()),
        source="/paperbus/connections",
        type=data.TYPE,
        time=NOW,
        subject=cause["subject"],
        accountid=cause["accountid"],
        causationid=cause["id"],
        data=data,
    )


def refusal(event: Json, reason: str, *errors: Json) -> RequestRefused:
    return RequestRefused(
        connection_id=event["subject"],
        request_id=event["id"],
        request_source=event["source"],
        request_type=event["type"],
        reason=reason,
        message="No.",
        errors=errors,
    )


def saved(_: Json) -> ConnectionSaved:
    it = connection()
    members = ("direction", "provider_id", "name", "identity", "schedule", "options", "filters", "start")
    return ConnectionSaved(
        connection_id=ID,
        provider_revision=1,
        revision=1,
        saved_at=NOW,
        **{name: it[name] for name in members},
    )


@asynccontextmanager
async def room(url: str = URL) -> AsyncIterator[Room]:
    """The console, served in memory."""
    made = Room()
    app = Starlette(routes=[Route("/{path:path}", made.serve, methods=["GET", "POST"])])
    services = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    urls = Urls("http://catalog", "http://connections", "http://sync-runner")
    public = PLATFORM.__class__.import_key(PLATFORM.as_dict(private=False))

    def now() -> datetime:
        return made.at[0]

    def seconds() -> float:
        return made.at[0].timestamp()

    parts = Parts(
        made.sessions,
        made.lists,
        Verifier(KeySet([public]), None, seconds),
        Services(services, urls, OWN, now),
        made.publish,
        made.hub,
        now,
        patience=0.1,
    )
    console = console_app(parts, Faces(url, WINDOW))
    made.app = console
    transport = httpx.ASGITransport(app=console, raise_app_exceptions=False)
    async with services, httpx.AsyncClient(transport=transport, base_url=url) as made.http:
        yield made
