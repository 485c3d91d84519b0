"""A provider whose customers log in at its own page: `oidc-provider`, and a folder that its tokens open."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import yaml

from providers.logos import monogram
from tests.console.stage import Stage
from tests.oauth.walking import folder_for_tokens
from tests.peers.oidc_server import NoNode, oidc_server

PROVIDER = "acme-files"
SECRET = "canary-the-operators-secret"


@asynccontextmanager
async def acme(stage: Stage) -> AsyncIterator[list[str]]:
    """Acme in the catalogue, its client set up by the operator; the tokens that its folder was shown."""
    client = {
        "client_id": "paperbus",
        "client_secret": SECRET,
        "redirect_uris": [f"http://{stage.services.address}:8112/oauth/callback/{PROVIDER}"],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    tokens: list[str] = []
    try:
        with oidc_server([client], scopes=["files"]) as authority:
            async with folder_for_tokens(tokens) as url:
                await asyncio.to_thread(_offered, stage, authority.issuer, url)
                yield tokens
    except NoNode as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def _offered(stage: Stage, issuer: str, url: str) -> None:
    manifest = {
        "id": PROVIDER, "name": "Acme", "summary": "Files", "categories": ["storage"],
        "directions": ["export"], "login": [{"redirect": "oauth"}],
        "oauth": {
            "issuer": issuer, "scopes": ["openid", "email", "files"], "optional_scopes": ["offline_access"],
            "authorize_params": {"prompt": "consent"},
        },
        "driver": {"kind": "webdav", "settings": {"url": url}, "identity": "{account}"},
    }  # fmt: skip
    (folder := stage.providers / PROVIDER).mkdir(exist_ok=True)
    (folder / "logo.svg").write_text(monogram("Acme"))
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    stage.published(PROVIDER)
    done = stage.services.command("admin", "clients", "set", PROVIDER, stdin=f"paperbus\n{SECRET}\n")
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 60
    while not stage.outsider.get(f"{stage.services.url('catalog')}/v1/providers/{PROVIDER}").json()[
        "available"
    ]:
        assert time.monotonic() < deadline, "the catalog does not hear that the client is there"
        time.sleep(0.1)
