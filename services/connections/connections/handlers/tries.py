"""One try of one answer: claimed, asked of the provider, told to the table. Nothing is remembered here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connections.budgets import Refusal
from connections.handlers.counting import Counting
from connections.handlers.ports import Connections, Providers, Trying
from connections.lifecycle.case import Case
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.messages import (
    Asked,
    LoginBlocked,
    LoginFailed,
    StillWaiting,
    TryClaimed,
    TryDelayed,
    Unreached,
    Verified,
)
from connections.lifecycle.things import Connection, Found, LoginState
from connections.lifecycle.words import said
from connections.places import answer_place, machine_place, new_credentials_place
from connections.tokens import ends_at, for_runs, fresh_token
from connections.vault import SealBroken, Sealed, Vault
from kit.aggregates import Kept
from kit.endings import NotNow
from kit.logs import logger
from kit.transitions import Decision
from providers.login import machine, outcomes
from schemas.catalog import ProviderRetired
from schemas.challenges import Challenge
from schemas.manifest import Manifest
from schemas.reasons import Locale, Reason

Outcome = Asked | Unreached | StillWaiting | Verified | LoginFailed | LoginBlocked


Unfinished = outcomes.Asked | outcomes.Waiting | outcomes.Unreached | outcomes.Failed

log = logger(__name__)


def first_question(manifest: Manifest, locale: Locale, known: Mapping[str, Any]) -> Challenge:
    """What a login asks first. The provider is not asked for it."""
    return machine.begin(manifest, known, locale).challenge


class Tries:
    """Looks at connections that are due: a try that waits, or a time that is over."""

    def __init__(
        self,
        connections: Connections,
        providers: Providers,
        trying: Trying,
        counting: Counting,
        vault: Vault,
    ) -> None:
        self._connections = connections
        self._providers = providers
        self._trying = trying
        self._counting = counting
        self._vault = vault

    async def look(self, connection_id: str, known: Kept[Connection] | None = None) -> None:
        """Do what is due for this connection; `known` is how it was just written, which need not be read."""
        kept = known or (await self._connections.read((connection_id,))).get(connection_id)
        if kept is None:
            return
        if kept.thing.login.state is not LoginState.TRYING:
            kept = await self._connections.go_on(kept, self._by_the_clock)
        if kept.thing.login.state is LoginState.TRYING:
            await self._try(kept)

    def _by_the_clock(self, connection: Connection | None) -> Decision[Connection] | None:
        now = self._connections.now()
        message = timed_out(connection, now) if connection is not None else None
        return None if message is None else decide(Case(now, connection), message)

    async def _try(self, kept: Kept[Connection]) -> None:
        """Claim it, ask the provider, say what came of it. Whoever is slower, or died, changes nothing."""
        connection = kept.thing
        newest = (await self._providers.newest((connection.provider_id,))).get(connection.provider_id)
        if newest is not None and newest.retired and connection.unfinished:
            retired = ProviderRetired(provider_id=connection.provider_id, revision=newest.revision)
            await self._tell(kept, retired)
            return
        turn = await self._counting.turn(connection)
        if turn is not None:
            await self._tell(kept, TryDelayed(turn))
            return
        fence = await self._trying.claim(connection.id)
        if fence is None:
            return
        claimed = await self._tell(kept, TryClaimed(fence))
        login = claimed.thing.login
        if login.state is LoginState.TRYING and login.fence == fence:
            await self._tell(claimed, await self._outcome(claimed.thing, fence))

    async def _tell(self, kept: Kept[Connection], message: object) -> Kept[Connection]:
        def decided(connection: Connection | None) -> Decision[Connection] | None:
            return None if connection is None else decide(Case(self._connections.now(), connection), message)

        return await self._connections.go_on(kept, decided)

    async def _outcome(self, it: Connection, fence: int) -> Outcome:
        locale = it.login.locale
        provider = await self._providers.at(it.provider_id, it.login.provider_revision)
        if provider is None:
            return LoginFailed(fence, Reason.PROVIDER_CHANGED, said("contact_support", locale))
        try:
            answer, state = self._answer(it), self._state(it)
            outcome = await self._counting.step(it, provider.manifest, state, answer)
        except NotNow:  # our own store is away, which is nobody's bug
            raise
        except Exception as bug:  # noqa: BLE001 - a bug in a driver ends this login, never the worker
            # No traceback: its values could be what was answered.
            log.error("a login step failed", connection_id=it.id, step=it.provider_id, bug=type(bug).__name__)  # noqa: TRY400
            return LoginFailed(fence, Reason.BUG, said("contact_support", locale))
        if isinstance(outcome, Refusal):
            return LoginBlocked(fence, outcome.until)
        if isinstance(outcome, outcomes.Authorized):
            return Verified(fence, await self._found(it, provider.manifest, outcome))
        return self._told(it, fence, outcome)

    def _told(self, it: Connection, fence: int, outcome: Unfinished) -> Outcome:
        match outcome:
            case outcomes.Asked():
                sealed = self._vault.seal_values(machine_place(it, fence), outcome.state).document()
                return Asked(fence, outcome.challenge, sealed, outcome.error, outcome.blamed)
            case outcomes.Waiting():
                sealed = self._vault.seal_values(machine_place(it, fence), outcome.state).document()
                return StillWaiting(fence, sealed, outcome.poll_after)
            case outcomes.Unreached():
                return Unreached(fence, outcome.error)
            case outcomes.Failed():
                return LoginFailed(fence, outcome.reason, outcome.message)

    def _state(self, it: Connection) -> outcomes.LoginState:
        sealed = it.login.machine
        if sealed is None:
            return machine.begun(it.known)
        return self._vault.open_values(machine_place(it, it.login.machine_fence), Sealed.of(sealed))

    def _answer(self, it: Connection) -> outcomes.Answer:
        given, challenge = it.login.given, it.login.challenge
        if given is None or challenge is None:
            raise SealBroken("The answer that is to be tried is not there.")
        if given.sealed is None:
            return outcomes.Answer({}, given.action)
        place = answer_place(it, challenge.challenge_id)
        return outcomes.Answer(self._vault.open_values(place, Sealed.of(given.sealed)), given.action)

    async def _found(self, it: Connection, manifest: Manifest, found: outcomes.Authorized) -> Found:
        asked = [spec.name for spec in manifest.credentials if spec.destination and not spec.secret]
        place = {name: found.known[name] for name in asked if name in found.known}
        credentials = for_runs(manifest, found.credentials)
        return Found(
            same_as=await self._trying.same_as(it, found.identity, place),
            identity=found.identity,
            credentials=self._vault.seal_values(new_credentials_place(it), credentials).document(),
            known=dict(found.known),
            options=tuple(spec.shown(it.login.locale) for spec in manifest.options_for(it.direction)),
            token=fresh_token(self._vault, it, manifest, found.tokens, found.credentials),
            ends_at=ends_at(manifest, found.tokens, self._connections.now()),
        )
