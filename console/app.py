"""The one place where the parts of the console meet. Nothing connects before it runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp

from console.pages import TEMPLATES, Console
from console.sessions import SessionStore
from console.store import MongoSessions
from kit import mongo, tokens
from kit.http import make_app
from kit.service import Listener, Service
from kit.settings import CONSOLE_PORT, Settings, SettingsError
from web.pages import Pages, StaticPages
from web.security import Cookie, SecureHeaders, origin_of

NAME = "console"


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


def build(settings: Settings) -> Service:
    """The console, ready to run.

    Raises:
        SettingsError, KeysRefused: one sentence that names the setting.
    """
    if settings.mongo_url is None:
        raise SettingsError("MONGO_URL is missing: set it, or use `paperbus up`, which brings a MongoDB.")
    client = mongo.connect(settings.mongo_url.get_secret_value())
    sessions = MongoSessions(client[NAME])

    async def prepare() -> None:
        await mongo.ready(client)
        await sessions.prepare()

    async def close() -> None:
        client.close()

    app = console_app(sessions, _verifier(settings), settings.paperbus_console_url, now)
    return Service(NAME, listeners=(Listener(app, CONSOLE_PORT),), start=(prepare,), close=(close,))


def console_app(
    sessions: SessionStore, verifier: tokens.Verifier, url: str, at: Callable[[], datetime]
) -> ASGIApp:
    """The application of the console's listener. `url` is how browsers reach it."""
    https = url.startswith("https:")
    console = Console(
        sessions, verifier, Pages(TEMPLATES), Cookie("paperbus-console", https=https), origin_of(url), at
    )
    app = make_app(NAME)
    app.add_route("/", console.home)
    app.add_route("/enter", console.ask, methods=["GET"])
    app.add_route("/enter", console.enter, methods=["POST"])
    app.add_route("/leave", console.leave, methods=["POST"])
    app.mount("/static", StaticPages())
    app.add_exception_handler(Exception, console.broken)
    return SecureHeaders(app, https=https)


def _verifier(settings: Settings) -> tokens.Verifier:
    """Who may enter: whom the platform signs for."""
    keys = settings.paperbus_platform_keys
    known = tokens.public_keys(keys.get_secret_value(), "PAPERBUS_PLATFORM_KEYS") if keys else None
    return tokens.Verifier(known, None, lambda: now().timestamp())
