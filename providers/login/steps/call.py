"""`call`: one request to the provider. Its answer decides which step comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from providers.errors import of_status, waiting
from providers.login import texts
from providers.login.exchange import Page, known, send
from providers.login.outcomes import Answer, Failed, Unreached
from providers.login.reading import Reading
from providers.login.steps import Again, Came, Here, number_of
from schemas.calls import From, Then
from schemas.connections import Trouble
from schemas.fields import Words
from schemas.login import Ask, Call
from schemas.reasons import Reason

LATER = frozenset({Reason.RATE_LIMITED, Reason.PROVIDER_DOWN, Reason.HOST_UNREACHABLE})
_ASKED_AGAIN = frozenset(
    {Reason.CREDENTIALS_WRONG, Reason.PASSWORD_EXPIRED, Reason.LOCKED, Reason.CHALLENGE_NEEDED}
)


class Taking(Protocol):
    """A step that reads answers."""

    @property
    def take(self) -> Mapping[str, From]: ...

    @property
    def then(self) -> tuple[Then, ...]: ...


async def ask(here: Here[Call]) -> Came:
    sent = await send(here.step.call, here.state, here.reach)
    return await judged(here.went(**sent.state), here.step, sent.page)


async def take(here: Here[Call], answer: Answer) -> Came:  # noqa: ARG001 - nothing is answered: it asks nothing
    return await ask(here)


async def judged(here: Here[Any], step: Taking, page: Page) -> Came:
    """As `_judged`; where pictures are decoded, nobody else's login waits for that."""
    if any(place.image or place.body == "image" for place in step.take.values()):
        return await asyncio.to_thread(_judged, here, step, page)
    return _judged(here, step, page)


def _judged(here: Here[Any], step: Taking, page: Page) -> Came:
    """What an answer means by the step's table.

    Raises:
        ProviderError: by the driver's table, where no row holds and the status is no success;
            `provider_changed` where a value that is needed is not there.
    """
    reading = Reading(page)
    row = reading.row(step.then)
    if row is not None and row.error is not None:
        return _refused(here, row, row.error, page)
    if row is None and page.status >= 300:
        wait = waiting(page.headers.get("Retry-After"), here.reach.clock())
        raise of_status(page.status, here.manifest.errors, body=reading.text[:4096], wait=wait)
    taken = {**here.state.get("taken", {}), **reading.take(step.take, strictly=row is None)}
    to = None if row is None or row.go is None else number_of(here.manifest, row.go)
    return here.on(to, taken=taken)


def _refused(here: Here[Any], row: Then, reason: Reason, page: Page) -> Came:
    words: Words = row.message or texts.refused(reason)
    trouble = Trouble(reason=reason, message=here.said(words, known(here.state)))
    if row.go is not None:
        return Again(here.state, number_of(here.manifest, row.go), trouble, row.field)
    if reason in LATER:
        return Unreached(trouble, waiting(page.headers.get("Retry-After"), here.reach.clock()))
    if reason in _ASKED_AGAIN:
        return Again(here.state, _asked_last(here, row.field), trouble, row.field)
    return Failed(reason, trouble.message)


def _asked_last(here: Here[Any], field: str | None) -> int:
    """The step that asked for the field, else the last one that asked for anything before this."""
    asks = [(at, step) for at, step in enumerate(here.manifest.login) if isinstance(step, Ask)]
    named = [at for at, step in asks if field in {spec.name for spec in step.fields}]
    before = [at for at, _ in asks if at < here.at]
    return (named or before or [0])[-1]
