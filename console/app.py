"""The one place where the parts of the console meet. Nothing connects before it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from httpx_aiohttp import HttpxAiohttpClient
from joserfc.jwk import Key
from pydantic import SecretStr
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from console.account import Account
from console.adding import Adding
from console.asking import PATIENCE, Asking, BusAway, Publish
from console.changing import Changing
from console.doors import STATIC, TEMPLATES, Doors, Endpoint
from console.entering import Entering
from console.knowing import Known, Lists
from console.listing import Listing
from console.live import Ears, Hub
from console.onboarding import Logins
from console.options import Options
from console.services import Away, Declined, NotThere, Services, Urls
from console.sessions import SessionStore
from console.showing import Showing
from console.store import MongoLists, MongoSessions
from console.streaming import Streaming
from console.suggesting import Suggesting
from kit import configured, mongo, tokens
from kit.broker import Kafka
from kit.http import Stuck, make_app
from kit.publishing import Publisher
from kit.service import Listener, Loop, Service
from kit.settings import CONSOLE_PORT, Settings, SettingsError
from web.pages import Pages, StaticPages
from web.security import Cookie, SecureHeaders, origin_of

NAME = "console"


def now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Faces:
    """How browsers reach the console and the login window, and who may frame the console."""

    url: str
    login_url: str
    frame_ancestors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the console's listener works with."""

    sessions: SessionStore
    lists: Lists
    verifier: tokens.Verifier
    services: Services
    publish: Publish
    hub: Hub
    now: Callable[[], datetime] = now
    patience: float = PATIENCE


def build(settings: Settings) -> Service:
    """The console, ready to run.

    Raises:
        SettingsError, KeysRefused: one sentence that names the setting.
    """
    client = mongo.connect(configured.mongo_url(settings))
    sessions, lists = MongoSessions(client[NAME]), MongoLists(client[NAME])
    kafka = Kafka.of(settings)
    publisher, hub = Publisher(kafka), Hub()
    ears = Ears(kafka, hub)
    # httpx over aiohttp's connections: a page of a search takes a seventh less than over httpx's own.
    http = HttpxAiohttpClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=50))
    urls = Urls(
        settings.paperbus_catalog_url, settings.paperbus_connections_url, settings.paperbus_sync_runner_url
    )
    services = Services(http, urls, _own_key(settings), now)
    parts = Parts(sessions, lists, _verifier(settings), services, publisher.publish, hub)
    faces = Faces(
        settings.paperbus_console_url, settings.paperbus_public_url, settings.paperbus_frame_ancestors
    )

    async def prepare() -> None:
        await mongo.ready(client)
        await sessions.prepare()
        await lists.prepare()

    async def close() -> None:
        await publisher.close()
        await http.aclose()
        client.close()

    return Service(
        NAME,
        listeners=(Listener(console_app(parts, faces, (ears.stuck,)), CONSOLE_PORT),),
        loops=(Loop("ears", ears.run),),
        start=(prepare,),
        stop=(hub.close,),
        close=(close,),
    )


def console_app(parts: Parts, faces: Faces, stuck: Sequence[Stuck] = ()) -> ASGIApp:
    """The application of the console's listener."""
    https = faces.url.startswith("https:")
    framed = bool(faces.frame_ancestors) and https
    pages = Pages(TEMPLATES, faces.frame_ancestors, STATIC)
    cookie = Cookie("paperbus-console", https=https, framed=framed)
    doors = Doors(parts.sessions, cookie, pages, origin_of(faces.url), parts.now)
    showing = Showing(pages, origin_of(faces.login_url))
    asking = Asking(parts.publish, parts.hub, parts.now, parts.patience)
    app = make_app(NAME, stuck=stuck)
    for path, methods in _routes(parts, doors, showing, asking, faces.url).items():
        for method, endpoint in methods.items():
            app.add_route(path, endpoint, methods=[method])
    app.mount("/static", GZipMiddleware(StaticPages(STATIC)))  # pages hold tokens: never those
    for error in (Away, NotThere, Declined, BusAway, Exception):
        app.add_exception_handler(error, doors.unshown)
    app.add_exception_handler(404, doors.missing)
    app.add_exception_handler(405, doors.missing)
    return SecureHeaders(app, https=https, frame_ancestors=faces.frame_ancestors)


