"""`ask` for what proves a login: a code that was sent or made offline, an answer, a picture's letters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from providers.login import texts, totp
from providers.login.exchange import known
from providers.login.outcomes import Answer, Asked, LoginState
from providers.login.steps import Came, Here, number_of, said
from providers.login.steps.ask import filled_in, shown
from schemas.challenges import Challenge
from schemas.connections import Image, Medium
from schemas.login import AskFor
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind

LASTS = {
    "code_sent": timedelta(minutes=5),
    "code_offline": timedelta(minutes=5),
    "captcha_image": timedelta(minutes=2),
}
"""Where a manifest says nothing; the others last as long as the session."""


async def ask(here: Here[AskFor]) -> Came:
    code = _by_itself(here)
    if code is not None:
        return here.on(values={**here.state["values"], **code}, by_itself=True)
    return opening(here.manifest, here.at, here.step, here.state, here.locale)


def opening(manifest: Manifest, at: int, step: AskFor, state: LoginState, locale: str | None) -> Asked:
    """The challenge; the provider is not asked for it."""
    values = {"name": manifest.name.said(locale), **known(state)}
    picture, sound = values.get(step.image or ""), values.get(step.audio or "")
    challenge = Challenge(
        kind=ChallengeKind(step.ask),
        step=at + 1,
        title=said(step.title or texts.TITLES[step.ask], values, locale),
        message=said(step.message or texts.MESSAGES[step.ask], values, locale),
        fields=shown(step, state, locale),
        lasts=timedelta(seconds=step.seconds) if step.seconds else LASTS.get(step.ask),
        resends=step.resend is not None,
        medium=_medium(step, values, locale),
        image=Image(**picture) if picture else None,
    )
    aside = {"aside": {"audio": sound}} if sound else {}
    return Asked({**state, "step": at, "here": aside}, challenge)


async def take(here: Here[AskFor], answer: Answer) -> Came:
    if answer.action == "resend" and here.step.resend is not None:
        return here.on(number_of(here.manifest, here.step.resend))
    given = {spec.name: answer.fields.get(spec.name) for spec in here.step.fields}
    if here.step.totp is not None and given.get(here.step.totp):
        # A picture is decoded: nobody else's login waits for that.
        secret = str(given[here.step.totp])
        given[here.step.totp] = await asyncio.to_thread(totp.read, secret, here.step.totp)
    return filled_in(here, given)


def _by_itself(here: Here[AskFor]) -> dict[str, str] | None:
    """The code of an authenticator app whose secret the customer chose to store; tried once in a login.

    Of the moment that the provider's own clock shows: it judges the code by that.
    """
    secret = here.state["values"].get(here.step.totp or "")
    if here.step.ask != "code_offline" or not secret or here.state.get("by_itself"):
        return None
    named = next((spec.name for spec in here.step.fields if spec.name != here.step.totp), None)
    there = here.reach.clock() + timedelta(seconds=here.state.get("ahead", 0))
    return {named: totp.code(secret, there)} if named else None


def _medium(step: AskFor, values: Mapping[str, Any], locale: str | None) -> Medium | None:
    if step.medium is None:
        return None
    label = said(step.medium.label, values, locale) if step.medium.label else ""
    return Medium(type=step.medium.type, label=label)
