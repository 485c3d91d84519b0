"""Logins by OAuth in the running service: at a real authorization server, lent, renewed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import ECKey
from selectolax.lexbor import LexborHTMLParser

from kit.tokens import sign, unseal
from tests.connections.conftest import ADDRESS, Platform, dumped
from tests.connections.test_window import WANTED, Browser, post
from tests.oauth.walking import LISTING, agree_to_code, walk
from tests.peers.oidc_server import NoNode, OidcServer, oidc_server

SECRET = "canary-the-operators-secret"
CLIENT = {
    "client_id": "paperbus",
    "client_secret": SECRET,
    "redirect_uris": [f"http://{ADDRESS}:8112/oauth/callback/acme-files"],
    "grant_types": [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
}
ACCESS_SECONDS = 20


@dataclass
class Acme:
    """A provider: its authorization server, and a folder that its tokens open."""

    authority: OidcServer
    url: str
    shown: list[str]

    def manifest(self, **oauth: Any) -> dict[str, Any]:
        return {
            "id": "acme-files",
            "name": "Acme",
            "summary": "Files",
            "categories": ["storage"],
            "directions": ["export"],
            "login": [{"redirect": "oauth"}],
            "oauth": {
                "issuer": self.authority.issuer,
                "scopes": ["openid", "email", "files"],
                "optional_scopes": ["offline_access"],
                "authorize_params": {"prompt": "consent"},
                **oauth,
            },
            "driver": {"kind": "webdav", "settings": {"url": self.url}, "identity": "{account}"},
        }


@pytest.fixture(scope="module")
def acme() -> Iterator[Acme]:
    shown: list[str] = []

    class Folder(BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            kind, _, token = self.headers.get("Authorization", "").partition(" ")
            shown.append(token)
            body = LISTING.encode() if kind == "Bearer" else b""
            self.send_response(207 if body else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Folder)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with oidc_server([CLIENT], scopes=["files"], access_seconds=ACCESS_SECONDS) as authority:
            yield Acme(authority, f"http://127.0.0.1:{server.server_port}/dav", shown)
    except NoNode as error:
        pytest.skip(str(error))
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def known(platform: Platform, acme: Acme) -> Platform:
    """The platform, where an operator has set up the client of Acme."""
    data = {"provider_id": "acme-files", "revision": 1, "manifest": acme.manifest()}
    platform.outsider.say("catalog.events", "ProviderPublished", data, subject="acme-files")
    refused = str(uuid4())
    platform.outsider.ask(
        "ConnectionRequested", connection_id=refused, direction="export", provider_id="acme-files"
    )
    assert platform.outsider.wait("RequestRefused", refused)["data"]["reason"] == "not_set_up"
    done = platform.services.command("admin", "clients", "set", "acme-files", stdin=f"paperbus\n{SECRET}\n")
    assert done.returncode == 0, done.stderr
    time.sleep(1.1)  # for as long a provider is not read again
    return platform


@pytest.fixture
def browser() -> Iterator[Browser]:
    with httpx.Client(timeout=20) as http:
        yield Browser(http)


def at_the_provider(platform: Platform, browser: Browser) -> tuple[str, str]:
    """A connection whose browser was sent to the provider, and where to."""
    connection = str(uuid4())
    platform.outsider.ask(
        "ConnectionRequested", connection_id=connection, direction="export", provider_id="acme-files"
    )
    made = post(platform, f"{connection}/window", WANTED).raise_for_status().json()
    browser.go(made["url"])
    page = browser.send()
    browser.page = browser.http.get(f"{page.url}/go")
    return connection, str(browser.sent_to)


def lent(platform: Platform, connection: str) -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"kid": "run", "use": "enc"}, private=True)
    now = int(time.time())
    claims = {
        "iss": "sync-runner", "aud": "connections", "iat": now, "exp": now + 60, "jti": str(uuid4()),
        "account": platform.outsider.account, "connection_id": connection, "run_id": "r-1", "fence": 1,
        "cnf": {"jwk": key.as_dict(private=False)},
    }  # fmt: skip
    token = sign(platform.services.service_keys["sync-runner"], claims)
    url = f"{platform.services.url('connections')}/internal/v1/connections/{connection}/lend"
    answer = httpx.post(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return unseal(answer.text, key, "paperbus-loan+jwe")


def test_a_customer_agrees_at_the_provider_and_runs_are_lent_tokens_that_are_renewed(
    known: Platform, acme: Acme, browser: Browser
) -> None:
    connection, address = at_the_provider(known, browser)
    back = asyncio.run(walk(address))
    known.dies()  # while the browser is away
    browser.go(back)
    proof = {"proof": browser.sent_to.params["proof"]}
    assert post(known, f"{connection}/window/complete", proof).status_code == 200
    authorized = known.outsider.wait("ConnectionAuthorized", connection)["data"]
    assert authorized["identity"] == "jane@firm.example"
    known.outsider.ask("ConnectionOptionsSubmitted", connection_id=connection, options={})
    known.outsider.wait("ConnectionSaved", connection)

    first = lent(known, connection)["credentials"]
    assert first["access_token"] in acme.shown
    assert first.keys() == {"access_token", "account"}
    until = time.monotonic() + ACCESS_SECONDS + 10
    while (renewed := lent(known, connection)["credentials"]["access_token"]) == first["access_token"]:
        assert time.monotonic() < until, "it was never renewed"
        time.sleep(1)
    said = repr([event for topic, event in list(known.outsider.heard) if topic == "connections.events"])
    kept = dumped(known.services.mongo) + known.services.logs()
    code = httpx.URL(back).params["code"]
    for secret in (code, SECRET, first["access_token"], renewed):
        assert secret not in said
        assert secret not in kept
    # Whoever reads the topic could otherwise attach an account of their own.
    challenge = known.challenge(connection)
    assert (challenge["kind"], challenge["answer_by"]) == ("redirect", ["window"])
    assert acme.authority.issuer not in said


@pytest.mark.faults
def test_a_device_code_is_typed_elsewhere_while_the_service_is_dead(
    known: Platform, acme: Acme, browser: Browser
) -> None:
    manifest = acme.manifest() | {"id": "acme-device", "login": [{"device": "oauth"}]}
    data = {"provider_id": "acme-device", "revision": 1, "manifest": manifest}
    known.outsider.say("catalog.events", "ProviderPublished", data, subject="acme-device")
    done = known.services.command("admin", "clients", "set", "acme-device", stdin=f"paperbus\n{SECRET}\n")
    assert done.returncode == 0, done.stderr
    connection = str(uuid4())
    known.outsider.ask(
        "ConnectionRequested", connection_id=connection, direction="export", provider_id="acme-device"
    )
    made = post(known, f"{connection}/window", WANTED).raise_for_status().json()
    browser.go(made["url"])
    browser.send()
    known.dies()  # before a code is asked for
    page = LexborHTMLParser(browser.send().text)
    code, link = page.css_first(".compare strong"), page.css_first("main a[target=_blank]")
    assert code, page.html
    assert link, page.html
    known.services.kill("connections")
    asyncio.run(agree_to_code(str(link.attributes["href"]), code.text(strip=True)))
    known.services.start("connections")
    known.services.ready("connections")
    until = time.monotonic() + 30
    while not browser.page.is_redirect:
        assert time.monotonic() < until, browser.page.text
        browser.go(str(browser.page.url))
        time.sleep(0.2)
    proof = {"proof": browser.sent_to.params["proof"]}
    assert post(known, f"{connection}/window/complete", proof).status_code == 200
    authorized = known.outsider.wait("ConnectionAuthorized", connection)["data"]
    assert authorized["identity"] == "jane@firm.example"


@pytest.mark.parametrize("how", ["twice", "another browser", "another provider", "made up", "no state"])
def test_what_comes_back_counts_once_for_the_browser_that_left(
    known: Platform, browser: Browser, how: str
) -> None:
    connection, address = at_the_provider(known, browser)
    back = httpx.URL(asyncio.run(walk(address)))
    window = browser.http
    match how:
        case "twice":
            browser.http.get(back)
        case "another browser":
            window = httpx.Client(cookies={"paperbus-window": "x" * 43})
        case "another provider":
            back = back.copy_with(path="/oauth/callback/webdav")
        case "made up":
            back = back.copy_set_param("state", "x" * 43)
        case "no state":
            back = back.copy_remove_param("state")

    answer = window.get(back)

    assert answer.status_code == 400
    assert "code" not in answer.text.lower().replace("decode", "")
    if how != "twice":
        assert known.heard("AuthChallengeAnswered", connection) == []
    if window is not browser.http:
        window.close()


def test_a_customer_who_says_no_reads_why_and_may_go_again(known: Platform, browser: Browser) -> None:
    connection, address = at_the_provider(known, browser)

    page = browser.go(asyncio.run(walk(address, says="no")))

    assert page.status_code == 200
    assert "Beim Anbieter wurde Nein gesagt" in page.text
    again = known.outsider.wait("AuthChallengeIssued", connection, lambda data: data["error"] is not None)
    assert again["data"]["error"]["reason"] == "cancelled"
    assert again["data"]["attempts_left"] == 3


def test_operators_rotate_keys_and_pause_a_provider_beside_the_running_service(known: Platform) -> None:
    rotated = known.services.command("admin", "keys", "rotate", "--json")
    assert rotated.returncode == 0, rotated.stderr
    assert '"done": true' in rotated.stdout
    listed = known.services.command("admin", "clients", "list", "--json")
    assert '"acme-files"' in listed.stdout
    assert SECRET not in listed.stdout + listed.stderr
    assert known.services.command("admin", "provider", "pause", "acme-files").returncode == 0
    time.sleep(1.1)
    refused = str(uuid4())
    known.outsider.ask(
        "ConnectionRequested", connection_id=refused, direction="export", provider_id="acme-files"
    )
    assert known.outsider.wait("RequestRefused", refused)["data"]["reason"] == "paused"
    assert known.services.command("admin", "provider", "resume", "acme-files").returncode == 0
    missing = known.services.command("admin", "provider", "approve", "nothing")
    assert missing.returncode == 1
    assert "no provider nothing" in missing.stderr
