"""A JSON interface on loopback whose answers a test makes up, and the driver `rest` reading them."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from providers.egress import Guard
from providers.reach import Reach
from providers.sources import Source, open_source
from schemas.manifest import Manifest

SECRET = "s3cr3t-c4n4ry"
Handler = Callable[[web.Request], Any]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        said = handler(request)
        if inspect.isawaitable(said):
            said = await said
        if isinstance(said, web.StreamResponse):
            return said
        return (
            web.Response(body=said, content_type="application/pdf")
            if isinstance(said, bytes)
            else web.json_response(said)
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


REST = {
    "id": "rest-test",
    "name": "Rest",
    "summary": "Under test.",
    "categories": ["other"],
    "directions": ["import"],
    "login": [{"ask": "credentials", "fields": [{"name": "key", "label": "Key", "secret": True}]}],
    "driver": {"kind": "rest"},
}


def manifest(origin: str, **listing: Any) -> Manifest:
    usual = {
        "call": {"path": "/list"},
        "items": "/items",
        "file": {"by": "direct", "call": {"path": "/file/{id}"}},
    }
    source = {"base": origin, "headers": {"X-Key": "{key}"}, "check": {"path": "/me"}, "error": "/error"}
    return Manifest.model_validate(REST | {"source": source | {"lists": [usual | listing]}})


@asynccontextmanager
async def rest(handler: Handler, **listing: Any) -> AsyncIterator[tuple[Source, str]]:
    async with (
        serving(handler) as origin,
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_source(manifest(origin, **listing), {"key": SECRET}, {}, reach) as source,
    ):
        yield source, origin
