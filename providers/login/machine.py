"""The step machine: a manifest's login, one step a call, without memory. Who may answer is not decided here.

`ask` collects fields, `confirm` shows what the driver learnt of the host; after the last step the driver logs
in. A further kind of step is a further branch of `_go_on` (what it asks) and `_take` (what an answer does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from providers.drivers import introduce, open_driver
from providers.errors import ProviderError
from providers.login.outcomes import (
    Answer,
    Asked,
    Authorized,
    Challenge,
    Failed,
    LoginState,
    Outcome,
    Unreached,
)
from providers.reach import Reach
from providers.words import words
from schemas.connections import Trouble
from schemas.fields import Fact, Field, FieldType, Words
from schemas.manifest import Ask, Confirm, Manifest
from schemas.reasons import ChallengeKind, Reason

STEP_SECONDS = 25.0
"""A step ends by then: whoever runs it holds a lease of 30 s."""


def begin(manifest: Manifest, known: Mapping[str, Any], locale: str | None) -> Asked:
    """The first challenge of a login. Nobody is asked for it, so it never fails.

    Args:
        manifest: the provider's; its first step is an `ask`.
        known: what `Authorized.known` said at the connection's last login: fields are prefilled with it.
        locale: the language of the texts.
    """
    state: LoginState = {"step": 0, "values": {}, "pins": {}, "known": dict(known)}
    first = manifest.login[0]
    if not isinstance(first, Ask):
        raise TypeError(f"the login of {manifest.id} does not begin with `ask`; check its manifest")
    return Asked(state, _asking(manifest, 0, first, state, locale))


async def step(
    manifest: Manifest, state: LoginState, answer: Answer, reach: Reach, locale: str | None
) -> Outcome:
    """What follows from an answer to the challenge that `state` stands at.

    Args:
        manifest: the same revision as the state was made with.
        state: as the last `Asked` gave it; it is not changed.
        answer: its fields keep the challenge's rules.
        reach: the guarded way out.
        locale: the language of the texts.
    """
    taken = _take(manifest, state, answer, locale)
    if isinstance(taken, Failed):
        return taken
    try:
        async with asyncio.timeout(STEP_SECONDS):
            return await _go_on(manifest, taken, reach, locale)
    except TimeoutError:
        return Unreached(Trouble(reason=Reason.HOST_UNREACHABLE, message=words("too_slow").said(locale)))
    except ProviderError as error:
        return _not_accepted(manifest, taken, error, locale)


def _take(manifest: Manifest, state: LoginState, answer: Answer, locale: str | None) -> LoginState | Failed:
    """The state once the answer is in it, at the step that comes next."""
    at = int(state["step"])
    now = manifest.login[at]
    if isinstance(now, Confirm):
        if answer.fields.get("accept") is not True:
            return Failed(Reason.CANCELLED, words("not_confirmed").said(locale))
        return {**state, "step": at + 1, "pins": {**state["pins"], **state["offered"]}}
    given = {spec.name: answer.fields.get(spec.name) for spec in now.fields}
    old: Mapping[str, Any] = state["values"]
    if any(
        spec.destination and old.get(spec.name, given[spec.name]) != given[spec.name] for spec in now.fields
    ):
        return _moved(manifest, state, given)
    return {**state, "step": at + 1, "values": _filled({**old, **given})}


def _moved(manifest: Manifest, state: LoginState, given: Mapping[str, Any]) -> LoginState:
    """The state where secrets shall go elsewhere: no older one goes along, nothing there is confirmed."""
    kept = _without_secrets(manifest, state["values"])
    lost = state["values"].keys() - kept.keys() - given.keys()
    asks = (at for at, now in enumerate(manifest.login) if isinstance(now, Ask) and _names(now) & lost)
    following = next(asks, int(state["step"]) + 1)
    return {**state, "step": following, "values": _filled({**kept, **given}), "pins": {}}


async def _go_on(manifest: Manifest, state: LoginState, reach: Reach, locale: str | None) -> Outcome:
    """Ask what the next step asks; after the last one log in."""
    for at in range(int(state["step"]), len(manifest.login)):
        now = manifest.login[at]
        if isinstance(now, Ask):
            return Asked({**state, "step": at}, _asking(manifest, at, now, state, locale))
        met = await introduce(manifest, _without_secrets(manifest, state["values"]), reach)
        pins = dict(met.pins) if met else {}
        if met and not _confirmed(state, pins):
            facts = tuple(Fact(label=label.said(locale), value=value) for label, value in met.facts)
            return Asked({**state, "step": at, "offered": pins}, _confirming(at, now, facts, locale))
        state = {**state, "pins": {**state["pins"], **pins}}
    return await _log_in(manifest, state, reach)


def _confirmed(state: LoginState, pins: Mapping[str, str]) -> bool:
    """Whether the customer confirmed just these, now or at an earlier login."""
    before = {**state["known"], **state["pins"]}
    return all(before.get(name) == pin for name, pin in pins.items())


async def _log_in(manifest: Manifest, state: LoginState, reach: Reach) -> Authorized:
    everything = {**state["values"], **state["pins"]}
    async with open_driver(manifest, everything, {}, reach) as driver:
        await driver.check()
        identity = await driver.identity()
    stored = {spec.name for spec in manifest.credentials if spec.stored}
    credentials = {name: value for name, value in state["values"].items() if name in stored}
    known = {**_without_secrets(manifest, state["values"]), **state["pins"]}
    return Authorized({**credentials, **state["pins"]}, identity, known)


def _not_accepted(manifest: Manifest, state: LoginState, error: ProviderError, locale: str | None) -> Outcome:
    trouble = Trouble(reason=error.reason, message=error.text.said(locale))
    if error.later:
        return Unreached(trouble, error.retry_after)
    if error.reason is Reason.NOT_SET_UP:
        return Failed(error.reason, trouble.message)
    at, ask = _to_blame(manifest, error.field)
    again = {**state, "step": at}
    return Asked(again, _asking(manifest, at, ask, again, locale), trouble, error.field)


def _to_blame(manifest: Manifest, field: str | None) -> tuple[int, Ask]:
    """The step that asked for `field`, else the first that asked for a secret, else the first."""
    asks = [(at, now) for at, now in enumerate(manifest.login) if isinstance(now, Ask)]
    for at, ask in asks:
        if field in _names(ask):
            return at, ask
    return next((each for each in asks if any(spec.secret for spec in each[1].fields)), asks[0])


def _names(ask: Ask) -> set[str]:
    return {spec.name for spec in ask.fields}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _without_secrets(manifest: Manifest, values: Mapping[str, Any]) -> dict[str, Any]:
    open_ones = {spec.name for spec in manifest.credentials if not spec.secret}
    return {name: value for name, value in values.items() if name in open_ones}


def _asking(manifest: Manifest, at: int, ask: Ask, state: LoginState, locale: str | None) -> Challenge:
    """The challenge of an `ask`, prefilled by the last login: whoever reads it need not be who typed now."""
    known = state["known"]
    name = manifest.name.said(locale)
    return Challenge(
        kind=ChallengeKind.CREDENTIALS,
        step=at + 1,
        title=ask.title.said(locale) if ask.title else _LOG_IN.said(locale).format(name=name),
        message=ask.message.said(locale) if ask.message else _FILL_IN.said(locale).format(name=name),
        fields=tuple(
            spec.shown(locale, default=None if spec.secret else known.get(spec.name)) for spec in ask.fields
        ),
    )


def _confirming(at: int, confirm: Confirm, facts: tuple[Fact, ...], locale: str | None) -> Challenge:
    """The challenge of a `confirm`: facts and one box to tick."""
    accept = Field(
        name="accept", label=_ACCEPT.said(locale), type=FieldType.BOOLEAN, required=True, stored=False
    )
    return Challenge(
        kind=ChallengeKind.CONFIRM,
        step=at + 1,
        title=(confirm.title or _IS_IT).said(locale),
        message=(confirm.message or _COMPARE).said(locale),
        fields=(accept,),
        facts=facts,
    )


_LOG_IN = Words(en="Log in to {name}", fr="Connexion à {name}", de="Bei {name} anmelden")
_FILL_IN = Words(
    en="Fill in what {name} gave you.",
    fr="Saisissez ce que {name} vous a communiqué.",
    de="Tragen Sie ein, was {name} Ihnen gegeben hat.",
)
_IS_IT = Words(en="Is this your server?", fr="Est-ce bien votre serveur ?", de="Ist das Ihr Server?")
_COMPARE = Words(
    en="Compare this fingerprint with your provider's. Nothing secret was sent yet.",
    fr="Comparez cette empreinte à celle de votre fournisseur. Rien de secret n'a encore été envoyé.",
    de="Vergleichen Sie den Fingerabdruck mit dem Ihres Anbieters. Noch wurde nichts Geheimes gesendet.",
)
_ACCEPT = Words(en="Yes, it is the same", fr="Oui, c'est la même", de="Ja, er ist derselbe")
