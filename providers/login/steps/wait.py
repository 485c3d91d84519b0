"""`wait`: something happens elsewhere, such as an approval in an app, and is looked for until then."""

from __future__ import annotations

from datetime import timedelta

from providers.errors import ProviderError
from providers.login import texts
from providers.login.exchange import known, send
from providers.login.outcomes import Answer, Asked, Waiting
from providers.login.reading import Reading
from providers.login.steps import Came, Here
from providers.login.steps.call import judged
from schemas.challenges import Challenge
from schemas.login import Wait
from schemas.reasons import ChallengeKind


async def ask(here: Here[Wait]) -> Came:
    """Asked before anybody can have approved: the first look is the clock's."""
    step, values = here.step, known(here.state)
    aside = {"code": here.filled(step.show)} if step.show else {}
    title = step.title or texts.TITLES["approve_elsewhere"]
    message = step.message or texts.MESSAGES["approve_elsewhere"]
    challenge = Challenge(
        kind=ChallengeKind.APPROVE_ELSEWHERE,
        step=here.at + 1,
        title=here.said(title, values),
        message=here.said(message, values),
        lasts=timedelta(seconds=step.seconds),
        window_only=True,
        poll_after=step.every,
    )
    return Asked(here.keeping(aside=aside), challenge)


async def take(here: Here[Wait], answer: Answer) -> Came:
    """A look at the provider, by the clock or because the customer says that it is done."""
    try:
        sent = await send(here.step.wait, here.state, here.reach)
    except ProviderError as error:
        if error.later and answer.action == "poll":
            return Waiting(here.state, poll_after=max(here.step.every, int(error.retry_after or 0)))
        raise
    row = Reading(sent.page).row(here.step.then)
    if row is not None and row.still:
        return Waiting(sent.state)
    return await judged(here.went(**sent.state), here.step, sent.page)
