"""The window's inner paths, for the platform: make an address, hand in the proof. It shows no page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field as Member, StringConstraints

from connections.window.onboarding import Login, Onboarded, Onboarding
from connections.window.windows import Window, WindowStore, digest, fresh_secret, wrong_return_url
from kit.endings import Refused
from kit.http import Admin, Problem, not_found
from schemas.base import Moment
from schemas.reasons import Locale, Reason
from web.languages import LOCALES

LOOK_EVERY = 0.1
"""Seconds between two looks for the first challenge."""


class WindowWanted(BaseModel):
    """What the platform says about the window that it wants for its customer."""

    model_config = ConfigDict(hide_input_in_errors=True)

    return_url: Annotated[str, StringConstraints(max_length=2000)]
    account_label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    state: Annotated[str, StringConstraints(max_length=1000)]
    locale: Annotated[str | None, Member(max_length=35)] = None


class WindowMade(BaseModel):
    """Where the customer's browser goes, and until when it may be opened."""

    url: str
    expires_at: Moment


class ProofGiven(BaseModel):
    """The proof from the way back."""

    model_config = ConfigDict(hide_input_in_errors=True)

    proof: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Completed(BaseModel):
    """The login counts from now on."""

    connection_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Makes windows and takes proofs."""

    onboarding: Onboarding
    windows: WindowStore
    now: Callable[[], datetime]
    public_url: str
    return_origins: Sequence[str]
    all_read: Callable[[], Awaitable[bool]]
    """Whether every request asked before this moment has been taken (`kit.positions`)."""
    patience: float = 5.0
    """How many seconds a request for a window waits for the first challenge."""

    async def make(self, connection_id: str, account: str, wanted: WindowWanted) -> WindowMade:
        """A fresh address for the open login of a connection.

        Raises:
            Problem: 404 unknown or another account's, 409 no login to answer here, 422 a wrong `return_url`,
                503 no challenge yet.
        """
        wrong = wrong_return_url(wanted.return_url, self.return_origins)
        if wrong:
            raise Problem(422, wrong, reason=Reason.INVALID)
        seen = await self._challenged(connection_id, account)
        login = _answered_here(seen)
        wished = _spoken(wanted.locale) or login.locale
        locale = await self.onboarding.speak(seen.connection_id, login.session_id, wished)
        ticket = fresh_secret()
        window = Window(
            id=fresh_secret(),
            ticket=digest(ticket),
            connection=seen.connection_id,
            account=account,
            session=login.session_id,
            return_url=wanted.return_url,
            state=wanted.state,
            label=wanted.account_label,
            locale=locale,
            made_at=self.now(),
        )
        await self.windows.add(window)
        return WindowMade(url=f"{self.public_url}/w/{ticket}", expires_at=window.opens_until)

    async def complete(self, connection_id: str, account: str, actor: str, proof: str) -> Completed:
        """Take a proof: what its window achieved counts, once.

        Raises:
            Problem: 404 unknown or another account's; 400, 409, 410 where the proof does not count.
        """
        seen = await self.onboarding.look(connection_id)
        if seen is None or seen.account != account:
            raise not_found("connection")
        window = await self.windows.by_proof(seen.connection_id, digest(proof))
        if window is None or window.proof_until is None or window.browser is None:
            raise Problem(400, "This proof is of no window of this connection.", reason=Reason.INVALID)
        if window.proven_at is not None:
            raise Problem(409, "This proof was handed in before.", reason=Reason.ALREADY_ANSWERED)
        if self.now() >= window.proof_until:
            raise Problem(
                410,
                "This proof is older than 5 minutes: open a new window.",
                reason=Reason.SESSION_EXPIRED,
            )
        try:
            await self.onboarding.complete(seen.connection_id, window.session, window.browser, actor)
        except Refused as refused:
            raise Problem(409, refused.message, reason=refused.reason) from None
        await self.windows.proven(window.id, self.now())
        return Completed(connection_id=seen.connection_id, session_id=window.session)

    async def _challenged(self, connection_id: str, account: str) -> Onboarded:
        """The connection once it asks something; 404 and 503 after the wait."""
        clock = asyncio.get_running_loop().time
        until = clock() + self.patience
        while True:
            seen = await self.onboarding.look(connection_id)
            own = seen if seen is not None and seen.account == account else None
            if own is not None and (own.login is None or own.login.state != "preparing"):
                return own
            if clock() >= until:
                break
            await asyncio.sleep(LOOK_EVERY)
        if own is None and await self.all_read():
            raise not_found("connection")
        raise Problem(503, "The provider has not asked anything yet: try again.", retry_after=2)


def _answered_here(seen: Onboarded) -> Login:
    """The login that can be answered in a window."""
    login = seen.login
    if login is None or login.state == "ended":
        raise Problem(
            409,
            "This connection has no login open: send ReauthenticationRequested first.",
            reason=Reason.NOT_YET,
        )
    if login.challenge is not None and "window" not in login.challenge.answer_by:
        raise Problem(
            409,
            "This login is answered by sealed answers: ask for the window with `answer_by`.",
            reason=Reason.INVALID,
        )
    return login


def _spoken(wished: str | None) -> Locale | None:
    return next((locale for locale in LOCALES if (wished or "").lower()[:2] == locale), None)


def routes(desk: Desk) -> APIRouter:
    """`POST /v1/connections/{id}/window` and `…/window/complete`, for the inner listener alone."""
    router = APIRouter(prefix="/v1/connections/{connection_id}/window", tags=["login window"])

    @router.post("", summary="Make an address for the customer's browser")
    async def make(connection_id: str, wanted: WindowWanted, caller: Admin) -> WindowMade:
        return await desk.make(connection_id, caller.account, wanted)

    @router.post("/complete", summary="Hand in the proof for the signed-in customer")
    async def complete(connection_id: str, given: ProofGiven, caller: Admin) -> Completed:
        return await desk.complete(connection_id, caller.account, caller.sub, given.proof)

    return router
