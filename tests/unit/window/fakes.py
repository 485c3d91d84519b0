"""A made-up login that keeps the promises of `Onboarding`, and windows in memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connections.window.onboarding import Answer, Login, Onboarded
from connections.window.windows import PROOF_LASTS, Window
from kit.endings import Refused
from schemas.connections import AuthChallengeIssued, Trouble
from schemas.fields import Fact, Field, FieldError, FieldType, Words
from schemas.reasons import ChallengeKind, Locale, Reason, SessionResult

CONNECTION = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10"
ACCOUNT = "acme"
PASSWORD = "canary-5up3r-secret"
START = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

CREDENTIALS = (
    Field(
        name="url",
        label="Address",
        help="As your browser shows it, such as https://cloud.example.org.",
        placeholder="https://",
        type=FieldType.URL,
        required=True,
        destination=True,
    ),
    Field(name="username", label="User name", required=True),
    Field(
        name="password",
        label="App password",
        help="Made under Settings, Security. Not the password that you log in with.",
        type=FieldType.PASSWORD,
        required=True,
        secret=True,
    ),
)
ACCEPT = (
    Field(
        name="accept",
        label="I compared it, and it is the same",
        type=FieldType.BOOLEAN,
        required=True,
        stored=False,
    ),
)
FACTS = (
    Fact(label="Host", value="sftp.example.org, port 22"),
    Fact(label="Fingerprint (SHA-256)", value="SHA256:uNiVztksCsDhcc0u9e8BrqXVjGpW4Ow7KZ3qD4lWYVE"),
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class MadeUpLogin:
    """Asks for credentials, then perhaps for a confirmation; `work()` is the worker that tries an answer."""

    clock: Callable[[], datetime]
    provider_name: Words = field(default_factory=lambda: Words(en="Nextcloud"))
    account: str = ACCOUNT
    confirms: bool = False
    works_at_once: bool = True
    has_logo: bool = True
    login: Login | None = None
    answers: list[Answer] = field(default_factory=list)
    completed: list[tuple[str, str, str]] = field(default_factory=list)
    wrong: int = 0

    def begin(self, kind: ChallengeKind = ChallengeKind.CREDENTIALS, error: str | None = None) -> Login:
        old = self.login
        session = old.session_id if old and old.state not in ("ended", "verified") else str(uuid.uuid4())
        trouble = Trouble(reason=Reason.CREDENTIALS_WRONG, message=error) if error else None
        confirms = kind is ChallengeKind.CONFIRM
        challenge = AuthChallengeIssued(
            connection_id=CONNECTION,
            session_id=session,
            purpose="connect",
            challenge_id=str(uuid.uuid4()),
            kind=kind,
            step=1,
            title="Check the host's fingerprint" if confirms else "Log in to Nextcloud",
            message="Compare it with what its operator told you."
            if confirms
            else "Nextcloud gives each app a password of its own.",
            fields=ACCEPT if confirms else CREDENTIALS,
            facts=FACTS if confirms else None,
            answer_by=("window",),
            expires_at=self.clock() + timedelta(minutes=30),
            attempts_left=3 - self.wrong,
            error=trouble,
        )
        browser = old.browser if old and old.session_id == session else None
        until = self.clock() + timedelta(minutes=30)
        self.login = Login(session, "connect", "open", until, "en", browser, challenge)
        return self.login

    async def look(self, connection_id: str) -> Onboarded | None:
        if connection_id.lower() != CONNECTION:
            return None
        return Onboarded(CONNECTION, self.account, "nextcloud", self.provider_name, self.login)

    async def speak(self, connection_id: str, session_id: str, locale: Locale) -> Locale:
        if self.login is not None and self.login.session_id == session_id:
            self.login = replace(self.login, locale=locale)
        return locale

    async def answer(self, answer: Answer) -> None:
        login = self.login
        if login is None or login.challenge is None or answer.challenge_id != login.challenge.challenge_id:
            raise Refused(Reason.ALREADY_ANSWERED, "This was answered before.")
        if self.clock() >= login.expires_at:
            self.end(SessionResult.EXPIRED)
            raise Refused(Reason.SESSION_EXPIRED, "Time ran out.")
        if login.browser not in (None, answer.browser):
            raise Refused(Reason.ALREADY_ANSWERED, "This was answered in another browser.")
        if answer.action == "cancel":
            self.end(SessionResult.CANCELLED)
            return
        if login.state == "trying":
            if self.answers and self.answers[-1].answer_id == answer.answer_id:
                return
            raise Refused(Reason.ALREADY_ANSWERED, "This was answered before.")
        missing = [
            one.name for one in login.challenge.fields if one.required and not answer.fields.get(one.name)
        ]
        if missing:
            errors = tuple(FieldError(field=name, code="missing", message="is missing") for name in missing)
            raise Refused(Reason.INVALID, "Fields are missing.", errors)
        self.answers.append(answer)
        self.login = replace(login, state="trying", browser=answer.browser)
        if self.works_at_once:
            self.work()

    def work(self) -> None:
        """What a worker does: try the answer."""
        answer = self.answers[-1]
        if "password" in answer.fields and answer.fields["password"] != PASSWORD:
            self.wrong += 1
            if self.wrong == 3:
                self.end(SessionResult.EXHAUSTED)
            else:
                self.begin(error="Nextcloud does not know this user name with this password.")
        elif self.confirms and "password" in answer.fields:
            self.begin(ChallengeKind.CONFIRM)
        else:
            self.verify()

    def verify(self) -> None:
        assert self.login is not None
        self.login = replace(self.login, state="verified", challenge=None)

    def end(self, result: SessionResult) -> None:
        assert self.login is not None
        self.login = replace(self.login, state="ended", challenge=None, result=result)

    async def complete(self, connection_id: str, session_id: str, browser: str, actor: str) -> None:
        login = self.login
        if login is None or login.session_id != session_id or login.browser != browser:
            raise Refused(Reason.SUPERSEDED, "A newer login took over.")
        if login.state == "verified":
            self.end(SessionResult.AUTHORIZED)
            self.completed.append((connection_id, session_id, actor))
        elif login.result is not SessionResult.AUTHORIZED:
            raise Refused(Reason.SESSION_EXPIRED, "This login is over.")


class MemoryWindows:
    """Windows in memory, with the promises of `WindowStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, Window] = {}

    def _set(self, id_: str, **members: Any) -> None:
        self.kept[id_] = replace(self.kept[id_], **members)

    async def add(self, window: Window) -> None:
        self.kept[window.id] = window
        unopened = [
            one
            for one in self.kept.values()
            if one.connection == window.connection and one.browser is None and not one.replaced
        ]
        newest = max(unopened, key=lambda one: (one.made_at, one.id))
        for other in unopened:
            self._set(other.id, replaced=other is not newest)

    async def by_ticket(self, ticket: str) -> Window | None:
        return next((one for one in self.kept.values() if one.ticket == ticket), None)

    async def by_id(self, id_: str) -> Window | None:
        return self.kept.get(id_)

    async def by_proof(self, connection: str, proof: str) -> Window | None:
        found = (one for one in self.kept.values() if one.proof == proof and one.connection == connection)
        return next(found, None)

    async def bind(self, id_: str, browser: str, now: datetime) -> bool:
        window = self.kept[id_]
        if window.browser is not None or window.replaced or now >= window.opens_until:
            return False
        self._set(id_, browser=browser)
        return True

    async def remember(self, id_: str, typed: Mapping[str, Any]) -> None:
        self._set(id_, typed=dict(typed))

    async def end(self, id_: str, now: datetime, proof: str | None) -> None:
        self._set(id_, returned_at=now)
        if proof:
            self._set(id_, proof=proof, proof_until=now + PROOF_LASTS)

    async def proven(self, id_: str, now: datetime) -> None:
        self._set(id_, proven_at=now)
