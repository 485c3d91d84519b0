"""`ask: credentials`: fields that the customer fills in. Later steps use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.login import texts
from providers.login.exchange import known
from providers.login.outcomes import Answer, Asked, LoginState
from providers.login.steps import Came, Go, Here, said
from schemas.challenges import Challenge
from schemas.fields import Field
from schemas.login import Ask
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind


async def ask(here: Here[Ask]) -> Came:
    return opening(here.manifest, here.at, here.step, here.state, here.locale)


def opening(manifest: Manifest, at: int, step: Ask, state: LoginState, locale: str | None) -> Asked:
    """The challenge; it needs no provider, so that a login can begin with it."""
    values = {"name": manifest.name.said(locale), **known(state)}
    challenge = Challenge(
        kind=ChallengeKind.CREDENTIALS,
        step=at + 1,
        title=said(step.title or texts.TITLES[step.ask], values, locale),
        message=said(step.message or texts.MESSAGES[step.ask], values, locale),
        fields=shown(step, state, locale),
    )
    return Asked({**state, "step": at, "here": {}}, challenge)


def shown(step: Ask, state: LoginState, locale: str | None) -> tuple[Field, ...]:
    """Its fields, prefilled by the last login: whoever reads them need not be who typed now."""
    before = state["known"]
    return tuple(
        spec.shown(locale, default=None if spec.secret else before.get(spec.name)) for spec in step.fields
    )


async def take(here: Here[Ask], answer: Answer) -> Came:
    given = {spec.name: answer.fields.get(spec.name) for spec in here.step.fields}
    return filled_in(here, given)


def filled_in(here: Here[Ask], given: Mapping[str, Any]) -> Go:
    """On with what was typed; where secrets shall go elsewhere now, back to what asks for them."""
    old: Mapping[str, Any] = here.state["values"]
    if any(
        spec.destination and old.get(spec.name, given[spec.name]) != given[spec.name]
        for spec in here.step.fields
    ):
        return _moved(here, given)
    return here.on(values=_filled({**old, **given}))


def _moved(here: Here[Ask], given: Mapping[str, Any]) -> Go:
    """Secrets shall go elsewhere: no older one goes along, nothing there is confirmed."""
    values = here.state["values"]
    kept = without_secrets(here.manifest, values)
    lost = values.keys() - kept.keys() - given.keys()
    asks = (
        at
        for at, now in enumerate(here.manifest.login)
        if isinstance(now, Ask) and now.ask == "credentials" and names(now) & lost
    )
    fresh: dict[str, Any] = {"pins": {}, "taken": {}, "cookies": [], "kept": {}}
    return here.on(next(asks, None), values=_filled({**kept, **given}), **fresh)


def names(step: Ask) -> set[str]:
    """The names of its fields."""
    return {spec.name for spec in step.fields}


def without_secrets(manifest: Manifest, values: Mapping[str, Any]) -> LoginState:
    """The values of fields that are not secret."""
    open_ones = {spec.name for spec in manifest.credentials if not spec.secret}
    return {name: value for name, value in values.items() if name in open_ones}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
