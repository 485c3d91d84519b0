"""The step machine: a manifest's login, one answer a call, without memory. It does not decide who may answer.

It walks the steps from the one that was answered to the next that asks something; past the last one the
driver logs in. What each kind of step does is in `providers.login.steps`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from providers.drivers import open_driver
from providers.errors import Kind, ProviderError
from providers.login.outcomes import Answer, Asked, Authorized, Failed, LoginState, Outcome, Unreached
from providers.login.steps import (
    Again,
    Came,
    Go,
    Here,
    ask,
    ask_for,
    device,
    kind_of,
    number_of,
    redirect,
    tells_values,
)
from providers.reach import Reach
from providers.words import words
from schemas.connections import Trouble
from schemas.login import Ask, AskFor, Call, Device, Keep, LoginStep, Redirect
from schemas.manifest import Manifest
from schemas.reasons import Reason

STEP_SECONDS = 25.0
"""A step ends by then: whoever runs it holds a lease of 30 s."""
MOST_STEPS = 50
"""Steps that one answer may lead through: a manifest that goes in a circle ends here."""


def begin(manifest: Manifest, known: Mapping[str, Any], locale: str | None) -> Asked:
    """The first challenge of a login. Nobody is asked for it, so it never fails.

    Args:
        manifest: the provider's; its first step is one that asks without the provider (see `_opened`).
        known: what `Authorized.known` said at the connection's last login: fields are prefilled with it.
        locale: the language of the texts.
    """
    return _opened(manifest, 0, begun(known), locale)


def begun(known: Mapping[str, Any]) -> LoginState:
    """The state of a login at its first challenge; `known` as in `begin`."""
    return {"step": 0, "values": {}, "pins": {}, "known": dict(known), "here": {}}


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
    here = _here(manifest, int(state["step"]), state, reach, locale)
    refusals: list[Again] = []
    try:
        async with asyncio.timeout(STEP_SECONDS):
            came = await _walked(here, answer, refusals)
    except TimeoutError:
        slow = Trouble(reason=Reason.HOST_UNREACHABLE, message=words("too_slow").said(locale))
        came = _with_error(here, Unreached(slow), refusals)
    if not isinstance(came, Asked):
        return came
    tells = tells_values(manifest.login[came.challenge.step - 1])
    return replace(came, challenge=replace(came.challenge, tells_values=tells))


async def renewed(manifest: Manifest, stored: Mapping[str, Any], reach: Reach) -> LoginState:
    """Walk the steps again that bring a token, with what was stored; the state holds the newer one.

    Nobody is asked: only the code of an app whose secret was stored is known without asking.

    Raises:
        ProviderError: kind `auth` where the provider wants more than what was stored, `challenge_needed`, or
            takes it no longer; anything else may work later.
    """
    spec = manifest.own_token
    if spec is None:
        raise LookupError(f"the login of {manifest.id} brings no token of its own")
    state: LoginState = {"values": dict(stored), "pins": {}, "known": {}, "here": {}}
    came: Came = Go(state, number_of(manifest, spec.renew))
    for _ in range(MOST_STEPS):
        if not isinstance(came, Go):
            raise _not_renewed(came)
        if "tokens" in came.state or came.to >= len(manifest.login):
            return came.state
        here = _here(manifest, came.to, came.state, reach, None)
        if not isinstance(here.step, Call | Keep | AskFor):
            raise ProviderError("auth", Reason.CHALLENGE_NEEDED, words("asks_more"))
        came = await kind_of(here.step).ask(here)
    raise RecursionError(f"the renewal of {manifest.id} goes in a circle; check its manifest")


def _not_renewed(came: Came) -> ProviderError:
    match came:
        case Asked():
            return ProviderError("auth", Reason.CHALLENGE_NEEDED, words("asks_more"))
        case Again(error=error):
            from providers.login.steps.call import LATER  # who renews has it already

            kind: Kind = "transient" if error.reason in LATER else "auth"
            return ProviderError(kind, error.reason, error.message or "")
        case Unreached(error=error, retry_after=wait):
            return ProviderError("transient", error.reason, error.message or "", retry_after=wait)
        case Failed(reason=reason, message=message):
            return ProviderError("auth", reason, message)
    raise TypeError(f"a renewal ends in no {type(came).__name__}")


async def _walked(here: Here[LoginStep], answer: Answer, refusals: list[Again]) -> Outcome:
    """From an answer to the next challenge, or to the end; `refusals` outlives the time that it may take."""
    try:
        came = await kind_of(here.step).take(here, answer)
        for _ in range(MOST_STEPS):
            if isinstance(came, Again):
                refusals.append(came)
            elif not isinstance(came, Go):
                return _with_error(here, came, refusals)
            if came.to >= len(here.manifest.login):
                here = replace(here, state=came.state)
                return await _log_in(here)
            here = _here(here.manifest, came.to, came.state, here.reach, here.locale)
            came = await kind_of(here.step).ask(here)
    except ProviderError as error:
        return _with_error(here, _not_accepted(here, error), refusals)
    raise RecursionError(f"the login of {here.manifest.id} goes in a circle; check its manifest")


def _here(
    manifest: Manifest, at: int, state: LoginState, reach: Reach, locale: str | None
) -> Here[LoginStep]:
    return Here(manifest, at, manifest.login[at], {**state, "step": at}, reach, locale)


def _with_error(here: Here[LoginStep], came: Outcome, refusals: Sequence[Again]) -> Outcome:
    """What is asked, with what was wrong before.

    A provider that cannot be reached after it refused an answer has refused it: that counts.
    """
    if not refusals or not isinstance(came, Asked | Unreached):
        return came
    refused = refusals[-1]
    if isinstance(came, Unreached):
        came = _opened(here.manifest, _to_blame(here, refused.blamed), refused.state, here.locale)
    return replace(came, error=refused.error, blamed=refused.blamed)


async def _log_in(here: Here[LoginStep]) -> Authorized:
    """The driver logs in with what the steps have brought."""
    manifest, state = here.manifest, here.state
    tokens = state.get("tokens")
    token = {"access_token": tokens["access_token"]} if tokens else {}
    kept = state.get("kept", {})
    given = {**state["values"], **state["pins"], **kept, **token}
    identity = state.get("identity")
    if not state.get("entered"):
        async with open_driver(manifest, given, {}, here.reach) as driver:
            await driver.check()
            identity = identity or await driver.identity()
    stored = {spec.name for spec in manifest.credentials if spec.stored}
    credentials = {name: value for name, value in state["values"].items() if name in stored}
    known = {**ask.without_secrets(manifest, state["values"]), **state["pins"]}
    return Authorized({**credentials, **state["pins"], **kept}, str(identity), known, tokens, state)


def _not_accepted(here: Here[LoginStep], error: ProviderError) -> Outcome:
    trouble = Trouble(reason=error.of_account, message=error.text.said(here.locale))
    if error.later:
        return Unreached(trouble, error.retry_after)
    if error.reason is Reason.NOT_SET_UP:
        return Failed(error.reason, trouble.message)
    at = _to_blame(here, error.field)
    again = _opened(here.manifest, at, here.state, here.locale)
    return replace(again, error=trouble, blamed=error.field)


def _to_blame(here: Here[LoginStep], field: str | None) -> int:
    """The step that asked for `field`, else where the provider let us in, else where a secret was."""
    steps = here.manifest.login
    asks = [(at, now) for at, now in enumerate(steps) if isinstance(now, Ask)]
    for at, step in asks:
        if field in ask.names(step):
            return at
    doors = [at for at, now in enumerate(steps) if isinstance(now, Redirect | Device) and at <= here.at]
    if doors:
        return doors[-1]
    return next((at for at, step in asks if any(spec.secret for spec in step.fields)), asks[0][0])


def _opened(manifest: Manifest, at: int, state: LoginState, locale: str | None) -> Asked:
    """The challenge of a step that can be asked without the provider."""
    match manifest.login[at]:
        case AskFor() as step:
            return ask_for.opening(manifest, at, step, state, locale)
        case Ask() as step:
            return ask.opening(manifest, at, step, state, locale)
        case Redirect() as step:
            return redirect.opening(manifest, at, step, state, locale)
        case Device() as step:
            return device.opening(manifest, at, step, state, locale)
    raise TypeError(f"the login of {manifest.id} cannot begin at step {at + 1}; check its manifest")
