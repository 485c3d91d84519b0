"""The window's inner paths over HTTP: addresses and proofs are for admins of the account alone."""

import httpx
import pytest
from fastapi import FastAPI

from connections.window.inner import routes
from kit.http import access, make_app
from kit.tokens import Access
from tests.unit.window.conftest import PLATFORM, Stage
from tests.unit.window.fakes import ACCOUNT, CONNECTION
from tests.unit.window.test_attackers import proof_of


def platform(stage: Stage, account: str = ACCOUNT, role: str = "admin") -> httpx.AsyncClient:
    """The platform's side of the inner paths, with an access token that says this."""
    app: FastAPI = make_app("connections")
    app.include_router(routes(stage.desk))
    app.dependency_overrides[access] = lambda: Access("jane", account, role, "j", 0)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://inside")


WANTED = {"return_url": f"{PLATFORM}/", "account_label": "ACME", "state": "s"}


@pytest.mark.parametrize(
    ("account", "role", "connection", "wanted", "status"),
    [
        (ACCOUNT, "admin", CONNECTION, {}, 200),
        (ACCOUNT, "member", CONNECTION, {}, 403),
        ("other", "admin", CONNECTION, {}, 404),
        ("other", "operator", CONNECTION, {}, 403),
        (ACCOUNT, "admin", "11111111-1111-4111-8111-111111111111", {}, 404),
        (ACCOUNT, "admin", CONNECTION, {"return_url": "https://evil.example/"}, 422),
        (ACCOUNT, "admin", CONNECTION, {"account_label": " "}, 422),
    ],
)
async def test_windows_are_made_for_admins_of_the_account(  # noqa: PLR0917 - a table
    stage: Stage, account: str, role: str, connection: str, wanted: dict[str, str], status: int
) -> None:
    async with platform(stage, account, role) as inside:
        answer = await inside.post(f"/v1/connections/{connection}/window", json=WANTED | wanted)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json") == (status != 200)


async def test_a_request_that_is_still_on_its_way_is_waited_for(stage: Stage) -> None:
    stage.read = False
    async with platform(stage) as inside:
        answer = await inside.post("/v1/connections/11111111-1111-4111-8111-111111111111/window", json=WANTED)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_connection_with_no_login_open_has_no_window(stage: Stage) -> None:
    stage.login.login = None
    async with platform(stage) as inside:
        answer = await inside.post(f"/v1/connections/{CONNECTION}/window", json=WANTED)

    assert answer.status_code == 409
    assert "ReauthenticationRequested" in answer.json()["detail"]


async def test_the_proof_is_handed_in_over_http(stage: Stage) -> None:
    proof = await proof_of(await stage.opened())
    async with platform(stage, "other") as inside:
        foreign = await inside.post(f"/v1/connections/{CONNECTION}/window/complete", json={"proof": proof})
    async with platform(stage) as inside:
        answer = await inside.post(f"/v1/connections/{CONNECTION}/window/complete", json={"proof": proof})

    assert (foreign.status_code, answer.status_code) == (404, 200)
    assert answer.json()["connection_id"] == CONNECTION
