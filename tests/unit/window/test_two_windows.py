"""An attacker with two windows of one login: real handlers, the worker, and both applications over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import httpx
import pytest

from connections.api import shown
from connections.handlers.tries import first_question
from connections.window.app import window_app
from connections.window.inner import Desk, routes
from kit.http import access, make_app
from kit.tokens import Access
from providers.login import outcomes
from schemas.challenges import Challenge
from schemas.connections import Medium, Trouble
from schemas.fields import Choice, Fact, Field, FieldType
from schemas.reasons import ChallengeKind, Reason
from tests.unit.connections.builders import ACCOUNT, ID, MANIFEST, request
from tests.unit.connections.room import FIELDS, Room
from tests.unit.window.conftest import PLATFORM, PUBLIC, Browser
from tests.unit.window.fakes import MemoryWindows

ACCEPT = Field(name="accept", label="It is the same", type=FieldType.BOOLEAN, required=True, stored=False)
CONFIRM = outcomes.Asked(
    {"step": 0, "values": {}, "here": {}},
    Challenge(
        kind=ChallengeKind.CONFIRM,
        step=2,
        title="Is this your server?",
        message="Compare.",
        fields=(ACCEPT,),
        facts=(Fact(label="Host", value="sftp.victim.example"),),
    ),
)
AUTHORIZED = outcomes.Authorized({"password": "x"}, "victim@dav", {"username": "victim"})
WRONG = outcomes.Asked(
    {"step": 0, "values": {}, "here": {}},
    Challenge(
        **{
            name: getattr(first_question(MANIFEST, "en", {}), name)
            for name in ("kind", "step", "title", "message", "fields")
        }
    ),
    Trouble(reason=Reason.CREDENTIALS_WRONG, message="The password is not accepted."),
)


@dataclass
class Crime:
    """The attacker's own connection, windows of it, and the platform, where the attacker is signed in."""

    room: Room
    inside: httpx.AsyncClient
    outside: httpx.ASGITransport
    stack: AsyncExitStack
    made: list[str] = field(default_factory=list)

    async def address(self) -> str:
        wanted = {"return_url": f"{PLATFORM}/", "account_label": "Mallory Ltd", "state": "s"}
        made = await self.inside.post(f"/v1/connections/{ID}/window", json=wanted)
        return str(made.raise_for_status().json()["url"])

    async def opened(self) -> Browser:
        """A browser of its own that pressed the button of a fresh address."""
        http = httpx.AsyncClient(transport=self.outside, base_url=PUBLIC)
        browser = Browser(await self.stack.enter_async_context(http))
        await browser.go(await self.address())
        await browser.send()
        return browser

    async def meets(self, outcome: outcomes.Outcome) -> None:
        """The worker tries what was answered, and this comes of it."""
        self.room.outcome = outcome
        await self.room.tries.look(ID)

    async def completed(self, proof: str) -> int:
        """Hand in a proof with a token of the attacker's account."""
        path = f"/v1/connections/{ID}/window/complete"
        return (await self.inside.post(path, json={"proof": proof})).status_code


@pytest.fixture
async def crime() -> AsyncIterator[Crime]:
    room, windows = Room(), MemoryWindows()
    await room.ask(request(answer_by="window"))

    async def all_read() -> bool:
        return True

    desk = Desk(room.logins, windows, room.clock, PUBLIC, [PLATFORM], all_read, 0.01)
    app = make_app("connections")
    app.include_router(routes(desk))
    app.dependency_overrides[access] = lambda: Access("mallory", ACCOUNT, "admin", "j", 0)
    outside = httpx.ASGITransport(window_app(room.logins, windows, room.clock, PUBLIC))
    async with AsyncExitStack() as stack:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside")
        yield Crime(room, await stack.enter_async_context(http), outside, stack)


async def reload(browser: Browser) -> httpx.Response:
    assert browser.page is not None
    return await browser.go(str(browser.page.url))


def sent_back(browser: Browser) -> httpx.QueryParams:
    assert browser.sent_to is not None
    return browser.sent_to.params


@pytest.mark.parametrize("confirms", [False, True])
async def test_the_attackers_other_window_gets_no_proof_for_what_the_victim_typed(
    crime: Crime, *, confirms: bool
) -> None:
    victim, attacker = await crime.opened(), await crime.opened()
    attackers_url = str(attacker.page and attacker.page.url)
    await victim.send(**FIELDS)
    if confirms:
        await crime.meets(CONFIRM)
        await reload(victim)
        await victim.send(accept="true")
    await crime.meets(AUTHORIZED)
    await attacker.go(attackers_url)

    assert dict(sent_back(attacker)) == {"connection_id": ID, "result": "cancelled", "state": "s"}
    await attacker.go(attackers_url)
    await attacker.send()  # the button of a window that is over
    assert "proof" not in sent_back(attacker)
    assert crime.room.data("AuthChallengeAnswered")["action"] == "answer"
    assert "ConnectionAuthorized" not in crime.room.said()
    await reload(victim)
    assert sent_back(victim)["result"] == "authorized"
    assert await crime.completed(sent_back(victim)["proof"]) == 200


