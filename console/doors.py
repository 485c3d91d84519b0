"""Who may see a page, and what is said where there is none. Pages themselves are elsewhere.

* Nowhere      a page that says where to go on: not signed in, not there, not allowed, a service away
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.asking import BusAway
from console.services import Away, Declined, NotThere
from console.sessions import SEEN_EVERY, Session, SessionStore, digest
from console.visits import Visit, locale_of
from kit.logs import logger
from web.forms import Form, FormRefused, first, read_form
from web.languages import _, language
from web.pages import Pages
from web.security import Cookie, is_own_form

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"

log = logger(__name__)

Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
Change: TypeAlias = Callable[[Visit, Form], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


NOWHERE = {
    "signed_out": (
        401,
        _("You are not signed in"),
        _("Open this page from your platform: its link signs you in."),
    ),
    "spent": (
        403,
        _("This link has run out"),
        _("It works once, within ten minutes. Ask your platform for a fresh one."),
    ),
    "foreign": (
        403,
        _("This form cannot be taken"),
        _("It was not sent from our own page. Go back, load the page anew and try again."),
    ),
    "looks": (
        403,
        _("You may look, but not change"),
        _("Ask somebody who manages this account to do it, or to give you the right to."),
    ),
    "missing": (
        404,
        _("There is no such page"),
        _("It may have been removed, or belongs to another account."),
    ),
    "away": (
        503,
        _("This cannot be shown right now"),
        _("A part of our service does not answer. Your documents are safe; try again in a minute."),
    ),
    "unsent": (
        503,
        _("It is not done yet"),
        _(
            "A part of our service is away. Look again in a minute: it may be done by then. "
            "If not, do it once more."
        ),
    ),
    "broken": (500, _("Something went wrong here"), _("That is our fault. Please try again in a moment.")),
}  # fmt: skip

ENTRANCE = ("signed_out", "spent")
"""Where there is no list to go back to."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Lets in who is signed in, and keeps foreign forms out."""

    sessions: SessionStore
    cookie: Cookie
    pages: Pages
    origin: str
    now: Callable[[], datetime]

    def page(self, show: Page) -> Endpoint:
        """A page for whoever is signed in."""

        async def shown(request: Request) -> Response:
            visit = await self.visit(request)
            return self.nowhere(request, "signed_out") if visit is None else await show(visit)

        return shown

    def form(self, take: Change) -> Endpoint:
        """A form of ours, sent by anybody who is signed in."""

        async def taken(request: Request) -> Response:
            visit = await self.visit(request)
            if visit is None:
                return self.nowhere(request, "signed_out")
            try:
                form = await read_form(request)
            except FormRefused as refused:
                return self.nowhere(request, "foreign", refused.status)
            token = first(form, "_form")
            if not is_own_form(request.headers, self.origin, visit.secret, "console", token):
                return self.nowhere(request, "foreign")
            return await take(visit, form)

        return taken

    def change(self, take: Change) -> Endpoint:
        """A form of ours that changes something: admins alone."""

        async def taken(visit: Visit, form: Form) -> Response:
            if not visit.may_change:
                return self.nowhere(visit.request, "looks")
            return await take(visit, form)

        return self.form(taken)

    async def visit(self, request: Request) -> Visit | None:
        """Who asks; None where nobody is signed in, or not any more."""
        secret = self.cookie.read(request.cookies)
        session = await self._session(secret)
        return Visit(request, session, secret, self.now()) if secret and session else None

    async def _session(self, secret: str | None) -> Session | None:
        session = await self.sessions.find(digest(secret)) if secret else None
        if session is None or not session.holds(self.now()):
            return None
        if self.now() - session.seen_at > SEEN_EVERY:
            await self.sessions.seen(session.id, self.now())
        return session

    def nowhere(self, request: Request, what: str, status: int | None = None) -> Response:
        """A page that says what is so, and where to go on."""
        usual, heading, text = NOWHERE[what]
        spoken = language(locale_of(request))
        values = {
            "heading": spoken.said(heading),
            "text": spoken.said(text),
            "onwards": "/" if what not in ENTRANCE else None,
            "again": what == "away" and request.method == "GET",
        }
        return self.pages.render("nowhere.html", spoken.locale, values, status=status or usual)

    async def unshown(self, request: Request, error: Exception) -> Response:
        """What is said where a page could not be made."""
        match error:
            case NotThere():
                what = "missing"
            case Away():
                log.warning("a service is away", service=error.service, path=request.url.path)
                what = "away"
            case BusAway():
                what = "unsent"
            case Declined():
                log.warning("declined", status=error.status, reason=error.reason)
                what = "away"
            case _:
                what = "broken"
        return self.nowhere(request, what)

    async def missing(self, request: Request, _: Exception) -> Response:
        return self.nowhere(request, "missing")


def see(path: str, said: str | None = None) -> Response:
    """On to another page, after a form; `said` is a word of `notes.NOTES`."""
    mark = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{mark}said={said}" if said else path, 303)
