"""Suggest a provider that is missing: the words of the search are filled in already."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from console.doors import see
from console.services import Declined, NotThere, Services
from console.showing import Showing
from console.visits import Visit
from schemas.fields import FieldError
from web.forms import Form, first
from web.languages import _

FIELDS = ("name", "url", "direction", "note", "contact")


@dataclass(frozen=True, slots=True)
class Suggesting:
    """`/suggest`."""

    services: Services
    showing: Showing

    async def form(self, visit: Visit) -> Response:
        """The form, filled in with what was searched for."""
        query = visit.request.query_params
        values = {name: query.get(name, "")[:500] for name in FIELDS}
        return self._form(visit, values)

    async def suggest(self, visit: Visit, form: Form) -> Response:
        """Thanks, and what happens next; or that it is there already."""
        values = {name: first(form, name).strip() for name in FIELDS}
        wanted = {name: value for name, value in values.items() if value}
        wanted["direction"] = "export" if values["direction"] == "export" else "import"
        wanted.setdefault("url", "")
        if not values["name"]:
            said = visit.spoken.said(_("Say what it is called."))
            return self._form(visit, values, (FieldError(field="name", code="missing", message=said),))
        try:
            taken = await self.services.suggest(visit.session, wanted)
        except Declined as declined:
            said = declined.message or visit.spoken.said(_("This cannot be taken as it is."))
            return self._form(
                visit, values, declined.errors or (FieldError(field="", code="invalid", message=said),)
            )
        known = f"&provider={taken['provider_id']}" if taken.get("provider_id") else ""
        return see(f"/suggested?status={taken['status']}&direction={wanted['direction']}{known}")

    async def suggested(self, visit: Visit) -> Response:
        """What became of it."""
        query = visit.request.query_params
        provider = None
        if query.get("provider"):
            try:
                provider = await self.services.provider(visit.session, query["provider"], visit.locale)
            except NotThere:
                provider = None
        direction = "export" if query.get("direction") == "export" else "import"
        fits = provider is not None and direction in provider["directions"]
        return self.showing.page(visit, "suggested.html", provider=provider, direction=direction, known=fits)

    def _form(
        self, visit: Visit, values: dict[str, str], errors: tuple[FieldError, ...] | list[FieldError] = ()
    ) -> Response:
        wrong = {error.field: error.message for error in errors}
        return self.showing.page(
            visit, "suggest.html", status=422 if errors else 200, values=values, wrong=wrong
        )
