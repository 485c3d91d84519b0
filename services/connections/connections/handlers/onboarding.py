"""What the login window asks, and answers by event: one way in for both. No page, no seal is opened here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from connections.handlers.ports import Connections, Providers
from connections.handlers.tries import first_question
from connections.lifecycle.case import Case
from connections.lifecycle.connection import UNKNOWN
from connections.lifecycle.deciding import decide
from connections.lifecycle.messages import Answered, Proven, Spoken
from connections.lifecycle.things import Connection, LoginState
from connections.lifecycle.values import checked
from connections.lifecycle.words import said
from connections.places import answer_place, machine_place
from connections.vault import Sealed, Vault
from connections.window.onboarding import Answer, Login, LoginState as Shown, Onboarded
from kit.endings import Ended, Refused
from kit.heard import Heard
from kit.owed import Cause
from kit.transitions import Decision
from providers.login.outcomes import aside
from schemas.connections import AuthChallengeAnswerSubmitted
from schemas.envelope import Event
from schemas.fields import Field, FieldError, Words
from schemas.reasons import ChallengeKind, Locale, Reason

_SHOWN: dict[LoginState, Shown] = {
    LoginState.IDLE: "ended",
    LoginState.OPEN: "open",
    LoginState.TRYING: "trying",
    LoginState.PROVING: "verified",
}

ASIDE = frozenset({ChallengeKind.APPROVE_ELSEWHERE, ChallengeKind.DEVICE_CODE, ChallengeKind.CAPTCHA_IMAGE})
"""Kinds of which the window shows more than any event tells."""


class Opener(Protocol):
    """Opens sealed answers (`connections.answers`)."""

    async def open(self, event: Event[AuthChallengeAnswerSubmitted]) -> Answer:
        """The answer inside. Raises `Refused`."""


class LoginHandlers:
    """Answers and proofs, whichever way they come."""

    def __init__(
        self,
        connections: Connections,
        providers: Providers,
        vault: Vault,
        ring: Callable[..., None] = lambda *_: None,
    ) -> None:
        """`ring` is called once answers wait to be tried: of one, with its connection as it is now."""
        self._ring = ring
        self._connections = connections
        self._providers = providers
        self._vault = vault

    async def look(self, connection_id: str) -> Onboarded | None:
        """The connection and its newest login as they are now; None where there is no such connection."""
        kept = (await self._connections.read((connection_id,))).get(connection_id)
        if kept is None:
            return None
        it = kept.thing
        provider = await self._providers.at(it.provider_id, it.login.provider_revision)
        return Onboarded(
            connection_id=it.id,
            account=it.account,
            provider_id=it.provider_id,
            provider_name=provider.manifest.name if provider else Words(en=it.name),
            login=self._shown(it),
            answer_by=it.login.answer_by,
        )

    def _shown(self, it: Connection) -> Login | None:
        challenge, machine = it.login.challenge, it.login.machine
        if challenge is None or machine is None or challenge.kind not in ASIDE:
            return _seen(it, {})
        place = machine_place(it, it.login.machine_fence)
        return _seen(it, aside(self._vault.open_values(place, Sealed.of(machine))))

    async def speak(self, connection_id: str, session_id: str, locale: Locale) -> Locale:
        """Speak this language where nothing was answered yet. The language that the login speaks now."""
        kept = (await self._connections.read((connection_id,))).get(connection_id)
        if kept is None or kept.thing.login.locale == locale:
            return locale
        it = kept.thing
        provider = await self._providers.at(it.provider_id, it.login.provider_revision)
        if provider is None:
            return it.login.locale
        question = first_question(provider.manifest, locale, it.known)

        def decided(connection: Connection | None) -> Decision[Connection] | None:
            it = _of(connection, None)
            if it.login.session_id != session_id:
                return None
            return decide(Case(self._connections.now(), it), Spoken(locale, question))

        after = await self._connections.alter(connection_id, decided)
        return after.login.locale if after else locale

    async def answer(self, answer: Answer) -> None:
        """Take an answer: from here on a worker tries it. The same `answer_id` is the same answer again.

        Raises:
            Refused: what the table says, or `invalid` with `errors` by field.
        """

        def decided(connection: Connection | None) -> Decision[Connection] | None:
            it = _of(connection, answer.account)
            if answer.answer_id in it.login.spent:
                return None
            return self._decided(it, answer)

        kept = (await self._connections.read((answer.connection_id,))).get(answer.connection_id)
        if kept is None:
            raise _unknown()
        taken = await self._connections.go_on(kept, decided, cause=Cause(actor=answer.actor))
        self._ring(taken.id, taken)

    async def complete(self, connection_id: str, session_id: str, browser: str, actor: str) -> None:
        """The platform handed in this browser's proof: a verified login counts from now on. Twice is once.

        Raises:
            Refused: the session is over, superseded, another browser's, or was never verified.
        """

        def decided(connection: Connection | None) -> Decision[Connection] | None:
            it = _of(connection, None)
            return decide(Case(self._connections.now(), it), Proven(session_id, browser))

        await self._connections.alter(connection_id, decided, cause=Cause(actor=actor))

    async def handle(self, batch: Sequence[Heard], opener: Opener) -> Sequence[Ended]:
        """`connections.answers`, in batches."""
        opened: dict[int, Answer | Refused] = {}
        verified: list[Heard] = []
        for heard in batch:
            answer = await _opened(opener, heard.event)
            # Who answered is what the token says; the envelope's word is nobody's.
            actor = None if isinstance(answer, Refused) else answer.actor
            event = heard.event.model_copy(update={"actor": actor})
            verified.append(replace(heard, event=event))
            opened[id(event)] = answer

        def decided(connection: Connection | None, event: Event[Any]) -> Decision[Connection] | None:
            it = _of(connection, event.accountid)
            answer = opened[id(event)]
            if isinstance(answer, Refused):
                raise answer
            return self._decided(it, answer)

        endings = await self._connections.fold(verified, decided)
        self._ring()
        return endings

    def _decided(self, it: Connection, answer: Answer) -> Decision[Connection] | None:
        """Its fields are held against those of the challenge, sealed, and the table decides."""
        challenge = it.login.challenge
        values: dict[str, Any] = {}
        current = challenge is not None and challenge.challenge_id == answer.challenge_id
        if current and challenge and it.login.state is LoginState.OPEN and answer.action == "answer":
            brought = challenge.kind is ChallengeKind.REDIRECT and answer.returned is not None
            values = (
                dict(answer.returned or {})
                if brought
                else _checked(challenge.fields, answer.fields, it.login.locale)
            )
        sealed = self._vault.seal_values(answer_place(it, answer.challenge_id), values).document()
        message = Answered(answer.challenge_id, answer.answer_id, answer.action, answer.browser, sealed)
        return decide(Case(self._connections.now(), it), message)


async def _opened(opener: Opener, event: Event[AuthChallengeAnswerSubmitted]) -> Answer | Refused:
    try:
        return await opener.open(event)
    except Refused as refused:
        return refused


def _checked(fields: Sequence[Field], given: Mapping[str, Any], locale: Locale) -> dict[str, Any]:
    """As `checked`; but a name that is not asked for is not repeated: it could be a secret itself."""
    if set(given) - {field.name for field in fields}:
        stray = FieldError(field="fields", code="unknown", message=said("field_unknown", locale))
        raise Refused(Reason.INVALID, said("fields_invalid", locale), (stray,))
    return checked(fields, given, locale)


def _of(connection: Connection | None, account: str | None) -> Connection:
    if connection is None or (account is not None and connection.account != account):
        raise _unknown()
    return connection


def _unknown() -> Refused:
    return Refused(UNKNOWN.reason, UNKNOWN.message)


def _seen(it: Connection, aside: Mapping[str, Any]) -> Login | None:
    login, ended = it.login, it.login.ended
    if not login.session_id:
        return None
    over = ended if login.state is LoginState.IDLE else None
    return Login(
        aside=aside,
        blamed=login.blamed,
        told=over.told if over else None,
        session_id=login.session_id,
        purpose=login.purpose,
        state="open" if it.looking else _SHOWN[login.state],
        expires_at=login.expires_at,
        locale=login.locale,
        browser=login.browser,
        challenge=login.challenge,
        result=over.result if over else None,
        reason=over.reason if over else None,
        message=over.message if over else None,
    )
