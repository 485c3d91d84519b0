"""One account's page: how it stands, its documents, its runs, its history. It only looks."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import history, schedules
from console.knowing import Known
from console.looks import DUE, OPEN, ROWS, RUNS, chip, look, of_document
from console.onboarding import provider_of
from console.services import Away, Declined, Json, NotThere, Services
from console.showing import Showing
from console.visits import Visit
from schemas.schedules import Schedule

A_PAGE = 50
A_CSV_PAGE = 200
SEARCHES = 2.0
"""Seconds that a page looks for words in a long ledger; the next page goes on from there."""
COLUMNS = (
    "document_id", "external_id", "version", "filename", "status", "reason", "message", "target", "size",
    "sha256", "attempts", "updated_at", "run_id",
)  # fmt: skip
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


@dataclass(frozen=True, slots=True)
class Account:
    """`/accounts/{id}…`."""

    services: Services
    showing: Showing
    known: Known

    async def overview(self, visit: Visit) -> Response:
        """How it stands. One whose onboarding is unfinished is taken up where it was left."""
        it, old = await self.known.one(visit)
        if it["status"] in ("connecting", "configuring") and not old:
            step = "login" if it["status"] == "connecting" else "options"
            return RedirectResponse(f"/accounts/{it['id']}/{step}", 303)
        runs = await self._runs(visit, it)
        return await self._page(visit, it, "overview.html", old=old, runs=None if runs is None else runs[:3])

    async def documents(self, visit: Visit) -> Response:
        """The ledger: filtered, searched, page by page."""
        it, old = await self.known.one(visit)
        query = visit.request.query_params
        asked = _asked(visit)
        try:
            found = await self._found(visit, it["id"], asked)
        except Away:
            found = None
        except NotThere:  # never saved, so nothing ever moved
            found = {"items": [], "next": None}
        items = found["items"] if found else ()
        rows = [(row, of_document(row["status"], it, visit.spoken)) for row in items]
        return await self._page(
            visit,
            it,
            "documents.html",
            old=old,
            rows=rows,
            next=found["next"] if found else None,
            away=found is None,
            statuses={name: visit.spoken.said(text) for name, (_tone, _icon, text) in ROWS.items()},
            chosen=query.get("status", ""),
            words=query.get("query", ""),
            further=bool(query.get("cursor")),
        )

    async def csv(self, visit: Visit) -> Response:
        """The whole ledger, as it is filtered, as a file for spreadsheets."""
        it, _old = await self.known.one(visit)
        asked = {name: value for name, value in _asked(visit).items() if name != "cursor"}
        first = await self.services.documents(visit.session, it["id"], **asked, limit=A_CSV_PAGE)
        headers = {"Content-Disposition": f'attachment; filename="documents-{it["id"][:8]}.csv"'}
        rows = self._rows(visit, it["id"], asked, first)
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)

    async def runs(self, visit: Visit) -> Response:
        """Its last runs, with those that wait or are under way."""
        it, old = await self.known.one(visit)
        return await self._page(visit, it, "runs.html", old=old, runs=await self._runs(visit, it))

    async def history(self, visit: Visit) -> Response:
        """What happened to it, in words."""
        it, old = await self.known.one(visit)
        cursor = visit.request.query_params.get("cursor")
        try:
            found = await self.services.timeline(visit.session, it["id"], cursor)
        except Away:
            return await self._page(visit, it, "history.html", old=old, entries=None)
        entries = [history.entry(one, visit.spoken) for one in found["items"]]
        return await self._page(visit, it, "history.html", old=old, entries=entries, next=found["next"])

    async def removal(self, visit: Visit) -> Response:
        """What removing it does, before it is done."""
        it = await self.services.connection(visit.session, visit.request.path_params["id"])
        return await self._page(visit, it, "remove.html")

    async def _page(
        self, visit: Visit, it: Json, template: str, *, old: bool = False, **values: Any
    ) -> Response:
        """A page of the account, under its head; one that is as it was known last (`old`) only looks."""
        provider, standing = await asyncio.gather(
            provider_of(self.services, visit, it), self._standing(visit, it)
        )
        schedule = Schedule.model_validate(it["schedule"]) if it.get("schedule") else None
        return self.showing.page(
            visit,
            template,
            it=it,
            old=old,
            may_change=visit.may_change and not old,
            path=f"/accounts/{it['id']}",
            provider=provider,
            standing=standing,
            look=look(it, standing, visit.spoken),
            interval=schedules.in_words(schedule, visit.spoken) if schedule else None,
            running=bool(standing and standing["run"]),
            **values,
        )

    async def _standing(self, visit: Visit, it: Json) -> Json | None:
        try:
            return await self.services.standing(visit.session, it["id"])
        except (Away, Declined):
            return None

    async def _runs(self, visit: Visit, it: Json) -> list[Json] | None:
        """The last runs; None where they cannot be asked for now."""
        try:
            found = await self.services.runs(visit.session, it["id"])
        except Away:
            return None
        except NotThere:
            return []
        spoken = visit.spoken
        return [
            run | {"look": chip(RUNS, run["status"], spoken), "why": spoken.said(DUE.get(run["reason"], ""))}
            for run in found
        ]

    async def _found(self, visit: Visit, id_: str, asked: Json) -> Json:
        """A page of the ledger. One request looks for words in some thousand rows: it goes on a while."""
        clock = asyncio.get_running_loop().time
        until = clock() + SEARCHES
        items: list[Json] = []
        while True:
            found = await self.services.documents(visit.session, id_, **asked, limit=A_PAGE - len(items))
            items += found["items"]
            if "query" not in asked or len(items) >= A_PAGE or found["next"] is None or clock() > until:
                return {"items": items, "next": found["next"]}
            asked = asked | {"cursor": found["next"]}

    async def _rows(self, visit: Visit, id_: str, asked: Json, page: Json) -> AsyncIterator[str]:
        yield "\ufeff" + _line(COLUMNS)
        while True:
            for row in page["items"]:
                yield _line([_cell(row.get(name)) for name in COLUMNS])
            if page["next"] is None:
                return
            page = await self.services.documents(
                visit.session, id_, **asked, cursor=page["next"], limit=A_CSV_PAGE
            )


def _asked(visit: Visit) -> Json:
    """What is asked of the ledger: the filter, the words, the place."""
    query = visit.request.query_params
    asked = {name: query[name] for name in ("query", "cursor") if query.get(name)}
    status = query.get("status", "")
    if status == "open":
        return asked | {"status": list(OPEN)}
    return asked | ({"status": status} if status in ROWS else {})


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