@pytest.mark.parametrize("action", ["answer", "cancel"])
async def test_the_attackers_other_window_cannot_confirm_what_the_victim_began(
    crime: Crime, action: str
) -> None:
    victim, attacker = await crime.opened(), await crime.opened()
    await victim.send(**FIELDS)
    await crime.meets(CONFIRM)
    await reload(victim)
    challenge = crime.room.data("AuthChallengeIssued")["challenge_id"]
    await attacker.send(_challenge=challenge, accept="true", _action=action)

    assert crime.room.said().count("AuthChallengeAnswered") == 1
    assert sent_back(attacker)["result"] == "cancelled"
    assert (await reload(victim)).status_code == 200
    await victim.send(accept="true")
    assert crime.room.said().count("AuthChallengeAnswered") == 2


async def test_an_attacker_who_answers_first_has_the_login_alone_and_the_victim_types_nothing(
    crime: Crime,
) -> None:
    victim, attacker = await crime.opened(), await crime.opened()
    await attacker.send(**FIELDS)
    await crime.meets(WRONG)
    await victim.send(**FIELDS)

    assert sent_back(victim)["result"] == "cancelled"
    assert crime.room.said().count("AuthChallengeAnswered") == 1


VICTIMS = ("dav.example.org", "jane", "sftp.victim.example")
"""What the victim typed, and what it led to."""


async def test_what_a_victim_types_is_told_outside_the_window_to_nobody(crime: Crime) -> None:
    victim = await crime.opened()
    refused = Trouble(reason=Reason.CREDENTIALS_WRONG, message="dav.example.org does not know jane.")
    for outcome in (replace(WRONG, error=refused), outcomes.Unreached(refused), CONFIRM):
        await victim.send(**FIELDS)
        await crime.meets(outcome)
        told = repr(crime.room.things.owed) + repr(shown(await crime.room.it())["challenge"])
        assert not [word for word in VICTIMS if word in told]
        await reload(victim)
    assert victim.page is not None
    assert "sftp.victim.example" in victim.page.text


ASKED = Field(
    name="answer", label="(jane@sftp.victim.example) Code", choices=(Choice(value="1", label="jane"),)
)


@pytest.mark.parametrize("kind", [ChallengeKind.SELECT, ChallengeKind.CODE_SENT, ChallengeKind.CODE_OFFLINE])
async def test_what_a_provider_tells_of_a_victims_account_stays_in_the_window(
    crime: Crime, kind: ChallengeKind
) -> None:
    victim = await crime.opened()
    asked = replace(CONFIRM.challenge, kind=kind, fields=(ASKED,), medium=Medium(type="sms", label="jane's"))
    await victim.send(**FIELDS)
    await crime.meets(replace(CONFIRM, challenge=asked))

    told = repr(crime.room.things.owed) + repr(shown(await crime.room.it())["challenge"])
    assert crime.room.data("AuthChallengeIssued")["kind"] == kind
    assert not [word for word in VICTIMS if word in told]
    await reload(victim)
    assert victim.page is not None
    assert "sftp.victim.example" in victim.page.text


@pytest.mark.parametrize(("reason", "tries"), [(Reason.LOCKED, 1), (Reason.CREDENTIALS_WRONG, 3)])
async def test_how_a_victims_login_ended_is_told_without_its_server(
    crime: Crime, reason: Reason, tries: int
) -> None:
    victim = await crime.opened()
    for _ in range(tries):
        await victim.send(**FIELDS)
        await crime.meets(
            replace(WRONG, error=Trouble(reason=reason, message="dav.example.org has locked jane."))
        )
        await reload(victim)

    ended = crime.room.data("AuthSessionEnded")
    assert (ended["result"], ended["reason"]) == ("exhausted", reason)
    assert ended["message"]
    assert not [word for word in VICTIMS if word in repr(crime.room.things.owed)]


async def test_a_customer_goes_on_in_a_new_window_of_the_same_browser(crime: Crime) -> None:
    customer = await crime.opened()
    await customer.send(**FIELDS)
    await crime.meets(WRONG)
    await customer.go(await crime.address())
    await customer.send()
    await customer.send(**FIELDS)
    await crime.meets(AUTHORIZED)
    await reload(customer)

    assert await crime.completed(sent_back(customer)["proof"]) == 200
