"""What a whole login comes to where its provider answers badly half-way. Nothing is connected to."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import pytest
from multidict import CIMultiDict

from providers.errors import ProviderError
from providers.http import Answer as HttpAnswer
from providers.login import machine
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Unreached
from providers.reach import Reach
from schemas.challenges import Challenge
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason
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
    """A portal that answers in this order; None never answers."""

    def __init__(self, *answers: int | ProviderError | None) -> None:
        self.answers = list(answers)

    async def exchange(self, *_: Any, **__: Any) -> HttpAnswer:
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")
        return HttpAnswer(answer, CIMultiDict(), b"")


def reach(*answers: int | ProviderError | None) -> Reach:
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


async def test_a_refused_answer_counts_though_the_time_is_over_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "STEP_SECONDS", 0.05)
    asked = begin(PORTAL, {}, "en")
    answer = Answer({"username": "jane", "password": "wrong"})

    came = await step(PORTAL, asked.state, answer, reach(200, 401, None), "en")

    assert isinstance(came, Asked)
    assert came.error is not None
    assert (came.error.reason, came.blamed) == (Reason.CREDENTIALS_WRONG, "password")
    slow = await step(PORTAL, asked.state, answer, reach(200, None), "en")
    assert isinstance(slow, Unreached)  # it has refused nothing


async def test_a_provider_that_is_away_before_it_refused_anything_blames_nobody() -> None:
    asked = begin(PORTAL, {}, "en")
    came = await step(PORTAL, asked.state, Answer({"username": "j", "password": "x"}), reach(200, 503), "en")

    assert isinstance(came, Unreached)


async def test_a_picture_is_decoded_beside_the_logins_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    label = {"en": "L", "fr": "L", "de": "L"}
    login = [
        LOGIN[0],
        {"call": {"url": "https://portal.example/in"}, "take": {"letters": {"body": "image"}}},
        {"ask": "captcha_image", "image": "letters", "fields": [{"name": "says", "label": label}]},
    ]

    def picture(_: bytes) -> dict[str, str]:
        threads.append(threading.get_ident())
        return {"media_type": "image/png", "data": ""}

    monkeypatch.setattr("providers.login.media.picture", picture)
    manifest = Manifest.model_validate({**MANIFEST.wire(), "login": login})
    answer = Answer({"username": "jane", "password": "right"})
    came = await step(manifest, begin(manifest, {}, "en").state, answer, reach(200), "en")

    assert isinstance(came, Asked)
    assert came.challenge.kind is ChallengeKind.CAPTCHA_IMAGE
    assert threads
    assert threading.get_ident() not in threads


async def test_a_pasted_picture_of_a_secret_is_read_beside_the_logins_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []
    label = {"en": "L", "fr": "L", "de": "L"}
    code = {"name": "code", "label": label}
    app = {"name": "app", "label": label, "secret": True}
    login = [LOGIN[0], {"ask": "code_offline", "fields": [code, app], "totp": "app"}, LOGIN[1]]
    manifest = Manifest.model_validate({**MANIFEST.wire(), "login": login})

    def read(given: str, field: str | None) -> str:
        threads.append(threading.get_ident())
        raise ProviderError("auth", Reason.INVALID, given[:5], field=field)

    monkeypatch.setattr("providers.login.totp.read", read)
    first = Answer({"username": "jane", "password": "right"})
    asked = await step(manifest, begin(manifest, {}, "en").state, first, reach(), "en")
    assert isinstance(asked, Asked)
    came = await step(manifest, asked.state, Answer({"app": "data:image/png;base64,"}), reach(), "en")

    assert isinstance(came, Asked)
    assert came.blamed == "app"
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("kind", ["redirect", "device"])
def test_a_title_is_filled_in_like_any_other_and_evaluates_nothing(kind: str) -> None:
    title = "{name} of {shop}{name.__class__}"
    oauth = {"token_url": "https://login.example/t", "authorize_url": "https://login.example/a"}
    manifest = Manifest.model_validate(
        {**MANIFEST.wire(), "login": [{kind: "oauth", "title": title}], "oauth": oauth}
    )

    assert begin(manifest, {}, "en").challenge.title == "WebDAV of "


def test_what_a_provider_answered_is_in_no_description_of_it() -> None:
    assert "S3cr3t" not in repr(HttpAnswer(200, CIMultiDict({"Set-Cookie": "S3cr3t"}), b"S3cr3t"))


@pytest.mark.parametrize("words", [{}, {"title": "{name} asks", "message": "Look at {name}."}])
async def test_words_with_the_providers_name_alone_are_for_everybody(words: dict[str, Any]) -> None:
    assert not (await asked_again(words)).tells_values


@pytest.mark.parametrize(
    "words", [{"title": "Is it {username}?"}, {"message": {"en": "Look.", "de": "Ist es {username}?"}}]
)
async def test_words_with_what_was_typed_are_marked(words: dict[str, Any]) -> None:
    assert (await asked_again(words)).tells_values


async def asked_again(words: dict[str, Any]) -> Challenge:
    """The first step's challenge with these words, after its answer was refused."""
    steps = [{**PORTAL.wire()["login"][0], **words}, *LOGIN[1:]]
    portal = Manifest.model_validate({**MANIFEST.wire(), "login": steps})
    answer = Answer({"username": "jane", "password": "wrong"})
    came = await step(portal, begin(portal, {}, "en").state, answer, reach(200, 401, 503), "en")
    assert isinstance(came, Asked)
    return came.challenge
