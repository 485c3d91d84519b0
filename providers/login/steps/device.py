"""`device`: the customer types a code at the provider's, with any device, while we ask whether it was done.

No event holds the code or its address: the window alone shows them (`aside`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from providers.errors import ProviderError
from providers.login.exchange import known
from providers.login.oauth import device
from providers.login.oauth.device import Waiting as StillWaiting
from providers.login.oauth.registered import registered
from providers.login.outcomes import Answer, Asked, LoginState, Waiting
from providers.login.steps import Came, Here, said
from providers.login.steps.redirect import taken
from schemas.challenges import Challenge
from schemas.fields import Words
from schemas.login import Device
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason


async def ask(here: Here[Device]) -> Came:
    begun = await device.begin(await registered(here.manifest, here.state["values"], here.reach))
    aside = {"code": begun.user_code, "link": begun.verification_uri_complete or begun.verification_uri}
    state = here.keeping(device_code=begun.device_code, interval=begun.interval, aside=aside)
    values = _values(here.manifest, here.state, here.locale)
    challenge = _challenge(here.at, here.step, _TYPE, values, here.locale)
    lasts = timedelta(seconds=begun.expires_in)
    return Asked(state, replace(challenge, lasts=lasts, poll_after=begun.interval))


def opening(manifest: Manifest, at: int, step: Device, state: LoginState, locale: str | None) -> Asked:
    """The challenge before there is a code: nobody is asked for one until somebody wants it."""
    values = _values(manifest, state, locale)
    return Asked({**state, "step": at, "here": {}}, _challenge(at, step, _BEGIN, values, locale))


async def take(here: Here[Device], answer: Answer) -> Came:
    kept = here.state["here"]
    if "device_code" not in kept:
        return await ask(here)
    if answer.action == "resend":
        return await ask(here)
    there = await registered(here.manifest, here.state["values"], here.reach)
    interval = int(kept["interval"])
    try:
        came = await device.poll(there, kept["device_code"], interval)
    except ProviderError as error:
        if error.later:  # RFC 8628 §3.5: an outage is waited out, more slowly
            return _waiting(here, interval * 2)
        if error.reason is Reason.SESSION_EXPIRED:
            return opening(here.manifest, here.at, here.step, here.state, here.locale)
        raise
    if isinstance(came, StillWaiting):
        return _waiting(here, came.interval)
    return await taken(here, there, came)


def _waiting(here: Here[Device], interval: int) -> Waiting:
    slower = min(interval, 60)
    return Waiting(here.keeping(**{**here.state["here"], "interval": slower}), slower)


def _values(manifest: Manifest, state: LoginState, locale: str | None) -> dict[str, Any]:
    return {"name": manifest.name.said(locale), **known(state)}


def _challenge(
    at: int, step: Device, message: Words, values: Mapping[str, Any], locale: str | None
) -> Challenge:
    return Challenge(
        kind=ChallengeKind.DEVICE_CODE,
        step=at + 1,
        title=said(step.title or _TITLE, values, locale),
        message=said(step.message or message, values, locale),
        window_only=True,
    )


_TITLE = Words(en="Agree at {name}", fr="Accepter chez {name}", de="Bei {name} zustimmen")
_BEGIN = Words(
    en="You will get a code to type at {name}, with this device or another one.",
    fr="Vous recevrez un code à saisir chez {name}, sur cet appareil ou un autre.",
    de="Sie bekommen einen Code, den Sie bei {name} eingeben, mit diesem Gerät oder einem anderen.",
)
_TYPE = Words(
    en="Open the address at {name}, check that the code there is the same, and agree.",
    fr="Ouvrez l'adresse chez {name}, vérifiez que le code y est le même, et acceptez.",
    de="Öffnen Sie die Adresse bei {name}, prüfen Sie, ob der Code dort derselbe ist, und stimmen Sie zu.",
)
