"""Who sees and changes what: other accounts, members, foreign forms, windows, languages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import JSONResponse

from tests.unit.console.room import CHANGES, ID, WINDOW, Room, caused, problem, saved
from tests.unit.console.test_pages import READING

ONE = f"/v1/connections/{ID}"


async def test_another_accounts_pages_do_not_exist(visit: Room) -> None:
    await visit.enter(account="other")
    pages = [await visit.http.get(path) for path in READING if "accounts" in path]
    changed = await visit.post(f"/accounts/{ID}/pause")

    assert {page.status_code for page in (*pages, changed)} == {404}
    assert visit.published == []


@pytest.mark.parametrize("id_", ["x", "../../v1/providers", "7f1c0a52", "%2e%2e"])
async def test_an_id_that_is_none_is_nowhere(visit: Room, id_: str) -> None:
    assert (await visit.http.get(f"/accounts/{id_}")).status_code == 404
    assert [path for path, _ in visit.asked if "accounts" in path] == []


@pytest.mark.parametrize("change", CHANGES)
async def test_who_may_only_look_changes_nothing(visit: Room, change: str) -> None:
    await visit.enter(role="member")
    page = await visit.http.get(f"/accounts/{ID}")
    answer = await visit.post(f"/accounts/{ID}/{change}")

    assert answer.status_code == 403
    assert visit.published == []
    assert "Pause" not in page.text


@pytest.mark.parametrize("change", CHANGES)
async def test_a_foreign_form_changes_nothing(visit: Room, change: str) -> None:
    token = await visit.form_token()
    path = f"/accounts/{ID}/{change}"
    forged = await visit.http.post(path, data={"_form": "x"})
    foreign = await visit.http.post(path, data={"_form": token}, headers={"sec-fetch-site": "cross-site"})
    elsewhere = await visit.http.post(path, data={"_form": token}, headers={"origin": "https://evil.example"})

    assert {forged.status_code, foreign.status_code, elsewhere.status_code} == {403}
    assert visit.published == []


async def test_the_login_window_is_asked_for_in_this_session_alone(visit: Room) -> None:
    visit.says[f"{ONE}/window"] = {"url": f"{WINDOW}/w/ticket"}
    visit.says[f"{ONE}/window/complete"] = {}
    opened = await visit.post(f"/accounts/{ID}/window")
    wanted = dict(visit.asked)[f"{ONE}/window"]
    back = {"result": "authorized", "proof": "p", "connection_id": ID}
    own = await visit.http.get(f"/accounts/{ID}/return", params={**back, "state": wanted["state"]})
    completed = [path for path, _ in visit.asked if path.endswith("/complete")]
    await visit.enter()
    other = await visit.http.get(f"/accounts/{ID}/return", params={**back, "state": wanted["state"]})

    assert opened.headers["location"] == f"{WINDOW}/w/ticket"
    assert wanted["return_url"].endswith(f"/accounts/{ID}/return")
    assert own.headers["location"].endswith("result=authorized")
    assert other.headers["location"].endswith("result=failed")
    assert completed == [path for path, _ in visit.asked if path.endswith("/complete")]


async def test_a_login_that_ran_out_is_asked_for_anew(visit: Room) -> None:
    visit.says[f"{ONE}/window"] = problem(409, "No login is open.", reason="not_yet")

    def begins(event: dict[str, Any]) -> Any:
        visit.says[f"{ONE}/window"] = {"url": f"{WINDOW}/w/fresh"}
        return saved(event)

    visit.answer = begins
    opened = await visit.post(f"/accounts/{ID}/window")

    assert opened.headers["location"] == f"{WINDOW}/w/fresh"
    assert visit.published[0]["type"] == "paperbus.ReauthenticationRequested.v1"


async def test_a_proof_and_a_token_are_in_no_address_that_stays(visit: Room) -> None:
    answer = await visit.http.get(f"/accounts/{ID}/return", params={"result": "failed", "proof": "secret"})

    assert "secret" not in answer.headers["location"]


async def test_a_language_is_chosen_and_leads_back_to_our_own_pages_alone(visit: Room) -> None:
    chosen = await visit.post("/language", language="de", back="/add")
    page = await visit.http.get("/add")
    away = await visit.post("/language", language="de", back="//evil.example")

    assert chosen.headers["location"] == "/add"
    assert '<html lang="de">' in page.text
    assert away.headers["location"] == "/"


async def test_pages_hear_of_their_own_account_and_waiting_requests_of_their_own_answer(visit: Room) -> None:
    event = caused(saved({}), {"id": "cause", "subject": ID, "accountid": "acme"})
    with (
        visit.hub.listening("acme") as ours,
        visit.hub.listening("other") as theirs,
        visit.hub.awaiting("cause") as answer,
    ):
        visit.hub.heard(event)
        about = await asyncio.wait_for(ours.next(), 30)

        assert about == {ID}
        assert answer.result() is event
        assert not theirs.news.is_set()
    assert visit.hub.open == 0


async def test_a_logo_comes_through_us_sandboxed(visit: Room) -> None:
    headers = {"etag": '"1"', "content-security-policy": "sandbox"}
    visit.says["/v1/providers/webdav/logo"] = httpx_logo(headers)
    logo = await visit.http.get("/logos/webdav")

    assert logo.headers["content-security-policy"] == "sandbox"
    assert (await visit.http.get("/logos/..%2fx")).status_code == 404


def httpx_logo(headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({}, headers=headers, media_type="image/svg+xml")
