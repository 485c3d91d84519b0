"""`ask`: fields that the customer fills in. What they are used for is the later steps' to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.login.outcomes import Answer, Asked, Challenge, LoginState
from providers.login.steps import Came, Go, Here
from schemas.fields import Words
from schemas.login import Ask
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind


async def ask(here: Here[Ask]) -> Came:
    return opening(here.manifest, here.at, here.step, here.state, here.locale)


def opening(manifest: Manifest, at: int, step: Ask, state: LoginState, locale: str | None) -> Asked:
    """The challenge; it needs no provider, so that a login can begin with it.

    Prefilled by the last login: whoever reads it need not be who typed now.
    """
    known = state["known"]
    name = manifest.name.said(locale)
    challenge = Challenge(
        kind=ChallengeKind.CREDENTIALS,
        step=at + 1,
        title=step.title.said(locale) if step.title else _LOG_IN.said(locale).format(name=name),
        message=step.message.said(locale) if step.message else _FILL_IN.said(locale).format(name=name),
        fields=tuple(
            spec.shown(locale, default=None if spec.secret else known.get(spec.name)) for spec in step.fields
        ),
    )
    return Asked({**state, "step": at, "here": {}}, challenge)


async def take(here: Here[Ask], answer: Answer) -> Came:
    given = {spec.name: answer.fields.get(spec.name) for spec in here.step.fields}
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
    asks = (at for at, now in enumerate(here.manifest.login) if isinstance(now, Ask) and names(now) & lost)
    return here.on(next(asks, None), values=_filled({**kept, **given}), pins={})


def names(step: Ask) -> set[str]:
    """The names of its fields."""
    return {spec.name for spec in step.fields}


def without_secrets(manifest: Manifest, values: Mapping[str, Any]) -> LoginState:
    """The values of fields that are not secret."""
    open_ones = {spec.name for spec in manifest.credentials if not spec.secret}
    return {name: value for name, value in values.items() if name in open_ones}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


_LOG_IN = Words(en="Log in to {name}", fr="Connexion à {name}", de="Bei {name} anmelden")
_FILL_IN = Words(
    en="Fill in what {name} gave you.",
    fr="Saisissez ce que {name} vous a communiqué.",
    de="Tragen Sie ein, was {name} Ihnen gegeben hat.",
)
