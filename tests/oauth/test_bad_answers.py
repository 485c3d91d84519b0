"""What authorization servers and browsers bring that they should not: each leads somewhere sensible."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from providers.egress import Guard
from providers.errors import ProviderError
from providers.login.oauth import client, device, tokens
from providers.login.oauth.client import Client
from providers.login.oauth.identity import LEEWAY, who
from providers.login.oauth.leaving import came_back, code_of, depart
from providers.login.oauth.registered import Registered
from providers.login.oauth.server import Server, server_of
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.oauth import OAuth
from schemas.reasons import Reason
from tests.oauth.walking import serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"})
OTHER = ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"})
US = Client("us", "secret")
GOOD = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "scope": "files"}


@dataclass
class Authority:
    """A server that answers as it is told, and keeps what it was asked."""

    status: int = 200
    body: Any = field(default_factory=lambda: dict(GOOD))
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)
    patience: float = 10.0

    async def answer(self, request: Request) -> Response:
        self.asked.append(dict(await request.form()))
        self.seen.append(dict(request.headers))
        if callable(self.body):
            return await self.body()
        if isinstance(self.body, bytes):
            return Response(self.body, self.status, self.headers)
        return JSONResponse(self.body, self.status, self.headers)

    @asynccontextmanager
    async def there(self, now: datetime = NOW, **spec: Any) -> AsyncIterator[Registered]:
        async def keys(_: Request) -> Response:
            return JSONResponse(KeySet([KEY]).as_dict(private=False))

        app = Starlette(
            routes=[
                Route("/keys", keys),
                Route("/{path:path}", self.answer, methods=["POST"]),
            ]
        )
        reaching = Reach(Guard(["127.0.0.0/8"]), clock=lambda: now, patience=self.patience)
        async with serving(app) as at, reaching as reach:
            plain = {"token_url": f"{at}/token", "device_url": f"{at}/device", "scopes": ["files"], **spec}
            server = Server(
                OAuth.model_validate(plain),
                f"{at}/token",
                f"{at}/auth",
                device_url=f"{at}/device",
                jwks_url=f"{at}/keys",
                issuer=at,
                says_issuer=True,
            )
            yield Registered(server, US, reach.http)


async def refused(authority: Authority, grant: str = "authorization_code", **spec: Any) -> ProviderError:
    async with authority.there(**spec) as there:
        with pytest.raises(ProviderError) as error:
            await tokens.ask(there, grant, {"code": "c"})
    return error.value


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Sorry</html>", 200),
        (b"", 200),
        (b"[" * 200_000, 200),
        (b'{"access_token": "' + b"a" * 5_000_000 + b'"}', 200),
        ({"access_token": 7}, 200),
        ({"access_token": ""}, 200),
        ([GOOD], 200),
        (b"<html>Bad gateway</html>", 502),
        ({"error": "server_error"}, 500),
        ({"error": "some_day_something"}, 400),
    ],
    ids=["HTML", "nothing", "deep", "5 MB", "a number", "empty", "a list", "502", "500", "an unknown error"],
)
async def test_what_is_not_understood_blames_nobody_and_is_asked_again_later(body: Any, status: int) -> None:
    error = await refused(Authority(status, body), "refresh_token")

    assert error.later
    assert error.reason is Reason.PROVIDER_DOWN


async def test_a_token_endpoint_that_does_not_answer_is_not_waited_for() -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def never() -> Response:
        asked.set()
        await over.wait()
        return JSONResponse(GOOD)

    authority = Authority(body=never, patience=0.2)
    async with authority.there() as there:
        with pytest.raises(ProviderError) as error:
            await tokens.ask(there, "refresh_token", {"refresh_token": "r"})
        over.set()

    assert asked.is_set()
    assert error.value.later


@pytest.mark.parametrize(
    ("grant", "said", "reason"),
    [
        ("refresh_token", {"error": "invalid_grant"}, Reason.CONSENT_EXPIRED),
        ("refresh_token", {"error": "interaction_required"}, Reason.CONSENT_EXPIRED),
        ("authorization_code", {"error": "invalid_grant"}, Reason.SESSION_EXPIRED),
        ("authorization_code", {"error": "invalid_client"}, Reason.NOT_SET_UP),
        ("authorization_code", {"error": "invalid_scope"}, Reason.PROVIDER_CHANGED),
        ("authorization_code", {"error": "access_denied"}, Reason.CANCELLED),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
async def test_an_error_is_an_error_also_with_status_200(
    grant: str, said: dict[str, str], reason: Reason, status: int
) -> None:
    error = await refused(Authority(status, said), grant)

    assert error.reason is reason
    assert not error.later


async def test_an_answer_with_ok_false_is_an_error_where_the_manifest_says_so() -> None:
    authority = Authority(body={"ok": False, "why": "invalid_grant", "access_token": "a"})

    assert (await refused(authority, answer={"error": "/why"})).reason is Reason.SESSION_EXPIRED


async def test_a_rate_limit_is_waited_out() -> None:
    error = await refused(Authority(429, b"slow down", {"Retry-After": "17"}), "refresh_token")

    assert (error.kind, error.retry_after) == ("rate_limited", 17)


@pytest.mark.parametrize(
    ("expires_in", "lasts"),
    [(3600, 3600), ("3600", 3600), (None, 900), (0, 900), (-5, 900), ("soon", 900), (1e99, None)],
)
async def test_a_token_lasts_as_long_as_it_says_or_as_the_manifest_does(
    expires_in: Any, lasts: int | None
) -> None:
    body = {name: value for name, value in {**GOOD, "expires_in": expires_in}.items() if value is not None}
    async with Authority(body=body).there(life={"access_seconds": 900}) as there:
        given = await tokens.ask(there, "authorization_code", {})

    seconds = tokens.LONGEST.total_seconds() if lasts is None else lasts
    assert given.access_until == (NOW + timedelta(seconds=seconds)).isoformat()


async def test_without_any_word_a_token_lasts_until_it_is_refused() -> None:
    async with Authority(body={"access_token": "a"}).there() as there:
        given = await tokens.ask(there, "authorization_code", {})

    assert given.access_until is None
    assert given.refresh_token is None


async def test_tokens_are_read_where_the_manifest_says() -> None:
    body = {"ok": True, "authed_user": {"access_token": "a", "scope": "files,chat"}, "x_lasts": 60}
    answer = {
        "access_token": "/authed_user/access_token",
        "scope": "/authed_user/scope",
        "expires_in": "/x_lasts",
    }
    async with Authority(body=body).there(answer=answer) as there:
        given = await tokens.ask(there, "authorization_code", {})

    assert (given.access_token, given.scopes) == ("a", ("files", "chat"))
    assert given.access_until == (NOW + timedelta(seconds=60)).isoformat()


async def test_a_renewal_that_brings_no_new_refresh_token_keeps_the_old_one() -> None:
    async with Authority(body={"access_token": "b", "expires_in": 60}).there() as there:
        new = await tokens.by_refresh_token(there, tokens.Tokens("a", "r", scopes=("files",)))

    assert (new.access_token, new.refresh_token, new.scopes) == ("b", "r", ("files",))


def id_token(key: Any = KEY, alg: str = "ES256", **claims: Any) -> str:
    now = int(NOW.timestamp())
    plain = {"aud": "us", "sub": "7", "email": "jane@firm.example", "nonce": "n", "iat": now, "exp": now + 60}
    header = {"alg": alg, "kid": "1"}
    return jwt.encode(header, {**plain, **claims}, key, algorithms=[alg])


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "others"},
        {"aud": ["us", "others"]},
        {"nonce": "another login's"},
        {"exp": int(NOW.timestamp()) - LEEWAY - 1},
        {"iat": int(NOW.timestamp()) + LEEWAY + 1},
        {"exp": "never"},
        {"key": OTHER},
        {"key": OctKey.import_key("secret-secret-secret-secret-secret"), "alg": "HS256"},
    ],
    ids=[
        "issuer", "audience", "two audiences, ours did not ask", "nonce", "over", "of the future", "no time",
        "signature", "signed by our own secret",
    ],
)  # fmt: skip
async def test_an_id_token_that_is_not_for_us_now_by_that_server_ends_the_login(
    wrong: dict[str, Any],
) -> None:
    async with Authority().there() as there:
        token = id_token(**{"iss": there.server.issuer, **wrong})
        with pytest.raises(ProviderError) as error:
            await who(there, tokens.Tokens("a", id_token=token), "n", {})

    assert error.value.reason is Reason.PROVIDER_CHANGED


@pytest.mark.parametrize("minutes", [-5, 0, 5])
async def test_a_clock_that_is_five_minutes_off_shuts_nobody_out(minutes: int) -> None:
    async with Authority().there(now=NOW + timedelta(minutes=minutes)) as there:
        token = id_token(iss=there.server.issuer)
        found = await who(there, tokens.Tokens("a", id_token=token), "n", {})

    assert found is not None
    assert found.name == "jane@firm.example"


async def test_an_id_token_without_signature_is_none() -> None:
    async with Authority().there() as there:
        _, payload, _ = id_token(iss=there.server.issuer).split(".")
        bare = f"eyJhbGciOiJub25lIn0.{payload}."
        with pytest.raises(ProviderError):
            await who(there, tokens.Tokens("a", id_token=bare), "n", {})


async def test_a_client_proves_itself_by_its_key_with_a_clock_that_is_five_minutes_off() -> None:
    key = ECKey.generate_key("P-256", {"kid": "ours"})
    authority = Authority()
    async with authority.there(client_auth="private_key_jwt") as there:
        by_key = Registered(there.server, Client("us", key=key.as_dict(private=True)), there.http)
        await tokens.ask(by_key, "authorization_code", {"code": "c"})

    claims = jwt.decode(authority.asked[0]["client_assertion"], key, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("us", "us", by_key.server.token_url)
    assert claims["exp"] - NOW.timestamp() >= 600
    assert not {"iat", "nbf"} & claims.keys()
    assert authority.asked[0]["client_assertion_type"] == client.ASSERTION_TYPE


async def test_a_secret_with_odd_letters_is_sent_as_the_book_says() -> None:
    authority = Authority()
    async with authority.there() as there:
        odd = Registered(there.server, Client("a:b", "100% sure+more"), there.http)
        await tokens.ask(odd, "authorization_code", {"code": "c"})

    import base64

    pair = base64.b64decode(authority.seen[0]["authorization"].removeprefix("Basic ")).decode()
    assert pair == "a%3Ab:100%25%20sure%2Bmore"


@pytest.mark.parametrize(
    ("back", "reason", "later"),
    [
        ({"error": "access_denied"}, Reason.CANCELLED, False),
        ({"error": "temporarily_unavailable"}, Reason.PROVIDER_DOWN, True),
        ({"error": "invalid_scope"}, Reason.NOT_SET_UP, False),
        ({"error": "<script>"}, Reason.CANCELLED, False),
        ({}, Reason.SESSION_EXPIRED, False),
        ({"code": ""}, Reason.SESSION_EXPIRED, False),
    ],
)
async def test_what_comes_back_in_place_of_a_code_is_told_in_our_own_words(
    back: dict[str, str], reason: Reason, *, later: bool
) -> None:
    async with Authority().there() as there:
        with pytest.raises(ProviderError) as error:
            code_of(there.server, {"iss": there.server.issuer, **back})

    assert (error.value.reason, error.value.later) == (reason, later)
    assert "script" not in error.value.message


def test_a_browser_brings_back_little_or_it_is_not_taken() -> None:
    long = came_back({"code": "c", "x" * 101: "a", "b": "y" * 9000})
    many = came_back({f"p{n}": "v" for n in range(1000)})

    assert long == {"code": "c"}
    assert len(many) == 30


async def test_each_departure_has_a_state_of_256_bits_and_a_challenge_of_its_own() -> None:
    async with Authority().there() as there:
        several = [depart(there, "https://us.example/oauth/callback/acme") for _ in range(100)]

    assert len({state for _, state, _ in several}) == 100
    assert all(len(state) == 43 for _, state, _ in several)
    assert all("code_challenge_method=S256" in address for address, _, _ in several)
    assert all(left.verifier not in address for address, _, left in several)


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/device",
        "javascript:alert(1)",
        "javascript://127.0.0.1/%0aalert(1)",
        "https://[bad",
    ],
)
async def test_a_device_code_that_sends_the_customer_elsewhere_is_not_shown(place: str) -> None:
    body = {"device_code": "d", "user_code": "ABCD", "verification_uri": place, "expires_in": 600}
    async with Authority(body=body).there() as there:
        with pytest.raises(ProviderError) as error:
            await device.begin(there)

    assert error.value.reason is Reason.PROVIDER_CHANGED


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ({"error": "authorization_pending"}, 5),
        ({"error": "slow_down"}, 10),
        ({"error": "access_denied"}, Reason.CANCELLED),
        ({"error": "expired_token"}, Reason.SESSION_EXPIRED),
    ],
)
async def test_asking_for_a_device_code_has_four_ends(said: dict[str, str], becomes: object) -> None:
    async with Authority(400, said).there() as there:
        try:
            came: object = (await device.poll(there, "d", 5)).interval  # type: ignore[union-attr]
        except ProviderError as error:
            came = error.reason

    assert came == becomes


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"code_challenge_methods_supported": ["plain"]},
        {"token_endpoint": None},
        {"token_endpoint": "file:///etc/passwd"},
        "not JSON",
        "[" * 100_000,
    ],
    ids=["another issuer", "no PKCE with S256", "no token endpoint", "no address", "no JSON", "deep JSON"],
)
async def test_a_server_that_describes_itself_wrongly_is_not_used(said: Any) -> None:
    assert (await described(said)).reason is Reason.PROVIDER_DOWN


@pytest.mark.parametrize(
    "name", ["token_endpoint", "authorization_endpoint", "jwks_uri", "userinfo_endpoint"]
)
async def test_an_endpoint_that_moved_to_another_host_gets_nothing_until_a_manifest_names_it(
    name: str,
) -> None:
    error = await described({name: "https://evil.example/token"})

    assert error.reason is Reason.PROVIDER_CHANGED
    assert error.kind == "config"  # neither asked again by itself nor the customer's fault


async def described(said: Any) -> ProviderError:
    """What comes of a server whose metadata are these."""

    async def metadata(request: Request) -> Response:
        issuer = str(request.base_url).rstrip("/")
        plain = {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/token",
            **(said if isinstance(said, dict) else {}),
        }
        return Response(json.dumps(plain) if isinstance(said, dict) else said)

    app = Starlette(routes=[Route("/.well-known/{name:path}", metadata)])
    async with serving(app) as at, Reach(Guard(["127.0.0.0/8"])) as reach:
        manifest = Manifest.model_validate(
            {
                "id": "acme", "name": "Acme", "summary": "Files", "categories": ["storage"],
                "directions": ["export"], "login": [{"redirect": "oauth"}], "oauth": {"issuer": at},
                "driver": {"kind": "webdav", "settings": {"url": at}},
            }
        )  # fmt: skip
        with pytest.raises(ProviderError) as error:
            await server_of(manifest, {}, reach.http)
    return error.value
