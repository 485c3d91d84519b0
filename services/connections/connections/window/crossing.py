"""The window's way to a provider's page and back, over HTTP. It decides nothing.

One redirect address for each provider (RFC 9700 §4.4.2.1); what came back is in no address that is shown: the
browser is sent on by 303.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connections.window.showing import Visit
from connections.window.windows import digest
from web.security import Cookie

if TYPE_CHECKING:
    from connections.handlers.leaving import Leaving


@dataclass(frozen=True, slots=True)
class Crossing:
    """Answers browsers that go to a provider or come from one."""

    leaving: Leaving
    cookie: Cookie
    visit: Callable[[Request], Awaitable[Visit]]
    """The bound window in the address, for the browser that it is bound to alone."""
    stranger: Callable[[], Exception]
    """What is said to a browser that did not leave."""

    async def go(self, request: Request) -> Response:
        """The link of a window that sends the browser to the provider."""
        visit = await self.visit(request)
        address = await self.leaving.leave(visit.window.connection, visit.window.id, digest(visit.browser))
        return RedirectResponse(address or visit.path, 303)

    async def back(self, request: Request) -> Response:
        """The redirect address of one provider."""
        browser = self.cookie.read(request.cookies)
        if browser is None:
            raise self.stranger()
        query = dict(request.query_params)
        window = await self.leaving.back(request.path_params["provider"], query, digest(browser))
        if window is None:
            raise self.stranger()
        return RedirectResponse(f"/window/{window}", 303)

    def routes(self) -> list[Route]:
        return [
            Route("/window/{window}/go", self.go),
            Route("/oauth/callback/{provider}", self.back),
        ]
