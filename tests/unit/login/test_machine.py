"""What a whole login comes to where its provider answers badly half-way. Nothing is connected to."""

from __future__ import annotations

from typing import Any, cast

import pytest
from multidict import CIMultiDict

from providers.errors import ProviderError
from providers.http import Answer as HttpAnswer
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Unreached
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.unit.connections.builders import MANIFEST

LOGIN = [
    {
        "ask": "credentials",
        "fields": [
            {"name": "username", "label": {"en": "User", "fr": "Utilisateur", "de": "Benutzer"}},
            {
                "name": "password",
                "label": {"en": "P", "fr": "P", "de": "P"},
                "type": "password",
                "secret": True,
            },
        ],
    },
    {"name": "form", "call": {"url": "https://portal.example/form"}},
    {
        "call": {"method": "POST", "url": "https://portal.example/in", "form": {"p": "{password}"}},
        "then": [{"status": 401, "error": "credentials_wrong", "field": "password", "go": "form"}],
    },
]
PORTAL = Manifest.model_validate({**MANIFEST.wire(), "login": LOGIN})


class Answering:
    """A portal that answers in this order."""

    def __init__(self, *answers: int | ProviderError) -> None:
        self.answers = list(answers)

    async def exchange(self, *_: Any, **__: Any) -> HttpAnswer:
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        return HttpAnswer(answer, CIMultiDict(), b"")


def reach(*answers: int | ProviderError) -> Reach:
    made = Reach(cast("Any", None))
    made.http = cast("Any", Answering(*answers))
    return made


@pytest.mark.parametrize("then", [429, 503, ProviderError("transient", Reason.HOST_UNREACHABLE, "Away.")])
async def test_a_refused_answer_counts_though_the_provider_is_away_afterwards(
    then: int | ProviderError,
) -> None:
    asked = begin(PORTAL, {}, "en")
    answer = Answer({"username": "jane", "password": "wrong"})

    came = await step(PORTAL, asked.state, answer, reach(200, 401, then), "en")

    assert isinstance(came, Asked)
    assert came.challenge.step == 1
    assert came.error is not None
    assert (came.error.reason, came.blamed) == (Reason.CREDENTIALS_WRONG, "password")


async def test_a_provider_that_is_away_before_it_refused_anything_blames_nobody() -> None:
    asked = begin(PORTAL, {}, "en")
    came = await step(PORTAL, asked.state, Answer({"username": "j", "password": "x"}), reach(200, 503), "en")

    assert isinstance(came, Unreached)
