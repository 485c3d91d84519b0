"""A run is lent what it needs, sealed to its key; nothing is lent that is not written down first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, KeySet

from connections.handlers.destinations import Using
from connections.lending import TYP, Lender, Lent, routes
from connections.lifecycle.things import Connection, Status, Trouble
from connections.lifecycle.tokens import Token
from connections.vault import Vault, credentials_place
from kit.http import make_app
from kit.tokens import ServiceTokens, new_sealing_key, new_signing_key, unseal
from schemas.reasons import Reason

CONNECTION, ACCOUNT, CANARY = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10", "acme", "canary-p4ssw0rd"
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
RUNNER, OTHER = new_signing_key("sync-runner"), new_signing_key("catalog")
OURS = new_signing_key("connections")
RUN_KEY = new_sealing_key("run-1")
VAULT = Vault([("k", bytes(32))])


def connection(**changed: Any) -> Connection:
    sealed = VAULT.seal_values(credentials_place(ACCOUNT, CONNECTION, 4), {"password": CANARY})
    members: dict[str, Any] = {
        "id": CONNECTION,
        "account": ACCOUNT,
        "asked": {},
        "direction": "export",
        "provider_id": "nextcloud",
        "provider_revision": 2,
        "locale": "en",
        "name": "Nextcloud",
        "status": Status.ACTIVE,
        "schedule": {"every": "P1D"},
        "created_at": NOW,
        "saved_at": NOW,
        "credentials": sealed.document(),
        "credentials_revision": 4,
    }
    return Connection.model_validate(members | changed)


def trouble(reason: Reason) -> dict[str, Any]:
    told = Trouble(reason=reason, title="t", message="m", action=None, since=NOW)
    return {"status": Status.ATTENTION, "trouble": told}


@dataclass
class Bank:
    """The inner path over one connection, and an audit trail that may break."""

    kept: Connection | None = field(default_factory=connection)
    lines: list[Lent] = field(default_factory=list)
    broken: bool = False
    approved: bool = True
    paused_meanwhile: bool = False

    async def read(self, connection_id: str) -> Connection | None:
        return self.kept if self.kept and self.kept.id == connection_id else None

    async def write(self, lent: Lent) -> None:
        if self.broken:
            raise ConnectionError("the store is down")
        self.lines.append(lent)

    async def held(self, provider_id: str, revision: int) -> Reason | None:
        return None if self.approved else Reason.PROVIDER_CHANGED

    async def in_use(self, provider_id: str, revision: int) -> int:
        return revision

    async def fresh(self, connection_id: str, refused: str | None = None) -> Connection | None:
        if self.paused_meanwhile:
            self.approved = False
        return self.kept

    async def lend(self, signer: Any = RUNNER, **changed: Any) -> httpx.Response:
        def at() -> float:
            return NOW.timestamp()

        keys = KeySet([key.__class__.import_key(key.as_dict(private=False)) for key in (RUNNER, OTHER, OURS)])
        lender = Lender(self.read, VAULT, self, lambda: NOW, Using(self.held, self.in_use), self.fresh)
        app = make_app("connections")
        app.include_router(routes(lender, ServiceTokens(OURS, keys, at)))
        claims = {
            "account": ACCOUNT,
            "connection_id": CONNECTION,
            "run_id": "r-1",
            "fence": 7,
            "cnf": {"jwk": RUN_KEY.as_dict(private=False)},
        } | changed
        seconds = claims.pop("seconds", 60)
        token = ServiceTokens(signer, keys, at).issue(claims.pop("aud", "connections"), claims, seconds)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://in") as http:
            path = f"/internal/v1/connections/{CONNECTION}/lend"
            return await http.post(path, headers={"Authorization": f"Bearer {token}"})


async def test_a_run_is_lent_the_credentials_sealed_to_its_own_key() -> None:
    bank = Bank()
    answer = await bank.lend()
    loan = unseal(answer.text, RUN_KEY, TYP)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jose")
    assert loan == {
        "connection_id": CONNECTION,
        "account": ACCOUNT,
        "run_id": "r-1",
        "fence": 7,
        "provider_id": "nextcloud",
        "provider_revision": 2,
        "credentials": {"password": CANARY},
        "credentials_revision": 4,
        "expires_at": "2026-11-22T16:05:00.000Z",
    }
    assert CANARY not in answer.text


async def test_who_was_lent_what_for_which_run_is_written_down() -> None:
    bank = Bank()
    await bank.lend()
    expected = Lent(NOW, CONNECTION, ACCOUNT, "r-1", 7, 4, NOW + timedelta(minutes=5))

    assert bank.lines == [expected]


async def test_what_cannot_be_written_down_is_not_lent() -> None:
    answer = await Bank(broken=True).lend()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "application/problem+json" in answer.headers["content-type"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"paused": True}, "paused"),
        ({"status": Status.REMOVED, "credentials": None}, "removed"),
        ({"status": Status.CONNECTING}, "not_yet"),
        ({"status": Status.CONFIGURING}, "not_yet"),
        ({"status": Status.REJECTED}, "not_yet"),
        (trouble(Reason.CREDENTIALS_WRONG), "credentials_wrong"),
        (trouble(Reason.LOCKED), "locked"),
        (trouble(Reason.DESTINATION_MISSING) | {"paused": True}, "paused"),
    ],
)
async def test_nothing_is_lent_to_what_may_not_run(changed: dict[str, Any], reason: str) -> None:
    bank = Bank(connection(**changed))
    answer = await bank.lend()

    assert (answer.status_code, answer.json()["reason"]) == (409, reason)
    assert bank.lines == []


async def test_trouble_that_a_next_run_may_mend_stops_no_run() -> None:
    assert (await Bank(connection(**trouble(Reason.DESTINATION_MISSING))).lend()).status_code == 200


async def test_secrets_whose_destination_changed_wait_for_an_operator() -> None:
    answer = await Bank(approved=False).lend()

    assert (answer.status_code, answer.json()["reason"]) == (409, "provider_changed")


async def test_secrets_that_are_held_back_while_a_token_is_renewed_are_not_lent() -> None:
    token = Token(sealed={}, credentials_revision=4)
    bank = Bank(connection(token=token), paused_meanwhile=True)
    answer = await bank.lend()

    assert (answer.status_code, answer.json()["reason"]) == (409, "provider_changed")
    assert bank.lines == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"signer": OTHER}, 401),
        ({"signer": new_signing_key("sync-runner")}, 401),
        ({"iss": "connections"}, 401),
        ({"aud": "catalog"}, 401),
        ({"seconds": 61}, 401),
        ({"seconds": -61}, 401),
        ({"account": "other"}, 404),
        ({"connection_id": "11111111-1111-4111-8111-111111111111"}, 404),
        ({"run_id": ""}, 400),
        ({"fence": 0}, 400),
        ({"cnf": {}}, 400),
        ({"cnf": {"jwk": RUN_KEY.as_dict(private=True)}}, 400),
        ({"cnf": {"jwk": RUNNER.as_dict(private=False)}}, 400),
        ({"cnf": {"jwk": ECKey.generate_key("P-384", {"kid": "x"}).as_dict(private=False)}}, 400),
        ({"cnf": {"jwk": RUN_KEY.as_dict(private=False) | {"x": "AA"}}}, 400),
    ],
)
async def test_a_request_that_is_not_a_runs_own_is_refused(changed: dict[str, Any], status: int) -> None:
    bank = Bank()
    answer = await bank.lend(**changed)

    assert answer.status_code == status
    assert bank.lines == []
    assert CANARY not in answer.text


async def test_a_connection_that_is_not_there_is_unknown() -> None:
    answer = await Bank(None).lend()

    assert answer.status_code == 404
    assert answer.json()["reason"] == "unknown_connection"


async def test_credentials_of_an_older_revision_do_not_open() -> None:
    answer = await Bank(connection(credentials_revision=5)).lend()

    assert answer.status_code == 503