def _routes(
    parts: Parts, doors: Doors, showing: Showing, asking: Asking, url: str
) -> dict[str, dict[str, Endpoint]]:
    """Every path, by method."""
    services, page, form, change = parts.services, doors.page, doors.form, doors.change
    known = Known(services, parts.lists)
    entering, listing = Entering(doors, parts.verifier), Listing(services, showing, known)
    adding, logins = Adding(services, asking, showing), Logins(services, asking, showing, url)
    options, account = Options(services, asking, showing), Account(services, showing, known)
    changing, suggesting = Changing(services, asking), Suggesting(services, showing)
    streaming = Streaming(parts.hub, parts.sessions, parts.now)
    one = "/accounts/{id}"
    return {
        "/": {"GET": page(listing.home)},
        "/enter": {"GET": entering.ask, "POST": entering.enter},
        "/leave": {"POST": form(entering.leave)},
        "/language": {"POST": form(entering.speak)},
        "/events": {"GET": page(streaming.events)},
        "/logos/{provider}": {"GET": page(listing.logo)},
        "/add": {"GET": page(adding.direction)},
        "/add/{direction}": {"GET": page(adding.search)},
        "/add/{direction}/{provider}": {"GET": page(adding.interval), "POST": change(adding.request)},
        "/interval": {"GET": page(options.interval)},
        "/suggest": {"GET": page(suggesting.form), "POST": form(suggesting.suggest)},
        "/suggested": {"GET": page(suggesting.suggested)},
        "/opening": {"GET": page(logins.opening)},
        f"{one}": {"GET": page(account.overview)},
        f"{one}/login": {"GET": page(logins.login)},
        f"{one}/relogin": {"POST": change(logins.again)},
        f"{one}/window": {"POST": change(logins.window)},
        f"{one}/return": {"GET": page(logins.back)},
        f"{one}/back": {"GET": page(logins.over)},
        f"{one}/options": {"GET": page(options.choose), "POST": change(options.save)},
        f"{one}/preview": {"GET": page(options.preview)},
        f"{one}/choices/{{option}}": {"GET": page(options.choices)},
        f"{one}/settings": {"GET": page(options.settings), "POST": change(options.change)},
        f"{one}/documents": {"GET": page(account.documents)},
        f"{one}/documents.csv": {"GET": page(account.csv)},
        f"{one}/runs": {"GET": page(account.runs)},
        f"{one}/history": {"GET": page(account.history)},
        f"{one}/remove": {"GET": page(account.removal), "POST": change(changing.remove)},
        f"{one}/run": {"POST": change(changing.run)},
        f"{one}/retry": {"POST": change(changing.retry)},
        f"{one}/pause": {"POST": change(changing.pause)},
        f"{one}/resume": {"POST": change(changing.resume)},
    }


def _verifier(settings: Settings) -> tokens.Verifier:
    """Who may enter: whom the platform signs for."""
    keys = settings.paperbus_platform_keys
    known = tokens.public_keys(_value(keys), "PAPERBUS_PLATFORM_KEYS") if keys else None
    return tokens.Verifier(known, None, lambda: now().timestamp())


def _own_key(settings: Settings) -> Key:
    """What the console signs with when it reads in a customer's name."""
    key = settings.paperbus_service_key
    if key is None:
        raise SettingsError("PAPERBUS_SERVICE_KEY is missing: set it, or use `paperbus up`.")
    own = tokens.private_key(_value(key), "PAPERBUS_SERVICE_KEY")
    if own.kid != tokens.CONSOLE:
        raise SettingsError("PAPERBUS_SERVICE_KEY is not the console's: its `kid` has to be console.")
    return own


def _value(secret: SecretStr) -> str:
    return secret.get_secret_value()
