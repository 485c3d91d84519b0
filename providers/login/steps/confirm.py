"""`confirm`: what the driver learnt of the host, to be accepted before anything secret is sent."""

from __future__ import annotations

from collections.abc import Mapping

from providers.drivers import introduce
from providers.login.outcomes import Answer, Asked, Failed, LoginState
from providers.login.steps import Came, Here
from providers.login.steps.ask import without_secrets
from providers.words import words
from schemas.challenges import Challenge
from schemas.fields import Fact, Field, FieldType, Words
from schemas.login import Confirm
from schemas.reasons import ChallengeKind, Reason


async def ask(here: Here[Confirm]) -> Came:
    state = here.state
    met = await introduce(here.manifest, without_secrets(here.manifest, state["values"]), here.reach)
    pins = dict(met.pins) if met else {}
    if met is None or _confirmed(state, pins):
        return here.on(pins={**state["pins"], **pins})
    facts = tuple(Fact(label=label.said(here.locale), value=value) for label, value in met.facts)
    return Asked(here.keeping(offered=pins), _challenge(here, facts))


async def take(here: Here[Confirm], answer: Answer) -> Came:
    if answer.fields.get("accept") is not True:
        return Failed(Reason.CANCELLED, words("not_confirmed").said(here.locale))
    return here.on(pins={**here.state["pins"], **here.state["here"]["offered"]})


def _confirmed(state: LoginState, pins: Mapping[str, str]) -> bool:
    """Whether the customer confirmed just these, now or at an earlier login."""
    before = {**state["known"], **state["pins"]}
    return all(before.get(name) == pin for name, pin in pins.items())


def _challenge(here: Here[Confirm], facts: tuple[Fact, ...]) -> Challenge:
    """Facts and one box to tick."""
    locale = here.locale
    accept = Field(
        name="accept", label=_ACCEPT.said(locale), type=FieldType.BOOLEAN, required=True, stored=False
    )
    return Challenge(
        kind=ChallengeKind.CONFIRM,
        step=here.at + 1,
        title=(here.step.title or _IS_IT).said(locale),
        message=(here.step.message or _COMPARE).said(locale),
        fields=(accept,),
        facts=facts,
    )


_IS_IT = Words(en="Is this your server?", fr="Est-ce bien votre serveur ?", de="Ist das Ihr Server?")
_COMPARE = Words(
    en="Compare this fingerprint with your provider's. Nothing secret was sent yet.",
    fr="Comparez cette empreinte à celle de votre fournisseur. Rien de secret n'a encore été envoyé.",
    de="Vergleichen Sie den Fingerabdruck mit dem Ihres Anbieters. Noch wurde nichts Geheimes gesendet.",
)
_ACCEPT = Words(en="Yes, it is the same", fr="Oui, c'est la même", de="Ja, er ist derselbe")
