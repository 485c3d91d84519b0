"""Every provider that logs in by OAuth, walked through at a server that is configured like it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from providers.drivers import settings
from providers.egress import Guard
from providers.login import machine
from providers.login.oauth import leaving, tokens
from providers.login.oauth.client import Client
from providers.login.oauth.registered import registered
from providers.login.oauth.renewal import renew
from providers.login.outcomes import Answer, Asked, Authorized, aside
from providers.manifests import CATALOGUE, folders, load
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.oauth import OAuth
from schemas.reasons import ChallengeKind
from tests.oauth.walking import Operator, agree, agree_to_code, folder_for_tokens
from tests.peers.oidc_server import NoNode, oidc_server
from tests.peers.toolkit_server import toolkit_server

MANIFESTS = [manifest for folder in folders(CATALOGUE) if (manifest := load(folder)).oauth is not None]
SECRET = "as the provider gave it"
TYPED = {
    "username": "jane@firm.example",
    "tenant": "11111111-2222-3333-4444-555555555555",
    "region": "eu",
    "shop": "acme",
    "folder_id": "0",
}
ITSELF = ("box", "dropbox", "google-drive", "onedrive", "quickbooks", "shopify", "zoho-books")
"""Whose account it is, these are asked by their own interface."""
DEVICE = {
    "client_id": "device",
    "client_secret": SECRET,
    "redirect_uris": [],
    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_post",
    "response_types": [],
}
_METHODS = {"basic": "client_secret_basic", "post": "client_secret_post", "none": "none"}


def callback(manifest: Manifest) -> str:
    return f"http://127.0.0.1:8112/oauth/callback/{manifest.id}"


def client_of(manifest: Manifest) -> dict[str, Any]:
    """How the operator is registered with it (RFC 7591)."""
    assert manifest.oauth is not None
    method = _METHODS[manifest.oauth.client_auth]
    return {
        "client_id": manifest.id,
        **({} if method == "none" else {"client_secret": SECRET}),
        "redirect_uris": [callback(manifest)],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": method,
    }


def scopes_of(spec: OAuth) -> set[str]:
    """Those that a server must know; where commas part them, these servers take all of them for one."""
    asked = [*spec.scopes, *spec.optional_scopes]
    return {*asked, ",".join(asked)} if spec.scope_separator == "comma" else set(asked)


@pytest.fixture(scope="module", params=["npm", "PyPI"])
def alike(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What a server that knows all these clients and scopes says of itself (RFC 8414)."""
    scopes = {scope for one in MANIFESTS if one.oauth for scope in scopes_of(one.oauth)}
    clients, others = (
        [DEVICE, *(client_of(one) for one in MANIFESTS)],
        sorted(scopes - {"openid", "offline_access"}),
    )
    if request.param == "PyPI":
        with toolkit_server(clients, ["offline_access", *others]) as server:
            yield httpx.get(f"{server.issuer}/.well-known/openid-configuration").json()
        return
    try:
        with oidc_server(clients, scopes=others, always_refresh=True, conform=False) as server:
            yield httpx.get(f"{server.issuer}/.well-known/openid-configuration").json()
    except NoNode as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
async def folder() -> AsyncIterator[str]:
    async with folder_for_tokens([]) as url:
        yield url


def moved(manifest: Manifest, says: dict[str, str], folder: str) -> Manifest:
    """The same manifest, where the server and the files are here: its habits are as they were."""
    assert manifest.oauth is not None
    here: dict[str, Any] = {
        "issuer": None,
        "authorize_url": says["authorization_endpoint"],
        "token_url": says["token_endpoint"],
        "jwks_url": says["jwks_uri"],
        "id_token_issuer": says["issuer"],
        "revoke_url": says.get("revocation_endpoint"),
        # The server here has no page for choosing one of several accounts.
        "authorize_params": {
            name: "consent" if value == "select_account" else value
            for name, value in manifest.oauth.authorize_params.items()
        },
    }
    driver = {
        "kind": "webdav",
        "settings": {"url": folder, "username": manifest.driver.settings.get("username", "")},
        "identity": manifest.driver.identity,
    }
    whole = manifest.wire()
    for step in whole["login"]:
        if "call" in step:
            step["call"]["url"] = f"{folder}{manifest.id}"
    plain = {name: value for name, value in {**whole["oauth"], **here}.items() if value is not None}
    return Manifest.model_validate({**whole, "oauth": plain, "driver": driver})


