"""A connection's options in forms: the last step before the save, and the settings after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from console import refusing, schedules
from console.adding import coming, interval_values
from console.asking import Asking
from console.doors import see
from console.filling import Filled, as_form, differences, fill, stored, words
from console.onboarding import provider_of
from console.services import Away, Declined, Json, NotThere, Services
from console.showing import Showing
from console.visits import Visit
from schemas.connections import ConnectionChangeRequested, ConnectionOptionsSubmitted
from schemas.envelope import Data
from schemas.fields import Field, FieldError
from schemas.syncs import DueReason, ExportDue, ImportDue
from web.fields import shown
from web.forms import Form, first, whole
from web.languages import _


@dataclass(frozen=True, slots=True)
class Options:
    """`/accounts/{id}/options` and `/accounts/{id}/settings`."""

    services: Services
    asking: Asking
    showing: Showing

    async def choose(self, visit: Visit) -> Response:
        """The options before the save; a connection that is not there yet leads back to its login."""
        it = await self._connection(visit)
        if it["status"] != "configuring":
            return RedirectResponse(_place_of(it), 303)
        return await self._form(visit, it, "options.html", await self._fields(visit, it), {}, stored(it))

    async def save(self, visit: Visit, form: Form) -> Response:
        """Submit them. A second click finds the connection saved, and changes nothing."""
        it = await self._connection(visit)
        if it["status"] != "configuring":
            return RedirectResponse(_place_of(it), 303)
        fields = await self._fields(visit, it)
        filled = fill(fields, form, visit.spoken)
        if filled.errors:
            return await self._again(visit, it, "options.html", fields, filled, form)
        wanted = ConnectionOptionsSubmitted(
            connection_id=it["id"],
            options=filled.options,
            schedule=filled.schedule,
            filters=filled.filters,
            start=filled.start,
            name=filled.name or None,
        )
        outcome = await self.asking.ask(visit, wanted)
        if outcome.refused is not None:
            errors = tuple(refusing.errors(outcome.refused, visit.spoken))
            return await self._again(visit, it, "options.html", fields, replace(filled, errors=errors), form)
        if outcome.done is None:
            return see("/", "later")
        if first(form, "export_now"):
            await self.asking.say(visit, due(it, self.asking.now()))
            return see("/", "saved_now")
        return see("/", "saved_manual" if filled.schedule and filled.schedule.manual else "saved")

    async def settings(self, visit: Visit) -> Response:
        """What can be changed later."""
        it = await self._connection(visit)
        if it["status"] not in ("active", "attention"):
            return RedirectResponse(_place_of(it), 303)
        return await self._form(visit, it, "settings.html", await self._fields(visit, it), {}, stored(it))

    async def change(self, visit: Visit, form: Form) -> Response:
        """Change it, unless somebody else did since this form was shown: then it says what is different."""
        it = await self._connection(visit)
        fields = await self._fields(visit, it)
        filled = fill(fields, form, visit.spoken)
        if filled.errors:
            return await self._again(visit, it, "settings.html", fields, filled, form)
        wanted = ConnectionChangeRequested(
            connection_id=it["id"],
            expected_revision=whole(first(form, "expected_revision")) or 1,
            options=filled.options,
            schedule=filled.schedule,
            filters=filled.filters,
            name=filled.name or None,
        )
        outcome = await self.asking.ask(visit, wanted)
        if outcome.refused is not None:
            errors = tuple(refusing.errors(outcome.refused, visit.spoken))
            now = await self._connection(visit)
            conflict = outcome.refused.reason == "revision_conflict"
            differing = differences(now, filled, fields, visit.spoken) if conflict else []
            told = replace(filled, errors=errors)
            return await self._again(visit, now, "settings.html", fields, told, form, differing)
        return see(f"/accounts/{it['id']}", "changed" if outcome.done else "later")

    async def preview(self, visit: Visit) -> Response:
        """What the form as it is filled in would do, as a part of its page."""
        it = await self._connection(visit)
        query = visit.request.query_params
        form = {name: query.getlist(name) for name in query}
        told = await self._preview(visit, it, form)
        return self.showing.page(visit, "preview.html", it=it, preview=told)

    async def interval(self, visit: Visit) -> Response:
        """An interval in words, with its next two times, as a part of its page."""
        query = visit.request.query_params
        values = schedules.of_form({name: query.getlist(name) for name in query})
        told = await coming(self.services, visit, values)
        return self.showing.page(visit, "coming.html", coming=told)

    async def choices(self, visit: Visit) -> Response:
        """What can be chosen for an option, asked of the provider now, for a script of ours."""
        request = visit.request
        query = request.query_params
        id_, option = request.path_params["id"], request.path_params["option"]
        parent = query.get("parent") or None
        try:
            items = await self.services.choices(visit.session, id_, option, query.get("query", ""), parent)
        except Declined as declined:
            return JSONResponse({"items": [], "message": declined.message}, declined.status)
        except Away:
            told = visit.spoken.said(_("The provider cannot be asked right now. You can type the value."))
            return JSONResponse({"items": [], "message": told}, 503)
        return JSONResponse({"items": items})

    async def _form(  # noqa: PLR0913, PLR0917 - one page, whole
        self,
        visit: Visit,
        it: Json,
        template: str,
        fields: Sequence[Field],
        options: Json,
        values: Json,
        errors: Sequence[FieldError] = (),
        differing: Sequence[tuple[str, str]] = (),
    ) -> Response:
        wrong = {error.field: error.message for error in reversed(errors)}
        known = {field.name for field in fields} | set(values) | set(values["interval"])
        return self.showing.page(
            visit,
            template,
            status=422 if errors else 200,
            it=it,
            old=False,
            path=f"/accounts/{it['id']}",
            provider=await provider_of(self.services, visit, it),
            fields=shown(fields, options, errors),
            values=values,
            interval=interval_values(values["interval"], visit, errors),
            coming=await coming(self.services, visit, values["interval"]),
            preview=await self._preview(visit, it, as_form(fields, options, values)),
            wrong=wrong,
            trouble=[message for name, message in wrong.items() if name not in known],
            differing=differing,
        )

    async def _again(  # noqa: PLR0913, PLR0917 - the form as it was sent, with what is wrong with it
        self,
        visit: Visit,
        it: Json,
        template: str,
        fields: Sequence[Field],
        filled: Filled,
        form: Form,
        differing: Sequence[tuple[str, str]] = (),
    ) -> Response:
        values = {
            "name": filled.name,
            "start": first(form, "start") or "now",
            "start_day": first(form, "start_day"),
            "export_now": bool(first(form, "export_now")),
            "filters": {
                name: first(form, name) for name in ("document_types", "tags", "issued_from", "approved_only")
            },
            "interval": schedules.of_form(form),
        }
        return await self._form(visit, it, template, fields, filled.options, values, filled.errors, differing)

    async def _preview(self, visit: Visit, it: Json, form: Form) -> Json | None:
        """What would happen; None for imports, and where it cannot be said now."""
        if it["direction"] != "export":
            return None
        start = first(form, "start") or "now"
        asked: Json = {
            "start": first(form, "start_day") if start == "day" else start,
            "folder": first(form, "folder") or "/",
            "filename": first(form, "filename") or "{filename}",
        }
        asked |= {name: words(first(form, name)) for name in ("document_types", "tags")}
        asked |= {"issued_from": first(form, "issued_from")} if first(form, "issued_from") else {}
        asked |= {"approved_only": "true"} if first(form, "approved_only") else {}
        try:
            everything = await self.services.preview(visit.session, asked | {"start": "all"})
            told = everything
            if asked["start"] != "all":
                told = await self.services.preview(visit.session, asked)
        except (Away, NotThere):
            return {"away": True, "trouble": None}
        except Declined as declined:
            return {"away": False, "trouble": declined.message}
        return {**everything, "chosen": told["waiting"], "start": start, "trouble": None, "away": False}

    async def _connection(self, visit: Visit) -> Json:
        return await self.services.connection(visit.session, visit.request.path_params["id"])

    async def _fields(self, visit: Visit, it: Json) -> list[Field]:
        found = await self.services.option_fields(visit.session, it["id"])
        return [Field.model_validate(one) for one in found]


def due(it: Json, now: datetime, **more: Any) -> Data:
    """A due of this very moment, for this direction."""
    kind = ExportDue if it["direction"] == "export" else ImportDue
    return kind(connection_id=it["id"], due_at=now.astimezone(UTC), reason=DueReason.MANUAL, **more)


def _place_of(it: Json) -> str:
    """Where a connection's next step is."""
    path = f"/accounts/{it['id']}"
    return {"connecting": f"{path}/login", "configuring": f"{path}/options"}.get(it["status"], path)
