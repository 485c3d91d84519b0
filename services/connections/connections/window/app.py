"""The login window over HTTP: the only part of this service that a proxy publishes. It decides nothing.

A window has one address, and every form leads back to it by 303: a reload, the back button and a second tab
show what is so now.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from connections.handlers.leaving import Leaving
from connections.logos import Ask
from connections.window.crossing import Crossing
from connections.window.media import Media
from connections.window.onboarding import Action, Answer, Onboarding
from connections.window.scanning import scanned
from connections.window.showing import TEMPLATES, Showing, Visit
from connections.window.windows import (
    Window,
    WindowStore,
    digest,
    fresh_secret,
    result,
    stage,
    wants_proof,
    wants_telling,
    way_back,
)
from kit.endings import Refused
from kit.logs import logger
from schemas.reasons import Locale, Reason
from web.fields import read
from web.forms import Form, FormRefused, first, read_form
from web.languages import preferred
from web.pages import Pages, StaticPages
from web.security import Cookie, SecureHeaders, is_own_form, origin_of

COOKIE_LASTS = 24 * 3600

log = logger(__name__)


class Unshown(Exception):
    """There is no page to show; what is said instead, and with which status."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.what = what
        self.status = status

    @classmethod
    def stranger(cls) -> Unshown:
        """Of a browser that comes back from a provider, and did not leave for it."""
        return cls("stranger", 400)


@dataclass(frozen=True, slots=True)
class Door:
    """Answers browsers."""

    onboarding: Onboarding
    windows: WindowStore
    showing: Showing
    cookie: Cookie
    origin: str
    now: Callable[[], datetime]

    async def arrive(self, request: Request) -> Response:
        """`GET` of an address: says who would be connected to whom, and binds nothing."""
        visit = await self.arriving(request)
        if visit.window.browser is not None:
            return _see(visit.window)
        response = self.showing.intro(visit, request.url.path)
        self.cookie.write(response, visit.browser, COOKIE_LASTS)
        return response

    async def bind(self, request: Request) -> Response:
        """The button of an address: this browser goes on, and no other."""
        browser = self.cookie.read(request.cookies)
        window = await self._addressed(request, browser)
        if window.browser is None:
            form = await read_form(request)
            self._own(request, form, browser, window.ticket)
            if not await self.windows.bind(window.id, digest(browser or ""), self.now()):
                window = await self._addressed(request, browser)  # somebody was faster; says so
        return _see(window)

    async def show(self, request: Request) -> Response:
        """`GET` of a bound window: whatever is so now."""
        visit = await self.visit(request)
        match stage(visit.window, visit.seen):
            case "asking":
                return self.showing.asking(visit)
            case "waiting":
                return self.showing.waiting(visit)
        if visit.window.returned_at is not None:
            return self.showing.over(visit)
        if wants_telling(visit.window, visit.seen):
            return self.showing.told(visit)
        return await self._send_back(visit)

    async def take(self, request: Request) -> Response:
        """A form of a bound window: an answer to what it asked."""
        visit = await self.visit(request)
        form = await read_form(request)
        self._own(request, form, visit.browser, visit.window.id)
        challenge = visit.login.challenge if visit.login else None
        now_is = stage(visit.window, visit.seen)
        action = first(form, "_action") or "answer"
        if challenge is None or now_is == "done" or first(form, "_challenge") != challenge.challenge_id:
            return _see(visit.window)  # a form of before: shows what is so now
        if action not in ("answer", "resend", "cancel") or (now_is == "waiting" and action != "cancel"):
            return _see(visit.window)
        values = read(challenge.fields, form) if action == "answer" else {}
        try:
            values |= await scanned(challenge, first(form, "_qr"), visit.locale) if action == "answer" else {}
        except Refused as refused:
            return self._refused(visit, refused, {})
        open_names = {field.name for field in challenge.fields if not field.secret}
        typed = {name: value for name, value in values.items() if name in open_names}
        answer = Answer(
            account=visit.window.account,
            connection_id=visit.window.connection,
            challenge_id=challenge.challenge_id,
            answer_id=_uuid(first(form, "_answer")),
            action=cast("Action", action),
            browser=visit.window.browser,
            fields=values,
        )
        try:
            await self.onboarding.answer(answer)
        except Refused as refused:
            return self._refused(visit, refused, typed)
        once = {field.name for field in challenge.fields if not field.stored}
        typed = {name: value for name, value in typed.items() if name not in once}
        if typed:  # kept only now: a refused address may hold a password
            await self.windows.remember(visit.window.id, typed)
        return _see(visit.window)

    async def state(self, request: Request) -> Response:
        """For the script of a waiting page: changes when the page must."""
        visit = await self.visit(request)
        return JSONResponse({"at": visit.mark})

    async def go_back(self, request: Request) -> Response:
        """The button of a window that is over."""
        visit = await self.visit(request)
        self._own(request, await read_form(request), visit.browser, visit.window.id)
        if stage(visit.window, visit.seen) != "done":
            return _see(visit.window)
        return await self._send_back(visit)

    async def _addressed(self, request: Request, browser: str | None) -> Window:
        """The window that this browser may open by this address."""
        window = await self.windows.by_ticket(digest(request.path_params["ticket"]))
        if window is None:
            raise Unshown("unknown", 404)
        address = window.address_for(digest(browser) if browser else None, self.now())
        if address not in ("fresh", "mine"):
            raise Unshown(address, 410)
        return window

    async def arriving(self, request: Request) -> Visit:
        """A look at the window that the address leads to; a browser without a secret is given one."""
        browser = self.cookie.read(request.cookies)
        window = await self._addressed(request, browser)
        seen = await self.onboarding.look(window.connection)
        if seen is None:
            raise Unshown("unknown", 404)
        return Visit(window, seen, browser or fresh_secret())

    async def visit(self, request: Request) -> Visit:
        """The bound window in the address, for the browser that it is bound to alone."""
        browser = self.cookie.read(request.cookies)
        window = await self.windows.by_id(request.path_params["window"])
        if window is None or window.browser is None:
            raise Unshown("unknown", 404)
        if browser is None or digest(browser) != window.browser:
            raise Unshown("elsewhere", 403)
        seen = await self.onboarding.look(window.connection)
        if seen is None or seen.account != window.account:
            raise Unshown("unknown", 404)
        return Visit(window, seen, browser)

    def _own(self, request: Request, form: Form, browser: str | None, purpose: str) -> None:
        if not is_own_form(request.headers, self.origin, browser, purpose, first(form, "_form")):
            raise Unshown("form", 403)

    def _refused(self, visit: Visit, refused: Refused, typed: Mapping[str, object]) -> Response:
        """What breaks a field's own rules is said beside it; for anything else the page shows what is so."""
        if stage(visit.window, visit.seen) == "waiting":
            return self.showing.waiting(visit, refused.message)
        if refused.reason is Reason.NOT_YET:
            return self.showing.too_early(visit)
        if refused.reason is not Reason.INVALID:
            return _see(visit.window)
        trouble = None if refused.errors else refused.message
        again = replace(visit, window=replace(visit.window, typed=typed))
        return self.showing.asking(again, errors=refused.errors, trouble=trouble)

    async def _send_back(self, visit: Visit) -> Response:
        """To the platform, with a fresh proof where the login counts only with one."""
        window = visit.window
        proof = fresh_secret() if wants_proof(window, visit.seen) else None
        await self.windows.end(window.id, self.now(), digest(proof) if proof else None)
        ended = result(window, visit.seen)
        log.info("window ended", connection_id=window.connection, session_id=window.session, result=ended)
        return RedirectResponse(way_back(window, ended, proof), 303)


