"""The window's pages: what is so, put into words and templates. No request is handled here."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from connections.window import words
from connections.window.onboarding import Login, Onboarded
from connections.window.scanning import secret_field
from connections.window.windows import Window, result
from schemas.connections import AuthChallengeIssued
from schemas.fields import Field, FieldError, FieldType
from schemas.reasons import ChallengeKind, Locale, Reason
from web.fields import shown
from web.languages import Language, language
from web.pages import Pages
from web.security import form_token, origin_of

TEMPLATES = Path(__file__).parent / "templates"
ABOUT_THE_SERVER = {Reason.HOST_UNREACHABLE, Reason.ADDRESS_REFUSED, Reason.CERTIFICATE_INVALID}


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a bound window by the browser it is bound to."""

    window: Window
    seen: Onboarded
    browser: str
    """The browser's secret."""

    @property
    def login(self) -> Login | None:
        return self.seen.login

    @property
    def locale(self) -> Locale:
        """The language that its login speaks: a page in two languages helps nobody."""
        login = self.seen.login
        own = login is not None and login.session_id == self.window.session
        return login.locale if login is not None and own else self.window.locale

    @property
    def path(self) -> str:
        return f"/window/{self.window.id}"

    @property
    def mark(self) -> str:
        """What is so, in a word: it changes when the page must."""
        login = self.login
        challenge = login.challenge.challenge_id if login and login.challenge else ""
        return f"{login.session_id} {login.state} {challenge}" if login else ""


@dataclass(frozen=True, slots=True)
class Showing:
    """Makes the answers that show a page."""

    pages: Pages
    now: Callable[[], datetime]

    def nowhere(self, what: str, locale: Locale, status: int) -> Response:
        """A page that belongs to no window: what happened, and where to go on."""
        said = words.said(words.NOWHERE[what], language(locale))
        return self.pages.render("nowhere.html", locale, said._asdict(), status=status)

    def intro(self, visit: Visit, path: str) -> Response:
        """Who would be connected to whom, at the address `path`. It binds nothing."""
        return self._render("intro.html", visit, purpose=visit.window.ticket, logo=f"{path}/logo")

    def asking(
        self,
        visit: Visit,
        *,
        typed: Mapping[str, Any] | None = None,
        errors: Sequence[FieldError] = (),
        trouble: str | None = None,
    ) -> Response:
        """The open challenge; with `errors` or `trouble`, what was wrong with the last answer."""
        login = visit.login
        challenge = login.challenge if login else None
        if login is None or challenge is None:
            raise LookupError("nothing is asked now")
        spoken = language(visit.locale)
        values = visit.window.typed if typed is None else typed
        left = max(0, round((challenge.expires_at - self.now()).total_seconds()))
        wrong, beside = _wrong(challenge, login.blamed, errors, trouble)
        return self._render(
            "challenge.html",
            visit,
            status=422 if errors or trouble else 200,
            challenge=challenge,
            fields=shown(challenge.fields, values, beside),
            trouble=wrong,
            seconds=left,
            clock=f"{left // 60}:{left % 60:02}",
            answer_id=str(uuid.uuid4()),
            scans=secret_field(challenge) is not None,
            code=login.aside.get("code"),
            link=login.aside.get("link"),
            picture=f"{visit.path}/picture/{challenge.challenge_id}" if challenge.image else None,
            sound=f"{visit.path}/sound/{challenge.challenge_id}" if login.aside.get("audio") else None,
            resend_in=self._resend_in(challenge),
            watch=f"{visit.path}/state" if challenge.poll_after else None,
            at=visit.mark,
            go=f"{visit.path}/go" if challenge.kind is ChallengeKind.REDIRECT else None,
            **_kept(challenge.fields, spoken),
        )

    def _resend_in(self, challenge: AuthChallengeIssued) -> int | None:
        """Seconds until it may be sent again; None where it never may."""
        again = challenge.resend
        if again is None or not again.left:
            return None
        return max(0, math.ceil((again.not_before - self.now()).total_seconds()))

    def too_early(self, visit: Visit) -> Response:
        """It was asked for again before its time."""
        text = language(visit.locale).said(words.TOO_EARLY)
        return self.asking(visit, trouble=text)

    def told(self, visit: Visit) -> Response:
        """It ended in a way that the customer is to read before the browser goes back."""
        names = {"provider": _name(visit), "platform": platform_of(visit.window)}
        ended = words.OVER[result(visit.window, visit.seen)]
        said = words.said(ended, language(visit.locale), **names)
        text = visit.login.told if visit.login else None
        return self._render(
            "over.html", visit, action=f"{visit.path}/return", heading=said.heading, text=text or said.text
        )

    def waiting(self, visit: Visit, trouble: str | None = None) -> Response:
        """The provider is being asked."""
        challenge = visit.login.challenge if visit.login else None
        return self._render(
            "wait.html",
            visit,
            watch=f"{visit.path}/state",
            at=visit.mark,
            challenge_id=challenge.challenge_id if challenge else "",
            answer_id=str(uuid.uuid4()),
            trouble=trouble,
        )

    def over(self, visit: Visit) -> Response:
        """It ended, and the browser was sent back before."""
        names = {"provider": _name(visit), "platform": platform_of(visit.window)}
        said = words.said(words.OVER[result(visit.window, visit.seen)], language(visit.locale), **names)
        return self._render("over.html", visit, action=f"{visit.path}/return", **said._asdict())

    def _render(
        self, name: str, visit: Visit, *, status: int = 200, purpose: str | None = None, **more: Any
    ) -> Response:
        window = visit.window
        values = {
            "provider": _name(visit),
            "logo": f"{visit.path}/logo",
            "label": window.label,
            "platform": platform_of(window),
            "token": form_token(visit.browser, purpose or window.id),
            **more,
        }
        ends_at = [origin_of(window.return_url)]
        return self.pages.render(name, visit.locale, values, status=status, form_action=ends_at)


