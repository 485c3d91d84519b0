"""What a window lets see and hear beside its words: a provider's logo, a challenge's picture and sound.

For the browsers of windows alone. All of it was checked before.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connections.logos import Ask
from connections.window.onboarding import Login
from connections.window.showing import Visit
from connections.window.windows import login_of
from web.security import A_DRAWING

_SHOWN = frozenset({"image/png", "image/jpeg", "audio/mpeg", "audio/wav", "audio/ogg"})


@dataclass(frozen=True, slots=True)
class Media:
    """Logos, and pictures and sounds of open challenges."""

    visit: Callable[[Request], Awaitable[Visit]]
    arriving: Callable[[Request], Awaitable[Visit]]
    logos: Ask | None = None

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/w/{ticket}/logo", self.logo_of_address),
            Route("/window/{window}/logo", self.logo),
            Route("/window/{window}/picture/{challenge}", self.picture),
            Route("/window/{window}/sound/{challenge}", self.sound),
        )

    async def logo_of_address(self, request: Request) -> Response:
        """The logo of the provider that an address leads to."""
        return await self._logo(await self.arriving(request))

    async def logo(self, request: Request) -> Response:
        """The logo of a window's provider."""
        return await self._logo(await self.visit(request))

    async def _logo(self, visit: Visit) -> Response:
        found = await self.logos(visit.seen.provider_id) if self.logos else None
        if found is None:
            return Response(status_code=404)
        return Response(found.data, media_type=found.media_type, headers=A_DRAWING)

    async def picture(self, request: Request) -> Response:
        """The picture of the challenge in the address, while it is open."""
        login = await self._open(request)
        image = login.challenge.image if login and login.challenge else None
        return _sent(image.model_dump() if image else None)

    async def sound(self, request: Request) -> Response:
        """Its sound."""
        login = await self._open(request)
        return _sent(login.aside.get("audio") if login else None)

    async def _open(self, request: Request) -> Login | None:
        """The login of this very window, while the challenge in the address is open."""
        visit = await self.visit(request)
        login = login_of(visit.window, visit.seen)
        challenge = login.challenge if login else None
        asked = challenge.challenge_id if challenge else None
        return login if asked == request.path_params["challenge"] else None


def _sent(medium: Mapping[str, str] | None) -> Response:
    if medium is None or medium["media_type"] not in _SHOWN:
        return Response(status_code=404)
    return Response(base64.b64decode(medium["data"]), media_type=medium["media_type"])
