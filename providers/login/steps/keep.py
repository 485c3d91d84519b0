"""`keep`: what later runs need, and whose account it is. It asks nobody."""

from __future__ import annotations

from typing import Any

from providers.login.outcomes import Answer
from providers.login.steps import Came, Here
from schemas.login import Keep, OwnToken


async def ask(here: Here[Keep]) -> Came:
    kept = {name: here.filled(text) for name, text in here.step.keep.items()}
    identity = here.filled(here.step.identity) if here.step.identity else here.state.get("identity")
    if here.step.token is not None:
        here = here.went(tokens=_token(here, here.step.token))
    return here.on(kept={**here.state.get("kept", {}), **kept}, identity=identity)


def _token(here: Here[Keep], spec: OwnToken) -> dict[str, Any]:
    from providers.login.oauth.tokens import lasting  # few logins have one

    seconds = here.filled(spec.seconds) if spec.seconds else None
    return lasting(here.filled(spec.access), seconds, spec.life, here.reach.clock()).plain()


async def take(here: Here[Keep], answer: Answer) -> Came:  # noqa: ARG001 - nothing is answered: it asks nothing
    return await ask(here)
