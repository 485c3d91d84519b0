"""The way in and the way out: a platform's link becomes a session, once."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.doors import Doors, see
from console.sessions import AUDIENCE, ENTRY_LASTS, Session, digest, fresh_secret
from console.visits import LANGUAGE, Visit, locale_of
from kit.logs import logger
from kit.tokens import Access, TokenRefused, Verifier
from web.forms import Form, FormRefused, first, read_form
from web.languages import LOCALES

log = logger(__name__)
YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Entering:
    """`/enter`, `/leave`, and the choice of a language."""

    doors: Doors
    verifier: Verifier

    async def ask(self, request: Request) -> Response:
        """`GET /enter?token=`: whose account it opens, with a button. It spends nothing."""
        token = request.query_params.get("token", "")
        access = self._access(token)
        if access is None:
            return self.doors.nowhere(request, "spent")
        values = {"account": access.account, "token": token}
        return self.doors.pages.render("enter.html", locale_of(request), values)

    async def enter(self, request: Request) -> Response:
        """`POST /enter`: spends the token and opens a session under a fresh id."""
        try:
            token = first(await read_form(request), "token")
        except FormRefused as refused:
            return self.doors.nowhere(request, "spent", refused.status)
        access = self._access(token)
        now = self.doors.now()
        if access is None or not await self.doors.sessions.spend(access.jti, now):
            return self.doors.nowhere(request, "spent")
        secret = fresh_secret()
        session = Session(digest(secret), access.account, access.sub, access.role, now, now)
        await self.doors.sessions.add(session)
        log.info("entered", account=access.account, role=access.role)
        response = see("/")
        self.doors.cookie.write(response, secret)
        return response

    async def leave(self, visit: Visit, _: Form) -> Response:
        """`POST /leave`: the session is over."""
        await self.doors.sessions.end(visit.session.id)
        response = see("/")
        self.doors.cookie.forget(response)
        return response

    async def speak(self, visit: Visit, form: Form) -> Response:
        """`POST /language`: from now on in another language; back to the page that it was asked on."""
        response = RedirectResponse(_own_path(first(form, "back")), 303)
        chosen = next((locale for locale in LOCALES if locale == first(form, "language")), visit.locale)
        https = self.doors.cookie.https
        response.set_cookie(LANGUAGE, chosen, max_age=YEAR, secure=https, httponly=True, samesite="lax")
        return response

    def _access(self, token: str) -> Access | None:
        try:
            return self.verifier.access(token, AUDIENCE, ENTRY_LASTS)
        except TokenRefused as refused:
            log.info("entry refused", why=str(refused))
            return None


def _own_path(path: str) -> str:
    """A path of ours, and nothing that a browser would take for another place."""
    own = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if own else "/"
