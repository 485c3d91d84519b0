"""Walking a login at `oidc-provider` as a browser would, and a folder that a token opens. No assertions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import uvicorn
from selectolax.lexbor import LexborHTMLParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from providers.login.oauth.client import Client

CALLBACK = "http://127.0.0.1:8112/oauth/callback/acme"
LISTING = """<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response><d:href>/dav/</d:href>
<d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"""

COMPANIES: dict[str, Any] = {
    "xero": [{"tenantId": "1", "tenantName": "One Ltd"}, {"tenantId": "2", "tenantName": "Two Ltd"}],
    "zoho-books": {
        "organizations": [
            {"organization_id": "1", "name": "One Ltd"},
            {"organization_id": "2", "name": "Two Ltd"},
        ]
    },
}
"""What a customer of these providers may choose from, as they answer."""


@dataclass
class Operator:
    """What an operator has set up."""

    known: dict[str, Client] = field(default_factory=dict)

    async def of(self, provider_id: str) -> Client | None:
        return self.known.get(provider_id)


async def agree(address: str, *, says: str = "yes", user: str = "jane") -> dict[str, str]:
    """As `walk`; what is sent back to the redirect address."""
    return dict(parse_qsl(urlsplit(await walk(address, says=says, user=user)).query))


async def walk(address: str, *, says: str = "yes", user: str = "jane") -> str:
    """Log in and consent at the server that `address` is of; where it sends the browser then.

    `says`: `yes`, or `no` at the consent page.
    """
    async with httpx.AsyncClient(follow_redirects=False) as browser:
        page = await browser.get(address)
        for _ in range(20):
            if page.is_redirect:
                to = urljoin(str(page.url), page.headers["location"])
                if urlsplit(to).port == 8112:
                    return to
                page = await browser.get(to)
                continue
            if says == "no" and "consent" in page.text and 'name="prompt" value="consent"' in page.text:
                abort = re.search(r'href="([^"]*/abort)"', page.text)
                page = await browser.get(urljoin(str(page.url), abort[1] if abort else ""))
                continue
            page = await _submit(browser, page, user)
    raise AssertionError("the login at the server goes in a circle")


async def agree_to_code(link: str, user_code: str, user: str = "jane") -> None:
    """Type a device code, log in, and consent."""
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(link)
        for _ in range(10):
            if "Sign-in Success" in page.text or "signed in" in page.text.lower() or "<form" not in page.text:
                return
            page = await _submit(browser, page, user, user_code)


async def _submit(
    browser: httpx.AsyncClient, page: httpx.Response, user: str, user_code: str = ""
) -> httpx.Response:
    form = LexborHTMLParser(page.text).css_first("form[method=post]")
    if form is None:
        raise AssertionError(f"no form on {page.url.path}: {page.status_code}")
    named = reversed(form.css("input[name], button[name]"))  # of buttons with one name the first one counts
    fields = {str(one.attributes["name"]): one.attributes.get("value") or "" for one in named}
    mine = {"login": user, "username": user, "password": "x", "user_code": user_code}
    fields |= {name: value for name, value in mine.items() if name in fields and value}
    return await browser.post(urljoin(str(page.url), form.attributes.get("action") or ""), data=fields)


@asynccontextmanager
async def folder_for_tokens(tokens: list[str]) -> AsyncIterator[str]:
    """The address of a WebDAV folder; every bearer token that it is shown goes into `tokens`."""

    async def answer(request: Request) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind not in ("Bearer", "Zoho-oauthtoken") or not token:
            return Response(status_code=401)
        if (companies := COMPANIES.get(request.url.path.removeprefix("/dav/"))) is not None:
            return JSONResponse(companies)
        tokens.append(token)
        return Response(LISTING, 207, media_type="application/xml")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["PROPFIND", "GET"])])
    async with serving(app) as at:
        yield f"{at}/dav/"


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The address of an app on loopback. Without uvicorn's own loop, which takes its time to end."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.shutdown()
