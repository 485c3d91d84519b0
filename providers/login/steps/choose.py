"""`choose`: one of what the provider offers, such as a device or a company."""

from __future__ import annotations

from typing import Any

from providers.errors import ProviderError
from providers.login import texts
from providers.login.exchange import known
from providers.login.outcomes import Answer, Asked
from providers.login.steps import Came, Here
from schemas.challenges import Challenge
from schemas.fields import Choice, FieldType
from schemas.login import Choose
from schemas.reasons import ChallengeKind, Reason


async def ask(here: Here[Choose]) -> Came:
    step, values = here.step, known(here.state)
    offered: list[dict[str, Any]] = here.state.get("taken", {}).get(step.choose) or []
    if not offered:
        raise ProviderError("config", Reason.PERMISSION_MISSING, here.said(texts.NOTHING_TO_CHOOSE, values))
    if len(offered) == 1:
        return here.on(values={**here.state["values"], step.field.name: offered[0]["value"]})
    before = here.state["known"].get(step.field.name)
    default = before if any(one["value"] == before for one in offered) else None
    field = step.field.shown(here.locale, default=default).model_copy(
        update={
            "type": FieldType.CHOICE,
            "required": True,
            "choices": tuple(Choice(**one) for one in offered),
        }
    )
    challenge = Challenge(
        kind=ChallengeKind.SELECT,
        step=here.at + 1,
        title=here.said(step.title or texts.TITLES["select"], values),
        message=here.said(step.message or texts.MESSAGES["select"], values),
        fields=(field,),
    )
    return Asked(here.keeping(), challenge)


async def take(here: Here[Choose], answer: Answer) -> Came:
    name = here.step.field.name
    return here.on(values={**here.state["values"], name: answer.fields.get(name)})
