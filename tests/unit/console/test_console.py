"""Entering the console: once, with the platform's word, into a session of one's own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response

from tests.unit.console.room import NOW, Room, room
from web.security import Cookie


@pytest.fixture
async def visit() -> AsyncIterator[Room]:
    async with room() as made:
        yield made


async def test_a_link_says_whose_account_it_opens_and_spends_nothing(visit: Room) -> None:
    page = await visit.http.get("/enter", params={"token": visit.token(account="<acme>")})

    assert page.status_code == 200
    assert "Open the account &lt;acme&gt;" in page.text
    assert (visit.sessions.kept, visit.sessions.spent) == ({}, set())
    assert not page.cookies


async def test_its_button_opens_a_session(visit: Room) -> None:
    page = await visit.http.get("/enter", params={"token": visit.token()})
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    entered = await visit.http.post("/enter", data={"token": token[1]})
    home = await visit.http.get("/")

    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "Synced accounts" in home.text
    assert "Signed in as jane" in home.text
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith("__Host-paperbus-console=")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"))
    assert visit.http.cookies["__Host-paperbus-console"] not in repr(visit.sessions.kept)


async def test_a_token_enters_once(visit: Room) -> None:
    token = visit.token()
    first = await visit.http.post("/enter", data={"token": token})
    visit.http.cookies.clear()
    second = await visit.http.post("/enter", data={"token": token})

    assert (first.status_code, second.status_code) == (303, 403)
    assert len(visit.sessions.kept) == 1
    assert "This link has run out" in second.text


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "paperbus"},
        {"exp": int(NOW.timestamp()) + 601},
        {"iat": int(NOW.timestamp()) - 700, "exp": int(NOW.timestamp()) - 100},
        {"role": "root"},
        {"account": ""},
        {"jti": None},
    ],
)
async def test_a_token_that_does_not_count_enters_nowhere(visit: Room, changed: dict[str, Any]) -> None:
    token = visit.token(**changed)
    shown = await visit.http.get("/enter", params={"token": token})
    entered = await visit.http.post("/enter", data={"token": token})

    assert (shown.status_code, entered.status_code) == (403, 403)
    assert visit.sessions.kept == {}


@pytest.mark.parametrize("body", [b"", b"token=", b"token=%ff", b"x" * 300_000])
async def test_a_form_without_a_token_enters_nowhere(visit: Room, body: bytes) -> None:
    entered = await visit.http.post("/enter", content=body)

    assert entered.status_code in (400, 403, 413)
    assert visit.sessions.kept == {}


@pytest.mark.parametrize(("every", "times"), [(timedelta(minutes=31), 1), (timedelta(minutes=29), 25)])
async def test_a_session_ends_unused_after_30_minutes_and_always_after_12_hours(
    visit: Room, every: timedelta, times: int
) -> None:
    await visit.http.post("/enter", data={"token": visit.token()})
    for _ in range(times):
        last = (await visit.http.get("/")).status_code
        visit.at[0] += every

    assert last == 200
    assert (await visit.http.get("/")).status_code == 401


async def test_signing_out_needs_our_own_form_and_ends_the_session(visit: Room) -> None:
    await visit.http.post("/enter", data={"token": visit.token()})
    home = await visit.http.get("/")
    token = re.search(r'name="_form" value="([^"]+)"', home.text)
    assert token is not None
    forged = await visit.http.post("/leave", data={"_form": "x"})
    foreign = await visit.http.post(
        "/leave", data={"_form": token[1]}, headers={"sec-fetch-site": "cross-site"}
    )
    left = await visit.http.post("/leave", data={"_form": token[1]})

    assert (forged.status_code, foreign.status_code, left.status_code) == (403, 403, 303)
    assert visit.sessions.kept == {}
    assert (await visit.http.get("/")).status_code == 401


async def test_it_answers_health_and_speaks_the_browsers_language(visit: Room) -> None:
    live = await visit.http.get("/health/live")
    page = await visit.http.get("/", headers={"Accept-Language": "de-DE"})

    assert live.status_code == 200
    assert "Sie sind nicht angemeldet" in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("https", "framed", "site"), [(True, True, "none"), (True, False, "lax"), (False, True, "lax")]
)
def test_a_cookie_goes_into_foreign_frames_only_where_that_is_set(
    *, https: bool, framed: bool, site: str
) -> None:
    response = Response()
    Cookie("c", https=https, framed=framed).write(response, "x" * 40)

    assert f"samesite={site}" in response.headers["set-cookie"].lower()


async def test_styles_and_scripts_are_sent_compressed_and_pages_which_hold_tokens_are_not(
    visit: Room,
) -> None:
    await visit.enter()
    page = await visit.http.get("/", headers={"Accept-Encoding": "gzip"})
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)\?[^"]+)"', page.text)
    files = [await visit.http.get(address, headers={"Accept-Encoding": "gzip"}) for address in addresses]

    assert "content-encoding" not in page.headers
    assert {file.headers.get("content-encoding") for file in files if len(file.content) > 1000} == {"gzip"}
    assert all("immutable" in file.headers["cache-control"] for file in files)
