"""`keep`: what later runs need, and whose account it is. It asks nobody."""

from __future__ import annotations

from providers.login.outcomes import Answer
from providers.login.steps import Came, Here
from schemas.login import Keep


async def ask(here: Here[Keep]) -> Came:
    kept = {name: here.filled(text) for name, text in here.step.keep.items()}
    identity = here.filled(here.step.identity) if here.step.identity else here.state.get("identity")
    return here.on(kept={**here.state.get("kept", {}), **kept}, identity=identity)


async def take(here: Here[Keep], answer: Answer) -> Came:  # noqa: ARG001 - nothing is answered: it asks nothing
    return await ask(here)
