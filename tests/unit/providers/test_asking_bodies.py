"""Interfaces of the catalogue that ask with bodies: what is sent is what their documentation shows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from providers.egress import Guard
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import open_source
from schemas.manifest import Manifest

SEEN: list[tuple[str, str | None, bytes]] = []
FILES = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
FIRST = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "c1"}}


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    SEEN.append((request.path, request.headers.get("Content-Type"), body))
    return web.json_response(
        {
            "/users/get_current_account": {"email": "jane@firm.example"},
            "/files/list_folder": {"entries": [], "cursor": "c1", "has_more": True},
            "/files/list_folder/continue": {"entries": [], "cursor": "c2", "has_more": False},
            "/graphql.json": {
                "data": {
                    "shop": {"myshopifyDomain": "acme.myshopify.com"},
                    "files": FILES if b"c1" in body else FIRST,
                }
            },
        }[request.path]
    )


@pytest.fixture
async def url() -> AsyncIterator[str]:
    SEEN.clear()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


async def asked(provider: str, url: str) -> tuple[str, list[tuple[str, str | None, bytes]]]:
    """Whose account it is, and what was sent to list it whole."""
    whole = load(CATALOGUE / provider).wire()
    here = Manifest.model_validate({**whole, "source": {**whole["source"], "base": url}})
    given: dict[str, Any] = {"access_token": "t", "shop": "acme"}
    async with Reach(Guard(["127.0.0.0/8"])) as reach, open_source(here, given, {}, reach) as source:
        await source.check()
        identity = await source.identity()
        cursor = None
        while True:
            page = await source.page(cursor, None)
            cursor = page.cursor
            if page.last:
                return identity, SEEN


async def test_dropbox_is_asked_without_a_body_for_the_account_and_with_its_cursor_for_more(url: str) -> None:
    identity, seen = await asked("dropbox", url)

    assert identity == "jane@firm.example"
    assert seen[0] == ("/users/get_current_account", None, b"")
    assert json.loads(seen[-2][2]) == {"path": "", "recursive": True, "limit": 1000}
    assert (seen[-1][0], json.loads(seen[-1][2])) == ("/files/list_folder/continue", {"cursor": "c1"})


async def test_shopify_is_asked_in_its_language_with_the_braces_that_are_meant(url: str) -> None:
    identity, seen = await asked("shopify", url)

    assert identity == "acme.myshopify.com"
    assert json.loads(seen[0][2]) == {"query": "{ shop { myshopifyDomain } }"}
    assert json.loads(seen[-1][2])["variables"] == {"after": "c1"}
    assert json.loads(seen[-1][2])["query"].startswith(
        "query($after: String) { files(first: 100, after: $after"
    )
