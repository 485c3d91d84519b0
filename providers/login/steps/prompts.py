"""`prompts`: the server itself asks, over its own protocol, in the order that it decides (RFC 4256 for SSH).

Nothing is connected between two steps: each answer makes a new connection, which answers by itself what was
asked before. So what counts once, such as a code, comes last, as servers ask for it. The last connection is
the login: its code is not spent twice.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from providers.drivers import open_driver
from providers.errors import Prompted, ProviderError
from providers.login import texts, totp
from providers.login.outcomes import Answer, Asked
from providers.login.steps import Again, Came, Here
from schemas.challenges import Challenge
from schemas.connections import Trouble
from schemas.fields import Field, FieldType
from schemas.login import Prompts
from schemas.reasons import ChallengeKind, Reason

LASTS = timedelta(minutes=5)


async def ask(here: Here[Prompts]) -> Came:
    return await _tried(here, [])


async def take(here: Here[Prompts], answer: Answer) -> Came:
    said: list[list[str]] = here.state["here"]["said"]
    secret = answer.fields.get("totp_secret")
    if secret:
        # A picture is decoded: nobody else's login waits for that.
        read = await asyncio.to_thread(totp.read, str(secret), "totp_secret")
        here = here.went(kept={**here.state.get("kept", {}), "totp_secret": read})
    return await _tried(here, [*said, [here.state["here"]["asks"], str(answer.fields.get("answer", ""))]])


async def _tried(here: Here[Prompts], said: list[list[str]]) -> Came:
    state = here.state
    given = {**state["values"], **state["pins"], **state.get("kept", {}), "prompt_answers": said}
    try:
        async with open_driver(here.manifest, given, {}, here.reach) as driver:
            await driver.check()
            return here.on(identity=await driver.identity(), entered=True)
    except Prompted as prompted:
        return Asked(here.keeping(said=said, asks=prompted.asks), _challenge(here, prompted.asks))
    except ProviderError as error:
        if not said or error.reason is not Reason.CREDENTIALS_WRONG:
            raise
        trouble = Trouble(reason=error.reason, message=error.text.said(here.locale))
        kept = {name: value for name, value in state.get("kept", {}).items() if name != "totp_secret"}
        return Again({**state, "kept": kept}, here.at, trouble, "answer")


def _challenge(here: Here[Prompts], question: str) -> Challenge:
    """Its question, and the secret of the app for whoever wants runs to answer by themselves."""
    locale = here.locale
    answer = Field(
        name="answer", label=question, type=FieldType.PASSWORD, required=True, secret=True, stored=False
    )
    secret = Field(
        name="totp_secret",
        label=texts.APP_SECRET.said(locale),
        help=texts.APP_SECRET_HELP.said(locale),
        secret=True,
    )
    return Challenge(
        kind=ChallengeKind.CODE_OFFLINE,
        step=here.at + 1,
        title=here.said(here.step.title or texts.TITLES["code_offline"], {}),
        message=here.said(here.step.message or texts.MESSAGES["code_offline"], {}),
        fields=(answer, secret),
        lasts=LASTS,
    )
