"""Requests of a login at a server that means no good: redirects, cookies, long answers, signatures."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connections.places import Place
from connections.vault import Vault
from providers.egress import Guard
from providers.errors import ProviderError
from providers.login.exchange import MOST_BYTES, Page, send
from providers.login.outcomes import LoginState
from providers.login.reading import Reading
from providers.reach import Reach
from schemas.calls import From, Request

STATE: LoginState = {"values": {"user": "jane\r\nX-Evil: 1", "key": "k"}, "pins": {}, "known": {}, "here": {}}
SEEN: list[tuple[str, str, dict[str, str]]] = []


ANSWERS: dict[str, tuple[int, list[tuple[str, str]]]] = {
    "/circle": (302, [("Location", "/circle")]),
    "/away": (302, [("Location", "http://127.0.0.2:1/metadata")]),
    "/slash": (308, [("Location", "/form")]),
    "/form": (303, [("Location", "/kept")]),
    "/kept": (307, [("Location", "/in")]),
    "/nowhere": (302, [("Location", "http://[::1")]),
    "/set": (200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/deep; HttpOnly")]),
    "/accent": (200, [("Set-Cookie", "town=Orl\xe9ans; Path=/"), ("X-Town", "Orl\xe9ans")]),
    "/dated": (200, [("Date", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999")]),
    "/cached": (200, [("Age", "600")]),
    "/gone": (200, [("Set-Cookie", "a=; Max-Age=0; Path=/")]),
}


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        SEEN.append((self.command, self.path, dict(self.headers)))
        path, _, query = self.path.partition("?")
        status, headers = ANSWERS.get(path, (200, []))
        if path == "/long":
            status, headers = 302, [("Location", f"/long?n={int(query.partition('=')[2] or 0) + 1}")]
        body = b"x" * 5_000_000 if path == "/huge" else b"ok"
        self.send_response_only(status)
        date = [] if path == "/dated" else [("Date", self.date_time_string())]
        for name, value in [*headers, *date, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who is not read to the end hangs up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    SEEN.clear()
    async with Reach(Guard(["127.0.0.1/32"])) as made:
        yield made


async def test_a_redirect_in_a_circle_ends_and_a_long_one_is_shown_as_it_is(url: str, reach: Reach) -> None:
    with pytest.raises(ProviderError) as circle:
        await send(Request(url=f"{url}/circle", follow=5), STATE, reach)
    assert circle.value.reason == "provider_changed"
    long = await send(Request(url=f"{url}/long", follow=2), STATE, reach)
    assert (long.page.status, long.page.url) == (302, f"{url}/long?n=2")


async def test_what_was_posted_is_posted_again_where_the_provider_says_so(url: str, reach: Reach) -> None:
    request = Request.model_validate(
        {"method": "POST", "url": f"{url}/slash", "form": {"a": "1"}, "follow": 5}
    )
    await send(request, STATE, reach)
    assert [(method, path) for method, path, _ in SEEN] == [
        ("POST", "/slash"),
        ("POST", "/form"),
        ("GET", "/kept"),
        ("GET", "/in"),
    ]
    assert [headers.get("Content-Length") for _, _, headers in SEEN] == ["3", "3", None, None]


async def test_what_is_no_address_and_what_is_no_date_are_left(url: str, reach: Reach) -> None:
    nowhere = await send(Request(url=f"{url}/nowhere", follow=5), STATE, reach)
    dated = await send(Request(url=f"{url}/dated"), STATE, reach)
    assert (nowhere.page.status, dated.state["ahead"]) == (302, 0)


async def test_what_no_character_stands_for_is_taken_and_sealed(url: str, reach: Reach) -> None:
    """Old portals write Latin-1 into headers, and JSON may name half of a pair (RFC 8259 §8.2)."""
    sent = await send(Request(url=f"{url}/accent"), STATE, reach)
    told = Reading(Page(url, 200, sent.page.headers, b'{"town": "Orl\\ud83dans"}', ()))
    places = {"header": From(header="X-Town"), "json": From.model_validate({"json": "/town"})}

    assert told.take(places, strictly=True) == {"header": "Orl?ans", "json": "Orl?ans"}
    vault, place = Vault([("test", bytes(32))]), Place("account", "connection", "login/1", 1)
    assert vault.open_values(place, vault.seal_values(place, sent.state)) == sent.state


async def test_no_redirect_leaves_the_origin(url: str, reach: Reach) -> None:
    sent = await send(Request(url=f"{url}/away", follow=5), STATE, reach)
    assert (sent.page.status, len(SEEN)) == (302, 1)


async def test_every_address_passes_the_guard(url: str, reach: Reach) -> None:
    with pytest.raises(ProviderError) as refused:
        await send(Request(url="http://169.254.169.254/latest"), STATE, reach)
    assert refused.value.reason == "address_refused"
    assert url


async def test_cookies_stay_with_their_path_and_go_when_they_are_over(url: str, reach: Reach) -> None:
    sent = await send(Request(url=f"{url}/set"), STATE, reach)
    sent = await send(Request(url=f"{url}/deep/er"), sent.state, reach)
    assert sorted(SEEN[-1][2]["Cookie"].split("; ")) == ["a=1", "b=2"]
    sent = await send(Request(url=f"{url}/gone"), sent.state, reach)
    sent = await send(Request(url=f"{url}/other"), sent.state, reach)
    assert "Cookie" not in SEEN[-1][2]


@pytest.mark.parametrize(
    ("minutes", "path", "ahead"), [(-5, "", 300), (5, "", -300), (0, "", 0), (5, "/cached", 0)]
)
async def test_the_providers_clock_counts_where_it_is_another_one(
    url: str, minutes: int, path: str, ahead: int
) -> None:
    def ours() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    async with Reach(Guard(["127.0.0.1/32"]), clock=ours) as reach:
        sent = await send(Request(url=f"{url}{path}"), STATE, reach)

    assert sent.state["ahead"] == pytest.approx(ahead, abs=30)


async def test_of_five_megabytes_no_more_is_read_than_a_page_has(url: str, reach: Reach) -> None:
    sent = await send(Request(url=f"{url}/huge"), STATE, reach)
    assert len(sent.page.body) == MOST_BYTES


async def test_what_is_typed_begins_no_header_and_leaves_no_place_in_an_address(
    url: str, reach: Reach
) -> None:
    request = Request(url=f"{url}/u/{{user}}", headers={"X-User": "{user}"}, query={"q": "{user}"})
    await send(request, STATE, reach)
    _, path, headers = SEEN[-1]
    assert headers["X-User"] == "janeX-Evil: 1"
    assert "X-Evil" not in headers
    assert path == "/u/jane%0D%0AX-Evil%3A%201?q=jane%0D%0AX-Evil%3A+1"


async def test_a_signature_is_over_what_is_sent(url: str, reach: Reach) -> None:
    signing = {"key": "{key}", "over": "{method}|{path}|{body}|{now}|{nonce}"}
    request = Request.model_validate(
        {
            "method": "POST",
            "url": f"{url}/signed",
            "query": {"a": "1"},
            "json": {"user": "me"},
            "hmac": signing,
            "headers": {"X-Now": "{now}", "X-Nonce": "{nonce}", "X-Signature": "{signature}"},
        }
    )
    await send(request, STATE, reach)
    told = SEEN[-1][2]
    over = f'POST|/signed?a=1|{{"user":"me"}}|{told["X-Now"]}|{told["X-Nonce"]}'
    assert told["X-Signature"] == hmac.new(b"k", over.encode(), hashlib.sha256).hexdigest()