def _see(window: Window) -> Response:
    return RedirectResponse(f"/window/{window.id}", 303)


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def window_app(  # noqa: PLR0913, PLR0917 - whatever the pages are made of
    onboarding: Onboarding,
    windows: WindowStore,
    now: Callable[[], datetime],
    public_url: str,
    frame_ancestors: Sequence[str] = (),
    leaving: Leaving | None = None,
    logos: Ask | None = None,
) -> SecureHeaders:
    """The application of the window's listener. `public_url` is how browsers reach it.

    `leaving` sends browsers to providers' own pages; without it no provider has one. `logos` gives
    providers' logos; without it their initials stand there alone.
    """
    https = public_url.startswith("https:")
    showing = Showing(Pages(TEMPLATES, frame_ancestors), now)
    door = Door(
        onboarding, windows, showing, Cookie("paperbus-window", https=https), origin_of(public_url), now
    )
    crossing = Crossing(leaving, door.cookie, door.visit, Unshown.stranger) if leaving else None

    app = Starlette(
        routes=[
            Route("/health/live", _live),
            Route("/w/{ticket}", door.arrive),
            Route("/w/{ticket}", door.bind, methods=["POST"]),
            Route("/window/{window}", door.show),
            Route("/window/{window}", door.take, methods=["POST"]),
            Route("/window/{window}/state", door.state),
            Route("/window/{window}/return", door.go_back, methods=["POST"]),
            *Media(door.visit, door.arriving, logos).routes(),
            *(crossing.routes() if crossing else ()),
            Mount("/static", StaticPages()),
        ],
        exception_handlers=_sorry(showing),
    )
    return SecureHeaders(app, https=https, frame_ancestors=frame_ancestors)


def _sorry(showing: Showing) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """The pages that say why nothing can be shown, by what happened."""

    async def unshown(request: Request, error: Exception) -> Response:
        match error:
            case Unshown():
                what, status = error.what, error.status
            case FormRefused():
                what, status = ("large" if error.status == 413 else "form"), error.status
            case _:
                what, status = "broken", 500
        return showing.nowhere(what, _locale(request), status)

    async def missing(request: Request, _: Exception) -> Response:
        return showing.nowhere("unknown", _locale(request), 404)

    return dict.fromkeys((Unshown, FormRefused, Exception), unshown) | {404: missing, 405: missing}


async def _live(_: Request) -> Response:
    return PlainTextResponse("live")


def _locale(request: Request) -> Locale:
    return preferred(request.headers.get("accept-language", ""))
