"""A user and a password that bring a token of an hour, as data: renewed in time by the same steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from connections import store
from connections.handlers.destinations import Using
from connections.lifecycle.things import Connection
from connections.outside import ProvidersAsked
from connections.renewal import Renewals, lent_credentials
from connections.tokens import for_runs, fresh_token
from connections.vault import Vault
from kit.memory import MemoryAggregates
from kit.transitions import Decision
from providers.drivers import open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized
from providers.reach import Reach
from providers.rules import faults
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.peers.portal.app import Account, Portal
from tests.peers.portal.serving import served
from tests.unit.connections.builders import ACCOUNT, ID, active
from tests.unit.connections.fakes import MemoryProviders, SetClock
from tests.unit.connections.test_renewals import Leases

VAULT = Vault([("k", b"k" * 32)])
PLAIN: dict[str, Any] = {
    "id": "webdav", "name": "Hourly", "summary": "S", "categories": ["storage"], "directions": ["export"],
    "login": [
        {
            "ask": "credentials",
            "fields": [
                {"name": "url", "label": "Address", "type": "url", "required": True, "destination": True},
                {"name": "user", "label": "User", "required": True},
                {"name": "pin", "label": "Password", "type": "password", "secret": True, "required": True},
            ],
        },
        {
            "name": "token",
            "call": {
                "method": "POST", "url": "{url}/api/token",
                "json": {"user": "{user}", "password": "{pin}"},
            },
            "take": {"token": {"json": "/token"}, "seconds": {"json": "/expires_in"}},
            "then": [
                {"status": 401, "error": "credentials_wrong", "field": "pin"},
                {"status": 403, "error": "challenge_needed"},
            ],
        },
        {
            "keep": {}, "identity": "{user}",
            "token": {"access": "{token}", "seconds": "{seconds}", "renew": "token"},
        },
    ],
    "driver": {"kind": "webdav", "settings": {"url": "{url}/dav/"}},
}  # fmt: skip
MANIFEST = Manifest.model_validate(PLAIN)
FIELDS: list[dict[str, Any]] = PLAIN["login"][0]["fields"]


@dataclass
class Firm:
    """A connection to the portal, logged in, an hour later."""

    portal: Portal
    account: Account
    reach: Reach
    things: MemoryAggregates[Connection]
    renewals: Renewals
    found: Authorized
    clock: SetClock

    async def it(self) -> Connection:
        return (await self.things.read([ID]))[ID].thing

    async def lent(self) -> dict[str, Any]:
        """What a run is lent now."""
        it = await self.renewals.fresh(ID)
        assert it is not None
        return lent_credentials(VAULT, it, for_runs(MANIFEST, self.found.credentials), self.clock())


@pytest.fixture
async def firm() -> AsyncIterator[Firm]:
    clock, portal, providers = SetClock(datetime.now(UTC)), Portal(), MemoryProviders()
    account = portal.has("jane")
    things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, clock)
    with served(portal) as url:
        async with Reach(Guard(["127.0.0.0/8"]), clock=clock) as reach:
            typed = {"url": url, "user": "jane", "pin": account.password}
            found = await step(MANIFEST, begin(MANIFEST, {}, "en").state, Answer(typed), reach, "en")
            assert isinstance(found, Authorized), found
            await providers.publish([(MANIFEST, 3)])
            plain = active()
            before = plain.model_copy(update={"credentials_revision": 0})
            token = fresh_token(VAULT, before, MANIFEST, found.tokens, found.credentials)
            it = plain.model_copy(update={"token": token})
            await things.alter(ID, lambda _: Decision(it), account=ACCOUNT)
            clock.on(3500)

            async def not_held(_: str, __: int) -> Reason | None:
                return None

            async def as_stored(_: str, revision: int) -> int:
                return revision

            asked, using = ProvidersAsked(reach), Using(not_held, as_stored)
            renewals = Renewals(things, providers, Leases(clock), VAULT, asked, using)
            yield Firm(portal, account, reach, things, renewals, found, clock)


async def test_another_token_is_had_in_time_and_runs_are_lent_it_without_the_password(firm: Firm) -> None:
    assert firm.found.tokens is not None
    lent = await firm.lent()

    assert "pin" not in lent
    assert lent["access_token"] != firm.found.tokens["access_token"]
    firm.portal.tokens.pop(firm.found.tokens["access_token"])  # the first one is over
    async with open_driver(MANIFEST, lent, {}, firm.reach) as driver:
        await driver.check()
    it = await firm.it()
    assert it.token is not None
    assert it.token.renewals == 1
    assert it.token.access_due is not None
    assert it.token.access_due > firm.clock()


async def test_an_outage_is_waited_out(firm: Firm) -> None:
    firm.portal.down = True
    await firm.renewals.look(ID)
    assert not (await firm.it()).login_broken
    firm.portal.down = False
    firm.clock.on(31)
    await firm.renewals.look(ID)

    it = await firm.it()
    assert it.token is not None
    assert it.token.renewals == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"password": "another"}, Reason.CREDENTIALS_WRONG), ({"way": ("sms",)}, Reason.CHALLENGE_NEEDED)],
    ids=["password changed", "asks for more now"],
)
async def test_a_login_that_no_longer_does_asks_the_customer_at_once(
    firm: Firm, changed: dict[str, Any], reason: Reason
) -> None:
    for name, value in changed.items():
        setattr(firm.account, name, value)
    for _ in range(3):
        await firm.renewals.look(ID)

    it = await firm.it()
    assert it.trouble is not None
    assert (it.trouble.reason, it.login_broken) == (reason, True)
    assert firm.account.outbox == []  # and no code went to anybody's phone


async def test_a_login_that_asks_in_between_is_no_renewal(firm: Firm) -> None:
    """What `provider check` refuses is refused at the renewal too: nothing is asked of nobody."""
    asks = {"ask": "question", "name": "ask", "fields": [{"name": "pet", "label": "Pet"}]}
    call, keep = PLAIN["login"][1], PLAIN["login"][2]
    manifest = Manifest.model_validate({**PLAIN, "login": [PLAIN["login"][0], call, asks, keep]})
    it = await firm.it()
    assert it.token is not None

    with pytest.raises(ProviderError) as refused:
        await ProvidersAsked(firm.reach).renew(manifest, firm.found.credentials, None)  # type: ignore[arg-type]
    assert refused.value.reason is Reason.CHALLENGE_NEEDED


CODE = {"name": "code", "label": "Code", "type": "code", "required": True, "stored": False, "secret": True}
WITH_AN_APP = Manifest.model_validate(
    PLAIN
    | {
        "login": [
            PLAIN["login"][0],
            {"name": "token", "call": {"url": "{url}/login"}},
            {
                "ask": "code_offline", "totp": "app",
                "fields": [CODE, {"name": "app", "label": "Secret of the app", "secret": True}],
            },
            {
                "call": {
                    "method": "POST", "url": "{url}/api/token",
                    "json": {"user": "{user}", "password": "{pin}", "code": "{code}"},
                },
                "take": {"token": {"json": "/token"}, "seconds": {"json": "/expires_in"}},
                "then": [{"status": 403, "error": "challenge_needed"}],
            },
            PLAIN["login"][2],
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize("minutes", [-5, 0, 5])
async def test_a_stored_secret_of_an_app_renews_by_the_providers_clock(minutes: int) -> None:
    portal = Portal()
    account = portal.has("jane", "totp")
    clock = SetClock(datetime.now(UTC) + timedelta(minutes=minutes))
    with served(portal) as url:
        async with Reach(Guard(["127.0.0.0/8"]), clock=clock) as reach:
            typed = {"url": url, "user": "jane", "pin": account.password}
            asked = await step(WITH_AN_APP, begin(WITH_AN_APP, {}, "en").state, Answer(typed), reach, "en")
            assert isinstance(asked, Asked), asked
            answer = Answer({"code": pyotp.TOTP(account.totp_secret).now(), "app": account.totp_secret})
            found = await step(WITH_AN_APP, asked.state, answer, reach, "en")
            assert isinstance(found, Authorized), found
            newer = await ProvidersAsked(reach).renew(WITH_AN_APP, found.credentials, None)  # type: ignore[arg-type]

            assert newer.access_token in portal.tokens
            not_stored = {**found.credentials, "app": None}
            with pytest.raises(ProviderError) as refused:
                await ProvidersAsked(reach).renew(WITH_AN_APP, not_stored, None)  # type: ignore[arg-type]
    assert refused.value.reason is Reason.CHALLENGE_NEEDED
    assert [text for _, text in faults(WITH_AN_APP, "webdav")] == []


def changed(at: int, **members: Any) -> Manifest:
    login = [{**one, **members} if number == at else one for number, one in enumerate(PLAIN["login"])]
    return Manifest.model_validate({**PLAIN, "login": login})


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        (MANIFEST, None),
        (changed(2, token={"access": "{token}", "renew": "nowhere"}), "names a `call` above"),
        (changed(2, token={"access": "{toke}", "renew": "token"}), "{toke} is not taken"),
        (changed(0, fields=[*FIELDS[:2], FIELDS[2] | {"stored": False}]), "{pin} is not stored"),
    ],
)
def test_what_keeps_a_token_from_being_renewed_is_said_of_the_manifest(
    manifest: Manifest, says: str | None
) -> None:
    found = [text for _, text in faults(manifest, "webdav")]

    assert found == [] if says is None else any(says in text for text in found)