def test_there_are_ten_of_them_at_least() -> None:
    assert len(MANIFESTS) >= 10


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.id)
async def test_a_login_brings_a_token_that_the_driver_uses_and_that_can_be_renewed(
    manifest: Manifest, alike: dict[str, str], folder: str
) -> None:
    here = moved(manifest, alike, folder)
    assert here.oauth is not None
    secret = None if here.oauth.client_auth == "none" else SECRET
    async with Reach(
        Guard(["127.0.0.0/8"]), clients=Operator({manifest.id: Client(manifest.id, secret)})
    ) as reach:
        asked: Any = machine.begin(here, {}, "en")
        if asked.challenge.kind is ChallengeKind.CREDENTIALS:
            typed = {field.name: TYPED[field.name] for field in asked.challenge.fields}
            asked = await machine.step(here, asked.state, Answer(typed), reach, "en")
        assert isinstance(asked, Asked)
        assert asked.challenge.kind is ChallengeKind.REDIRECT
        there = await registered(here, asked.state["values"], reach)
        address, _, departure = leaving.depart(there, callback(manifest))
        back = leaving.came_back(await agree(f"{address}"))
        fields = {"back": {**back, "realmId": "42"}, "departure": departure.plain()}
        done: Any = await machine.step(here, asked.state, Answer(fields), reach, "en")
        if isinstance(done, Asked) and done.challenge.kind is ChallengeKind.SELECT:
            (companies,) = done.challenge.fields
            assert [one.label for one in companies.choices] == ["One Ltd", "Two Ltd"]
            second = Answer({companies.name: companies.choices[1].value})
            done = await machine.step(here, done.state, second, reach, "en")
            assert done.credentials[companies.name] == "2"

        assert isinstance(done, Authorized), done
        assert manifest.id in ITSELF or done.identity == "jane@firm.example"
        assert done.tokens is not None
        old = tokens.Tokens.of(done.tokens)
        new = await renew(here, {}, old, reach)
    filled = settings(manifest, {**done.credentials, "access_token": new.access_token})
    assert filled["access_token"] == new.access_token != old.access_token
    if manifest.driver.kind != "rest":
        assert filled["username"] == "jane@firm.example"


async def test_a_device_code_is_typed_at_either_server(alike: dict[str, str], folder: str) -> None:
    device_url = alike.get("device_authorization_endpoint") or f"{alike['issuer']}/device-authorization/"
    manifest = Manifest.model_validate(
        {
            "id": "device", "name": "Device", "summary": "Files", "categories": ["storage"],
            "directions": ["export"], "login": [{"device": "oauth"}],
            "oauth": {
                "token_url": alike["token_endpoint"], "device_url": device_url, "client_auth": "post",
                "scopes": ["openid", "email"], "optional_scopes": ["offline_access"],
                "identity": {"url": alike["userinfo_endpoint"], "name": "/email"},
            },
            "driver": {"kind": "webdav", "settings": {"url": folder}, "identity": "{account}"},
        }
    )  # fmt: skip
    async with Reach(Guard(["127.0.0.0/8"]), clients=Operator({"device": Client("device", SECRET)})) as reach:
        asked: Any = machine.begin(manifest, {}, "en")
        begun: Any = await machine.step(manifest, asked.state, Answer({}), reach, "en")
        await agree_to_code(aside(begun.state)["link"], aside(begun.state)["code"])
        done = await machine.step(manifest, begun.state, Answer({}, "poll"), reach, "en")

    assert isinstance(done, Authorized), done
    assert done.identity == "jane@firm.example"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.id)
def test_every_address_is_the_providers_own_and_encrypted(manifest: Manifest) -> None:
    assert manifest.oauth is not None
    assert all(address.startswith("https://") for address in manifest.oauth.addresses)
    assert manifest.driver.settings.get("security", "tls") in ("tls", "starttls")
    assert manifest.source is None or manifest.source.base.startswith("https://")
