"""What a challenge lets see and hear, for the browser of its window alone. It was checked before."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connections.window.showing import Visit

_SHOWN = frozenset({"image/png", "image/jpeg", "audio/mpeg", "audio/wav", "audio/ogg"})


@dataclass(frozen=True, slots=True)
class Media:
    """Pictures and sounds of open challenges."""

    visit: Callable[[Request], Awaitable[Visit]]

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/window/{window}/picture/{challenge}", self.picture),
            Route("/window/{window}/sound/{challenge}", self.sound),
        )

    async def picture(self, request: Request) -> Response:
        """The picture of the challenge in the address, while it is open."""
        login = (await self.visit(request)).login
        challenge = login.challenge if login else None
        if challenge is None or challenge.challenge_id != request.path_params["challenge"]:
            return Response(status_code=404)
        return _sent(challenge.image.model_dump() if challenge.image else None)

    async def sound(self, request: Request) -> Response:
        """Its sound."""
        login = (await self.visit(request)).login
        return _sent(login.aside.get("audio") if login else None)


def _sent(medium: Mapping[str, str] | None) -> Response:
    if medium is None or medium["media_type"] not in _SHOWN:
        return Response(status_code=404)
    return Response(base64.b64decode(medium["data"]), media_type=medium["media_type"])
