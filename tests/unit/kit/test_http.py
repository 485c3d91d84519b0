"""The HTTP frame: health, problems, access, cursors."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kit.http import Admin, Caller, Page, Problem, cursor_of, make_app, not_found, read_cursor
from kit.tokens import Verifier, new_signing_key, public_keys, sign

KEY = new_signing_key("p")
NOW = 1_800_000_000
stuck: list[str] = []


def token(role: str = "admin") -> dict[str, str]:
    claims = {
        "iss": "p",
        "sub": "j",
        "aud": "paperbus",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "1",
        "account": "a",
    }
    return {"Authorization": f"Bearer {sign(KEY, claims | {'role': role})}"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    stuck.clear()
    keys = public_keys(json.dumps({"keys": [KEY.as_dict(private=False)]}), "K")
    app = make_app("tests", Verifier(keys, None, lambda: NOW), [lambda: stuck[0] if stuck else None])

    @app.get("/v1/things")
    async def things(caller: Caller, cursor: str | None = None, limit: int = 10) -> Page[str]:
        after = read_cursor(cursor, int)
        return Page(items=[caller.account] * limit, next=cursor_of(after[0] + 1 if after else 1))

    @app.get("/v1/things/{name}")
    async def thing(name: str, caller: Caller) -> str:
        if name == "broken":
            raise RuntimeError("canary")
        if name == "busy":
            raise Problem(503, "Come back later.", retry_after=2, reason="not_yet")
        raise not_found("thing")

    @app.post("/v1/things")
    async def change(caller: Admin) -> str:
        return caller.sub

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_liveness_readiness_and_metrics_need_no_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200
    assert "# TYPE process_" in (await client.get("/metrics")).text
    assert "/v1/things" in (await client.get("/openapi.json")).json()["paths"]


async def test_who_makes_no_progress_is_not_ready_and_says_why(client: httpx.AsyncClient) -> None:
    stuck.append("connections.requests is not read.")

    answer = await client.get("/health/ready")

    assert (answer.status_code, answer.json()["why"]) == (503, stuck)


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        (lambda c: c.get("/v1/things"), 401, "Send an access token"),
        (lambda c: c.get("/v1/things", headers={"Authorization": "Bearer canary"}), 401, "no token"),
        (
            lambda c: c.get("/v1/things", headers={"Authorization": "Basic canary"}),
            401,
            "Send an access token",
        ),
        (lambda c: c.post("/v1/things", headers=token("member")), 403, "ask an admin"),
        (lambda c: c.get("/v1/things/x", headers=token()), 404, "There is no such thing"),
        (lambda c: c.get("/v1/things/busy", headers=token()), 503, "Come back later"),
        (lambda c: c.get("/v1/things/broken", headers=token()), 500, "reported"),
        (lambda c: c.get("/nowhere"), 404, "nothing at this address"),
        (lambda c: c.delete("/v1/things"), 405, "does not take that method"),
        (lambda c: c.get("/v1/things?limit=canary", headers=token()), 422, "limit"),
        (lambda c: c.get("/v1/things?cursor=canary", headers=token()), 400, "not one of ours"),
        (lambda c: c.get("/v1/things?cursor=é", headers=token()), 400, "not one of ours"),
        (lambda c: c.get(f"/v1/things?cursor={cursor_of('1')}", headers=token()), 400, "not one of ours"),
        (lambda c: c.get(f"/v1/things?cursor={cursor_of(1, 2)}", headers=token()), 400, "not one of ours"),
    ],
)
async def test_every_error_is_a_problem_document_in_words(
    client: httpx.AsyncClient, call: Callable[[httpx.AsyncClient], Any], status: int, says: str
) -> None:
    answer = await call(client)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert says in problem["detail"]
    assert problem["status"] == status
    assert "canary" not in answer.text


async def test_a_wait_is_said_in_the_header_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things/busy", headers=token())

    assert (answer.headers["Retry-After"], answer.json()["reason"]) == ("2", "not_yet")


def test_a_moment_in_a_cursor_is_read_as_the_moment_it_was() -> None:
    at = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
    assert read_cursor(cursor_of(at, "x"), datetime, str) == (at, "x")


@pytest.mark.parametrize("at", ["x", "", "0001-01-01T00:00:00+14:00", 7, None, ["2026-11-22"]])
def test_a_cursor_without_the_moment_that_belongs_there_is_none_of_ours(at: object) -> None:
    with pytest.raises(Problem) as problem:
        read_cursor(cursor_of(at, "y"), datetime, str)
    assert problem.value.status == 400


async def test_lists_are_walked_by_opaque_cursors(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/things", headers=token("member"))).json()
    second = (await client.get("/v1/things", params={"cursor": first["next"]}, headers=token())).json()

    assert first["items"] == ["a"] * 10
    assert read_cursor(second["next"], int) == (2,)


async def test_without_keys_nobody_has_access() -> None:
    app = make_app("tests")

    @app.get("/x")
    async def x(caller: Caller) -> str:
        return caller.sub

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/x", headers=token())).status_code == 401
