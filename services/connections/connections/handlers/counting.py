"""How often is tried: each try waits its turn at its provider and is counted before it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from connections.budgets import Became, Budget, Refusal, budgets
from connections.handlers.ports import Gate
from connections.lifecycle.sessions import BLAMED
from connections.lifecycle.things import Connection
from connections.vault import Sealed, Vault, credentials_place
from kit.endings import NotNow
from kit.logs import logger
from kit.trouble import is_trouble
from providers.login import outcomes
from schemas.manifest import Manifest
from schemas.reasons import Locale

Step = Callable[[Manifest, outcomes.LoginState, outcomes.Answer, Locale], Awaitable[outcomes.Outcome]]
"""`providers.login.machine.step` with its way out: it asks the provider, and remembers nothing."""

log = logger(__name__)

PATIENCE = 40
"""Looks, 250 ms apart, whether the end of others' tries is known by now."""


class Counting:
    """A step that is counted."""

    def __init__(self, gate: Gate, vault: Vault, step: Step) -> None:
        self._gate = gate
        self._vault = vault
        self._step = step

    async def turn(self, it: Connection) -> datetime | None:
        """When the provider bears this try; None is now."""
        given, rate = it.login.given, it.login.limits.logins.per_minute
        if rate is None or given is None or it.looking:
            return None
        return await self._gate.turn(it.provider_id, it.account, given.answer_id, rate)

    async def step(
        self, it: Connection, manifest: Manifest, state: outcomes.LoginState, answer: outcomes.Answer
    ) -> outcomes.Outcome | Refusal:
        """What the machine says, unless too many tries have failed before this one."""
        answer_id = it.login.given.answer_id if it.login.given else ""
        counted: tuple[Budget, ...] = ()
        if answer.action == "answer" and not self._verified_before(it, manifest, answer):
            counted = budgets(manifest, it.account, {**state["values"], **answer.fields})
        refused = await self._spent(counted, answer_id)
        if refused is not None:
            return refused
        outcome = await self._step(manifest, state, answer, it.login.locale)
        await self._settle(counted, answer_id, _became(outcome))
        return outcome

    async def _settle(self, counted: Sequence[Budget], answer_id: str, became: Became) -> None:
        """What the provider said counts though the store is away now: unsettled, a try counts as failed."""
        try:
            await self._gate.settle(counted, answer_id, became)
        except Exception as error:
            if not is_trouble(error):
                raise
            log.warning("a try was not settled", error=type(error).__name__)

    def _verified_before(self, it: Connection, manifest: Manifest, answer: outcomes.Answer) -> bool:
        """Whether these very secrets were accepted before: nobody guesses them."""
        secrets = {spec.name for spec in manifest.credentials if spec.secret} & answer.fields.keys()
        if it.credentials is None or not secrets:
            return False
        place = credentials_place(it.account, it.id, it.credentials_revision)
        kept = self._vault.open_values(place, Sealed.of(it.credentials))
        return all(kept.get(name) == value for name, value in answer.fields.items())

    async def _spent(self, counted: Sequence[Budget], answer_id: str) -> Refusal | None:
        """Count the try; where others are being tried whose end is not known yet, wait for it.

        Raises:
            NotNow: it cannot be counted, so that it is not made.
        """
        refused = None
        for _ in range(PATIENCE):
            try:
                refused = await self._gate.spend(counted, answer_id)
            except Exception as error:
                if not is_trouble(error):
                    raise
                raise NotNow("Nothing can be counted: the store is away.") from None
            if refused is None or refused.blocked:
                break
            await asyncio.sleep(0.25)
        return refused


def _became(outcome: outcomes.Outcome) -> Became:
    if isinstance(outcome, outcomes.Authorized):
        return "passed"
    blamed = isinstance(outcome, outcomes.Asked) and outcome.error and outcome.error.reason in BLAMED
    return "failed" if blamed else "nothing"
