"""`redirect`: the customer agrees at the provider's own page. The window sends the browser there and back.

No event holds the address: it is made when the browser leaves (`providers.login.oauth.leaving`), and what it
brings back is this step's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from providers.errors import ProviderError
from providers.login.exchange import known
from providers.login.oauth import texts
from providers.login.oauth.identity import who
from providers.login.oauth.leaving import Departure, code_of
from providers.login.oauth.registered import Registered, registered
from providers.login.oauth.tokens import Tokens, by_code, missing_scopes
from providers.login.outcomes import Answer, Asked, LoginState
from providers.login.steps import Came, Go, Here, said
from schemas.challenges import Challenge
from schemas.fields import Words
from schemas.login import Redirect
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason

LASTS = timedelta(minutes=15)


async def ask(here: Here[Redirect]) -> Came:
    return opening(here.manifest, here.at, here.step, here.state, here.locale)


def opening(manifest: Manifest, at: int, step: Redirect, state: LoginState, locale: str | None) -> Asked:
    """The challenge; it needs no provider, so that a login can begin with it."""
    values = {"name": manifest.name.said(locale), **known(state)}
    challenge = Challenge(
        kind=ChallengeKind.REDIRECT,
        step=at + 1,
        title=said(step.title or _TITLE, values, locale),
        message=said(step.message or _MESSAGE, values, locale),
        lasts=LASTS,
        window_only=True,
    )
    return Asked({**state, "step": at, "here": {}}, challenge)


async def take(here: Here[Redirect], answer: Answer) -> Came:
    """`answer.fields` are the window's own: `back`, the parameters that came, and `departure`."""
    back, departure = answer.fields.get("back"), answer.fields.get("departure")
    there = await registered(here.manifest, here.state["values"], here.reach)
    if not isinstance(back, Mapping) or not isinstance(departure, Mapping):
        return await ask(here)
    left = Departure(**departure)
    tokens = await by_code(there, code_of(there.server, back), left.verifier, left.redirect_uri)
    return await taken(here, there, tokens, left.nonce, back)


async def taken(
    here: Here[Any],
    there: Registered,
    tokens: Tokens,
    nonce: str | None = None,
    back: Mapping[str, Any] | None = None,
) -> Go:
    """On with these tokens, once it is known that they suffice and whose they are.

    Raises:
        ProviderError: `permission_missing`, with the scopes by name; and what `identity.who` raises.
    """
    missing = missing_scopes(there.spec, tokens)
    if missing:
        raise ProviderError("config", Reason.PERMISSION_MISSING, texts.scopes_missing(missing))
    kept = {
        name: str(back[param])
        for name, param in there.spec.keep_from_callback.items()
        if back is not None and param in back
    }
    found = await who(there, tokens, nonce, {**here.state["values"], **kept})
    if found is not None:
        kept |= {"account": found.name, **found.kept}
    return here.on(tokens=tokens.plain(), pins={**here.state["pins"], **kept})


_TITLE = Words(en="Continue at {name}", fr="Continuer chez {name}", de="Weiter bei {name}")
_MESSAGE = Words(
    en="{name} asks you to log in there and to agree. Then you come back here. "
    "Your password stays with {name}.",
    fr="{name} vous demande de vous connecter chez lui et d'accepter. Puis vous revenez ici. "
    "Votre mot de passe reste chez {name}.",
    de="{name} bittet Sie, sich dort anzumelden und zuzustimmen. Dann kommen Sie hierher zurück. "
    "Ihr Passwort bleibt bei {name}.",
)
