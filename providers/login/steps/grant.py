"""`grant`: a token by the client's own right. Nobody is asked; a wrong client is the fields' fault."""

from __future__ import annotations

from providers.login.oauth.registered import registered
from providers.login.oauth.tokens import by_own_right
from providers.login.outcomes import Answer
from providers.login.steps import Came, Here
from providers.login.steps.redirect import taken
from schemas.login import Grant


async def ask(here: Here[Grant]) -> Came:
    there = await registered(here.manifest, here.state["values"], here.reach)
    return await taken(here, there, await by_own_right(there))


async def take(here: Here[Grant], answer: Answer) -> Came:  # noqa: ARG001 - the promise of `StepKind`
    """It asks nothing, so that nothing is answered."""
    return here.on()
