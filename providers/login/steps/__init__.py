"""The kinds of login steps, a file each. Which step comes when is the manifest's, and `machine` follows it.

A kind is a module with two functions, `ask(here)` and `take(here, answer)` (`StepKind`). It is imported when
the first login meets it. What it remembers until the answer is in the state, which is JSON and gets sealed.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, cast

from providers.login.outcomes import Answer, Asked, Failed, LoginState, Waiting
from providers.reach import Reach
from schemas.login import Ask, Confirm, Device, Grant, LoginStep, Redirect
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


@dataclass(frozen=True, slots=True)
class Go:
    """Nothing is asked here: the login goes on at the step with the number `to`; past the last it logs in."""

    state: LoginState
    to: int


Came = Asked | Waiting | Failed | Go
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
    Confirm: "confirm",
    Redirect: "redirect",
    Device: "device",
    Grant: "grant",
}


def kind_of(step: LoginStep) -> StepKind:
    """The module of a step's kind."""
    return cast("StepKind", importlib.import_module(f"{__name__}.{_MODULES[type(step)]}"))
