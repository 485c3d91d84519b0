"""The first page: every account, problems first; also while nobody can say it anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from console.knowing import Known
from console.looks import Look, look
from console.services import Away, Declined, Json, NotThere, Services
from console.showing import Showing
from console.visits import Visit


@dataclass(frozen=True, slots=True)
class Line:
    """One account in the list."""

    connection: Json
    provider: str
    look: Look
    standing: Json | None


@dataclass(frozen=True, slots=True)
class Listing:
    """`/`, and the logos."""

    services: Services
    showing: Showing
    known: Known

    async def home(self, visit: Visit) -> Response:
        """Every account; what a service that is away would say is left out, and said to be."""
        who, spoken = visit.session, visit.spoken
        found, old = await self.known.every(visit)
        away = ["connections"] if old else []
        live = [one["id"] for one in found if one["status"] in ("active", "attention")]
        try:
            standings = await self.services.standings(who, live)
        except (Away, Declined):
            standings = {}
            away.append("sync-runner")
        names = await self.names(visit, {one["provider_id"] for one in found})
        lines = [
            Line(
                one,
                names.get(one["provider_id"]) or str(one["provider_id"]),
                look(one, standings.get(one["id"]), spoken),
                standings.get(one["id"]),
            )
            for one in found
        ]
        lines.sort(key=lambda line: line.look.rank)
        over = [line for line in lines if line.connection["status"] in ("removed", "rejected")]
        kept = [line for line in lines if line not in over]
        return self.showing.page(visit, "list.html", lines=kept, over=over, away=away, live=bool(live))

    async def names(self, visit: Visit, ids: set[str]) -> dict[str, str]:
        """What providers are called; those that cannot be asked for now are left out."""

        async def named(id_: str) -> tuple[str, str] | None:
            try:
                return id_, (await self.services.provider(visit.session, id_, visit.locale))["name"]
            except (Away, NotThere, Declined):
                return None

        told: Sequence[tuple[str, str] | None] = await asyncio.gather(*map(named, ids))
        return dict(one for one in told if one)

    async def logo(self, visit: Visit) -> Response:
        """A provider's logo, through us: no page of ours asks another host for anything."""
        request: Request = visit.request
        known = request.headers.get("if-none-match")
        found = await self.services.logo(visit.session, request.path_params["provider"], known)
        kept = ("content-type", "etag", "cache-control", "content-security-policy")
        headers = {name: found.headers[name] for name in kept if name in found.headers}
        return Response(found.content, found.status_code, headers)
