"""The console's pages: the way in, the first page, the way out. What customers do there comes later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.sessions import (
    AUDIENCE,
    ENTRY_LASTS,
    SEEN_EVERY,
    Session,
    SessionStore,
    digest,
    fresh_secret,
)
from kit.logs import logger
from kit.tokens import Access, TokenRefused, Verifier
from schemas.reasons import Locale
from web.forms import FormRefused, first, read_form
from web.languages import language, preferred
from web.pages import Pages
from web.security import Cookie, form_token, is_own_form

TEMPLATES = Path(__file__).parent / "templates"

log = logger(__name__)


def _(message: str) -> str:
    """Marks a text for the catalogs; it is said later, in the page's language."""
    return message


SIGNED_OUT = (
    _("You are not signed in"),
    _("Open this page from your platform: its link signs you in."),
)
SPENT = (
    _("This link has run out"),
    _("It works once, within ten minutes. Ask your platform for a fresh one."),
)
BROKEN = (_("Something went wrong here"), _("That is our fault. Please try again in a moment."))
FOREIGN = (
    _("This form cannot be taken"),
    _("It was not sent from our own page. Go back, load the page anew and try again."),
)


@dataclass(frozen=True, slots=True)
class Console:
    """Answers browsers."""

    sessions: SessionStore
    verifier: Verifier
    pages: Pages
    cookie: Cookie
    origin: str
    now: Callable[[], datetime]

    async def ask(self, request: Request) -> Response:
        """`GET /enter?token=`: whose account it opens, with a button. It spends nothing."""
        token = request.query_params.get("token", "")
        access = self._access(token)
        if access is None:
            return self._say(request, SPENT, 403)
        return self._page(request, "enter.html", account=access.account, token=token)

    async def enter(self, request: Request) -> Response:
        """`POST /enter`: spends the token and opens a session under a fresh id."""
        try:
            token = first(await read_form(request), "token")
        except FormRefused as refused:
            return self._say(request, SPENT, refused.status)
        access = self._access(token)
        if access is None or not await self.sessions.spend(access.jti, self.now()):
            return self._say(request, SPENT, 403)
        secret, now = fresh_secret(), self.now()
        session = Session(digest(secret), access.account, access.sub, access.role, now, now)
        await self.sessions.add(session)
        log.info("entered", account=access.account, sub=access.sub, role=access.role)
        response = RedirectResponse("/", 303)
        self.cookie.write(response, secret)
        return response

    async def home(self, request: Request) -> Response:
        """The first page."""
        secret = self.cookie.read(request.cookies)
        session = await self._session(secret)
        if secret is None or session is None:
            return self._say(request, SIGNED_OUT, 401)
        return self._page(
            request,
            "home.html",
            account=session.account,
            sub=session.sub,
            form_token=form_token(secret, "leave"),
        )

    async def leave(self, request: Request) -> Response:
        """`POST /leave`: the session is over."""
        secret = self.cookie.read(request.cookies)
        try:
            token = first(await read_form(request), "_form")
        except FormRefused as refused:
            return self._say(request, FOREIGN, refused.status)
        if secret is None or not is_own_form(request.headers, self.origin, secret, "leave", token):
            return self._say(request, FOREIGN, 403)
        await self.sessions.end(digest(secret))
        response = RedirectResponse("/", 303)
        self.cookie.forget(response)
        return response

    async def broken(self, request: Request, _: Exception) -> Response:
        """Our own failure."""
        return self._say(request, BROKEN, 500)

    def _access(self, token: str) -> Access | None:
        try:
            return self.verifier.access(token, AUDIENCE, ENTRY_LASTS)
        except TokenRefused as refused:
            log.info("entry refused", why=str(refused))
            return None

    async def _session(self, secret: str | None) -> Session | None:
        session = await self.sessions.find(digest(secret)) if secret else None
        if session is None or not session.holds(self.now()):
            return None
        if self.now() - session.seen_at > SEEN_EVERY:
            await self.sessions.seen(session.id, self.now())
        return session

    def _say(self, request: Request, what: tuple[str, str], status: int) -> Response:
        spoken = language(_locale(request))
        heading, text = (spoken.said(words) for words in what)
        return self._page(request, "nowhere.html", status, heading=heading, text=text)

    def _page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        return self.pages.render(name, _locale(request), values, status=status)


def _locale(request: Request) -> Locale:
    return preferred(request.headers.get("accept-language", ""))
