"""The made-up login of these tests and the real handlers keep the same promises to the window."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from connections.handlers.onboarding import LoginHandlers
from connections.lifecycle.case import Provider
from connections.lifecycle.deciding import decide
from connections.lifecycle.messages import TryClaimed
from connections.store import KIND
from connections.vault import Vault
from connections.window.onboarding import Action, Answer, Login, Onboarding
from kit.endings import Refused
from kit.memory import MemoryAggregates
from schemas.reasons import Reason, SessionResult
from tests.unit.connections.builders import ACCOUNT, BROWSER, ID, NOW, PROVIDER, case, request, verified
from tests.unit.window.fakes import Clock, MadeUpLogin

RIGHT = {"url": "https://cloud.example.org", "username": "jane", "password": "canary-5up3r-secret"}


class OneProvider:
    """Knows one provider; what else handlers ask of providers is not asked here."""

    async def at(self, provider_id: str, revision: int) -> Provider | None:
        return PROVIDER


class MadeUp:
    def __init__(self) -> None:
        self.onboarding: Onboarding = (made := MadeUpLogin(Clock(NOW), account=ACCOUNT, works_at_once=False))
        made.begin()
        self._made = made

    async def accept(self) -> None:
        self._made.verify()


class Real:
    def __init__(self) -> None:
        self._kept = MemoryAggregates(KIND, lambda: NOW)
        providers: Any = OneProvider()
        self.onboarding: Onboarding = LoginHandlers(self._kept, providers, Vault([("k", bytes(32))]))

    async def begin(self) -> None:
        await self._kept.alter(ID, lambda it: decide(case(it), request(answer_by="window")), account=ACCOUNT)

    async def accept(self) -> None:
        await self._kept.alter(ID, lambda it: decide(case(it), TryClaimed(1)))
        await self._kept.alter(ID, lambda it: decide(case(it), verified(it)) if it else None)


@pytest.fixture(params=[MadeUp, Real])
async def side(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    if isinstance(made, Real):
        await made.begin()
    return made


async def login(side: Any) -> Login:
    seen = await side.onboarding.look(ID)
    assert seen is not None
    assert seen.account == ACCOUNT
    assert seen.login is not None
    return seen.login


async def answer(side: Any, action: Action = "answer", **changed: Any) -> Answer:
    challenge = (await login(side)).challenge
    members: dict[str, Any] = {
        "account": ACCOUNT,
        "connection_id": ID,
        "challenge_id": challenge.challenge_id if challenge else "none",
        "answer_id": str(uuid.uuid4()),
        "action": action,
        "browser": BROWSER,
        "fields": RIGHT if action == "answer" else {},
    }
    return Answer(**members | changed)


async def test_an_unknown_connection_is_none(side: Any) -> None:
    assert await side.onboarding.look("11111111-1111-4111-8111-111111111111") is None


async def test_what_is_asked_is_shown(side: Any) -> None:
    shown = await login(side)

    assert shown.state == "open"
    assert shown.challenge is not None
    assert shown.challenge.answer_by == ("window",)
    assert [field.name for field in shown.challenge.fields] == ["url", "username", "password"]


async def test_an_answer_that_breaks_its_rules_names_the_fields_and_asks_on(side: Any) -> None:
    with pytest.raises(Refused) as refused:
        await side.onboarding.answer(await answer(side, fields={"url": "https://cloud.example.org"}))

    assert refused.value.reason is Reason.INVALID
    assert [error.field for error in refused.value.errors] == ["username", "password"]
    assert (await login(side)).state == "open"


async def test_an_answer_is_tried_once_and_the_same_one_again_is_the_same(side: Any) -> None:
    first = await answer(side)
    await side.onboarding.answer(first)
    await side.onboarding.answer(first)

    assert (await login(side)).state == "trying"
    with pytest.raises(Refused) as refused:
        await side.onboarding.answer(await answer(side))
    assert refused.value.reason is not Reason.INVALID


async def test_an_answer_to_another_challenge_is_refused_and_no_field_is_blamed(side: Any) -> None:
    with pytest.raises(Refused) as refused:
        await side.onboarding.answer(await answer(side, challenge_id=str(uuid.uuid4())))

    assert refused.value.errors == ()
    assert (await login(side)).state == "open"


async def test_a_verified_login_counts_once_it_is_completed(side: Any) -> None:
    await side.onboarding.answer(await answer(side))
    await side.accept()
    session = (await login(side)).session_id
    assert (await login(side)).state == "verified"
    for thief in ("another", ""):
        with pytest.raises(Refused):
            await side.onboarding.complete(ID, session, thief, "jane")
    with pytest.raises(Refused):
        await side.onboarding.complete(ID, str(uuid.uuid4()), BROWSER, "jane")
    await side.onboarding.complete(ID, session, BROWSER, "jane")
    await side.onboarding.complete(ID, session, BROWSER, "jane")

    ended = await login(side)
    assert (ended.state, ended.result, ended.session_id) == ("ended", SessionResult.AUTHORIZED, session)


async def test_what_was_never_verified_cannot_be_completed(side: Any) -> None:
    with pytest.raises(Refused):
        await side.onboarding.complete(ID, (await login(side)).session_id, BROWSER, "jane")

    assert (await login(side)).state == "open"


@pytest.mark.parametrize("action", ["answer", "cancel"])
async def test_what_one_browser_answered_no_other_one_answers_on(side: Any, action: Action) -> None:
    await side.onboarding.answer(await answer(side))
    with pytest.raises(Refused) as refused:
        await side.onboarding.answer(await answer(side, action, browser="another"))

    assert refused.value.reason is Reason.ALREADY_ANSWERED
    shown = await login(side)
    assert (shown.state, shown.browser) == ("trying", BROWSER)


@pytest.mark.parametrize("tried", [False, True])
async def test_a_login_can_be_cancelled_at_any_time(side: Any, *, tried: bool) -> None:
    session = (await login(side)).session_id
    if tried:
        await side.onboarding.answer(await answer(side))
    await side.onboarding.answer(await answer(side, "cancel"))

    ended = await login(side)
    assert (ended.state, ended.result, ended.session_id) == ("ended", SessionResult.CANCELLED, session)
