"""From the login to the save: the window, what comes back from it, the provider's options."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from console.asking import Asking
from console.doors import see
from console.services import Away, Declined, Json, Services
from console.showing import Showing
from console.visits import Visit
from kit.logs import logger
from schemas.connections import ReauthenticationRequested
from web.forms import Form

log = logger(__name__)
SAVED = ("active", "attention")


@dataclass(frozen=True, slots=True)
class Logins:
    """`/accounts/{id}/login`, `…/window`, `…/return`."""

    services: Services
    asking: Asking
    showing: Showing
    url: str
    """How browsers reach the console."""

    async def login(self, visit: Visit) -> Response:
        """The page behind the login window: says what goes on, and goes on by itself."""
        it = await self._connection(visit)
        path = f"/accounts/{it['id']}"
        if it["status"] == "configuring":
            return RedirectResponse(f"{path}/options", 303)
        if it["status"] in ("rejected", "removed") or (it["status"] in SAVED and it["login"] == "idle"):
            note = "logged_in" if it["status"] == "active" else None
            return see(path, note if "said" not in visit.request.query_params else None)
        return self.showing.page(
            visit,
            "login.html",
            it=it,
            provider=await provider_of(self.services, visit, it),
            challenge=it["challenge"],
            form_action=[self.showing.login_origin],
        )

    async def opening(self, visit: Visit) -> Response:
        """What a window shows until the login's first page is there; after a while, that none comes."""
        late = "late" in visit.request.query_params
        return self.showing.pages.render("opening.html", visit.locale, {"late": late})

    async def window(self, visit: Visit, _: Form) -> Response:
        """To the login window, in whichever browser window the form was sent from."""
        it = await self._connection(visit)
        wanted: Json = {
            "return_url": f"{self.url}/accounts/{it['id']}/return",
            "account_label": visit.account[:120],
            "state": visit.state(it["id"]),
            "locale": visit.locale,
        }
        try:
            made = await self.services.window(visit.session, it["id"], wanted)
        except Declined as declined:
            if declined.reason != "not_yet":
                raise Away("connections") from None
            again = ReauthenticationRequested(connection_id=it["id"], locale=visit.locale)
            await self.asking.ask(visit, again)
            made = await self.services.window(visit.session, it["id"], wanted)
        return RedirectResponse(made["url"], 303)

    async def back(self, visit: Visit) -> Response:
        """What the login window ends at: it counts only in the session that opened it."""
        it = await self._connection(visit)
        query = visit.request.query_params
        result = query.get("result", "failed")
        own = hmac.compare_digest(query.get("state", "").encode(), visit.state(it["id"]).encode())
        if result == "authorized" and not own:
            log.warning("a login came back to another session", connection_id=it["id"])
            result = "failed"
        if result == "authorized" and (proof := query.get("proof")):
            try:
                await self.services.complete(visit.session, it["id"], proof)
            except Declined as declined:
                # Loaded twice: the first time it counted.
                result = "authorized" if declined.reason == "already_answered" else "expired"
        known = result if result in ("authorized", "cancelled", "expired") else "failed"
        return RedirectResponse(f"/accounts/{it['id']}/back?result={known}", 303)

    async def over(self, visit: Visit) -> Response:
        """The login window's last page: it closes itself, or leads on where it cannot."""
        it = await self._connection(visit)
        result = visit.request.query_params.get("result", "failed")
        onwards = f"/accounts/{it['id']}/login" + ("" if result == "authorized" else f"?said={result}")
        return self.showing.page(visit, "back.html", it=it, result=result, onwards=onwards)

    async def again(self, visit: Visit, _: Form) -> Response:
        """Log in again: ask for the login's first question, then show the page behind its window."""
        it = await self._connection(visit)
        asked = ReauthenticationRequested(connection_id=it["id"], locale=visit.locale)
        outcome = await self.asking.ask(visit, asked)
        if outcome.refused is not None:
            return see(f"/accounts/{it['id']}", f"no_{outcome.refused.reason}")
        return see(f"/accounts/{it['id']}/login")

    async def _connection(self, visit: Visit) -> Json:
        return await self.services.connection(visit.session, visit.request.path_params["id"])


async def provider_of(services: Services, visit: Visit, it: Json) -> Json:
    """A connection's provider; its id stands in for its name where the catalogue cannot be asked."""
    try:
        return await services.provider(visit.session, it["provider_id"], visit.locale)
    except (Away, Declined, LookupError):
        return {"id": it["provider_id"], "name": it["name"], "website": None, "docs": None}
