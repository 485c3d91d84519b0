"""The kinds of login steps, a file each. Which step comes when is the manifest's, and `machine` follows it.

A kind is a module with two functions, `ask(here)` and `take(here, answer)` (`StepKind`). It is imported when
the first login meets it. What it remembers until the answer is in the state, which is JSON and gets sealed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, cast

from providers.login.exchange import known
from providers.login.outcomes import Answer, Asked, Failed, LoginState, Unreached, Waiting
from providers.reach import Reach
from providers.templates import fill, placeholders
from schemas.connections import Trouble
from schemas.fields import Words
from schemas.login import (
    Ask,
    AskFor,
    Call,
    Choose,
    Confirm,
    Device,
    Grant,
    Keep,
    LoginStep,
    Prompts,
    Redirect,
    Wait,
)
from schemas.manifest import Manifest

S_co = TypeVar("S_co", bound=LoginStep, covariant=True)


@dataclass(frozen=True, slots=True)
class Here(Generic[S_co]):
    """Where a login stands: at which step, in which state, with which way out.

    Attributes:
        at: the number of the step, from 0.
        state: never changed in place. `values`: what was typed, by field; `pins`: what was confirmed;
            `known`: of the last login, no secrets; `here`: what this step alone remembers until its
            answer.
        reach: the guarded way out; every request goes through it.
    """

    manifest: Manifest
    at: int
    step: S_co
    state: LoginState
    reach: Reach
    locale: str | None

    def went(self, **members: Any) -> Here[S_co]:
        """With these members of the state changed."""
        return replace(self, state={**self.state, **members})

    def on(self, to: int | None = None, **members: Any) -> Go:
        """On to the next step, or to the one with the number `to`."""
        return Go({**self.state, "here": {}, **members}, self.at + 1 if to is None else to)

    def keeping(self, **members: Any) -> LoginState:
        """The state while this step's challenge is open; `members` are what `take` will find in `here`."""
        return {**self.state, "step": self.at, "here": members}

    def filled(self, text: str) -> str:
        """A text of the manifest with each `{name}` of what was typed, confirmed or taken."""
        return fill(text, known(self.state), is_address=False)

    def said(self, text: Words | str, values: Mapping[str, Any]) -> str:
        """A text for the customer, with the provider's `{name}` and these values."""
        return said(text, {"name": self.manifest.name.said(self.locale), **values}, self.locale)


@dataclass(frozen=True, slots=True)
class Go:
    """Nothing is asked here: the login goes on at the step with the number `to`; past the last it logs in."""

    state: LoginState
    to: int


@dataclass(frozen=True, slots=True)
class Again:
    """The last answer was not accepted: the login goes back to the step `to` with the error."""

    state: LoginState
    to: int
    error: Trouble
    blamed: str | None = None


Came = Asked | Waiting | Unreached | Failed | Go | Again
"""What a step comes to."""


class StepKind(Protocol):
    """What each module of this package is.

    Both functions raise `ProviderError` for what the provider or the network refuses: the machine asks again
    at the step that is to blame, or says that the provider could not be reached.
    """

    async def ask(self, here: Here[Any]) -> Came:
        """The login has come to this step: what it asks, or `here.on()` where it asks nothing."""

    async def take(self, here: Here[Any], answer: Answer) -> Came:
        """Its challenge was answered: how the login goes on.

        Also without an answer, where `answer.action` is `poll`: `Waiting` leaves the challenge open.
        """


_MODULES: dict[type, str] = {
    Ask: "ask",
    AskFor: "ask_for",
    Confirm: "confirm",
    Call: "call",
    Wait: "wait",
    Choose: "choose",
    Keep: "keep",
    Prompts: "prompts",
    Redirect: "redirect",
    Device: "device",
    Grant: "grant",
}


def number_of(manifest: Manifest, name: str) -> int:
    """The number of the step called `name`; `end` is past the last.

    Raises:
        LookupError: there is none; `paperbus provider check` says so before.
    """
    if name == "end":
        return len(manifest.login)
    for number, step in enumerate(manifest.login):
        if step.name == name:
            return number
    raise LookupError(f"the login of {manifest.id} has no step {name}")


def said(text: Words | str, values: Mapping[str, Any], locale: str | None) -> str:
    """A text with each `{name}` filled in by what is plain text."""
    plain = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    return fill(text if isinstance(text, str) else text.said(locale), plain, is_address=False)


def tells_values(step: LoginStep) -> bool:
    """Whether its title or message holds more of the customer's than the provider's name."""
    texts = [words for words in (step.title, step.message) if words is not None]
    spoken = (text for words in texts for text in (words.en, words.fr, words.de))
    return any(name != "name" for text in spoken for name in placeholders(text))


def kind_of(step: LoginStep) -> StepKind:
    """The module of a step's kind."""
    return cast("StepKind", importlib.import_module(f"{__name__}.{_MODULES[type(step)]}"))