def platform_of(window: Window) -> str:
    """How the platform is called on the pages: its host."""
    return urlsplit(window.return_url).hostname or ""


def _name(visit: Visit) -> str:
    return visit.seen.provider_name.said(visit.locale)


def _kept(fields: Sequence[Field], spoken: Language) -> dict[str, Any]:
    """What is stored of a challenge and what is not, as lists in words; whether anything of it is secret."""
    asked = [one for one in fields if not one.read_only and one.type is not FieldType.BOOLEAN]
    return {
        "stored": spoken.listed([field.label for field in asked if field.stored]),
        "unstored": spoken.listed([field.label for field in asked if not field.stored]),
        "secrets": any(field.secret for field in asked),
    }


def _wrong(
    challenge: AuthChallengeIssued, blamed: str | None, errors: Sequence[FieldError], trouble: str | None
) -> tuple[str | None, Sequence[FieldError]]:
    """What is said above the fields, and what beside them: a refusal stands at the field that it blames."""
    if trouble or errors or challenge.error is None:
        return trouble, errors
    message = challenge.error.message
    at = blamed or _to_blame(challenge, challenge.error.reason)
    if message and any(field.name == at for field in challenge.fields):
        return None, (FieldError(field=str(at), code="refused", message=message),)
    return message, errors


def _to_blame(challenge: AuthChallengeIssued, reason: Reason) -> str | None:
    """The field that a refused login is about where nobody says: its secret, or where the server is."""
    if challenge.kind is not ChallengeKind.CREDENTIALS:
        return None
    if reason in ABOUT_THE_SERVER:
        return next((field.name for field in challenge.fields if field.destination), None)
    if reason is Reason.CREDENTIALS_WRONG:
        return next((field.name for field in reversed(challenge.fields) if field.secret), None)
    return None
