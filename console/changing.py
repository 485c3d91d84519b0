"""What an admin does to an account: each is one event. What comes of it the pages show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from console.asking import Asking
from console.doors import see
from console.options import due
from console.services import Json, Services
from console.visits import Visit
from schemas.connections import (
    ConnectionPauseRequested,
    ConnectionRemovalRequested,
    ConnectionResumeRequested,
)
from schemas.envelope import Data
from web.forms import Form, first

MOST_IDS = 500


@dataclass(frozen=True, slots=True)
class Changing:
    """The buttons of an account's page."""

    services: Services
    asking: Asking

    async def run(self, visit: Visit, _: Form) -> Response:
        """A run, now."""
        return await self._due(visit, "run")

    async def retry(self, visit: Visit, form: Form) -> Response:
        """Documents again: those that are named, else all that were refused."""
        it = await self._connection(visit)
        if it["paused"]:
            return see(f"/accounts/{it['id']}/documents", "no_paused")
        ids = [one for one in form.get("document_id", []) if one][:MOST_IDS]
        more: dict[str, Any] = {"document_ids": ids} if ids else {"statuses": ["rejected"]}
        if first(form, "again"):
            more["again"] = True
        await self.asking.say(visit, due(it, self.asking.now(), **more))
        return see(f"/accounts/{it['id']}/documents", "retried")

    async def pause(self, visit: Visit, _: Form) -> Response:
        """Let nothing move until it is resumed."""
        return await self._change(visit, ConnectionPauseRequested, "paused")

    async def resume(self, visit: Visit, _: Form) -> Response:
        """Let documents move again."""
        return await self._change(visit, ConnectionResumeRequested, "resumed")

    async def remove(self, visit: Visit, _: Form) -> Response:
        """End it. What was delivered stays."""
        it = await self._connection(visit)
        outcome = await self.asking.ask(visit, ConnectionRemovalRequested(connection_id=it["id"]))
        if outcome.refused is not None:
            return see(f"/accounts/{it['id']}", f"no_{outcome.refused.reason}")
        return see("/", "removed" if outcome.done else "later")

    async def _due(self, visit: Visit, said: str) -> Response:
        it = await self._connection(visit)
        if it["paused"]:
            return see(f"/accounts/{it['id']}", "no_paused")
        await self.asking.say(visit, due(it, self.asking.now()))
        return see(f"/accounts/{it['id']}", said)

    async def _change(self, visit: Visit, kind: type[Data], said: str) -> Response:
        it = await self._connection(visit)
        outcome = await self.asking.ask(visit, kind(connection_id=it["id"]))
        if outcome.refused is not None:
            said = f"no_{outcome.refused.reason}"
        return see(f"/accounts/{it['id']}", said if outcome.done or outcome.refused else "later")

    async def _connection(self, visit: Visit) -> Json:
        """The connection, where it exists for this account: nothing is asked about another's."""
        return await self.services.connection(visit.session, visit.request.path_params["id"])
