"""HTTP in, for who shows connections to people: how each stands, what a choice would take, when it comes due.

It reads; it decides nothing and promises nothing: what a preview says may be otherwise a moment later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field as Member, ValidationError

from kit.aggregates import Aggregates
from kit.http import Caller, Page, Problem, not_found
from schemas.base import rfc3339
from schemas.documents import Metadata
from schemas.fields import FieldError
from schemas.filters import Filters, Start, Word
from schemas.patterns import Facts, WrongPattern
from schemas.reasons import Reason, RowStatus, RunStatus
from schemas.schedules import Schedule
from schemas.wording import wording
from sync_runner.handlers.overview import MOST_COUNTED, Overview
from sync_runner.lifecycle.matching import Document, matches, since
from sync_runner.lifecycle.sync import Run, Standing, State, Sync
from sync_runner.lifecycle.times import upcoming
from sync_runner.names import preview

MOST_ASKED = 200
"""Connections that one request may ask about."""
MOST_LOOKED = 5000
"""Documents that one preview looks at, newest first."""
PATHS = 5


class Choice(BaseModel):
    """What a customer is about to choose; left out is everything, into the root, under its own name."""

    folder: Annotated[str, Member(max_length=2000)] = "/"
    filename: Annotated[str, Member(max_length=2000)] = "{filename}"
    start: Start = "all"
    document_types: Annotated[list[Word], Member(max_length=50)] = []
    tags: Annotated[list[Word], Member(max_length=50)] = []
    issued_from: date | None = None
    approved_only: bool = False

    @property
    def filters(self) -> Filters:
        """As the contract's filters."""
        return Filters(
            document_types=tuple(self.document_types) or None,
            tags=tuple(self.tags) or None,
            issued_from=self.issued_from,
            approved_only=self.approved_only,
        )


class Preview(BaseModel):
    """How many documents wait for this choice (`more`: at least so many), and where the newest would go."""

    waiting: int
    more: bool
    paths: list[str]


@dataclass(frozen=True, slots=True)
class Looking:
    """What the interface reads from."""

    syncs: Aggregates[Sync]
    overview: Overview
    now: Callable[[], datetime]

    async def one(self, sync: Sync) -> dict[str, Any]:
        """How one connection stands."""
        counts = await self.overview.standing(sync.account, sync.id)
        if counts[RowStatus.DONE] == MOST_COUNTED:
            counts[RowStatus.DONE] = max(sync.counts.done, MOST_COUNTED)
        return {
            "id": sync.id,
            "next": self._next(sync),
            "run": _under_way(sync),
            "last": _last(sync),
            "counts": counts,
            "most_counted": MOST_COUNTED,
        }

    def _next(self, sync: Sync) -> list[str]:
        if sync.standing is not Standing.ACTIVE or sync.anchor is None:
            return []
        return [rfc3339(at) for at in upcoming(sync.schedule, sync.anchor, self.now())]

    async def preview(self, account: str, choice: Choice) -> Preview:
        """Judge the account's newest documents by the choice.

        Raises:
            Problem: 422, a pattern that cannot be used.
        """
        start, filters = since(choice.start, self.now()), choice.filters
        waiting = looked = 0
        newest: list[Facts] = []
        async for document in self.overview.newest(account, start):
            looked += 1
            about = Metadata.model_validate(document["metadata"])
            judged = Document(document["received_at"], about, document.get("withdrawn", False))
            if matches(filters, start, judged):
                waiting += 1
                if len(newest) < PATHS:
                    newest.append(Facts(document["document"], document["filename"], about))
            if looked == MOST_LOOKED:
                break
        return Preview(
            waiting=waiting, more=looked == MOST_LOOKED, paths=_paths(choice.folder, choice.filename, newest)
        )


def routes(looking: Looking) -> APIRouter:
    """The paths."""
    router = APIRouter(prefix="/v1", tags=["overview"])

    @router.get("/connections")
    async def connections(
        caller: Caller, ids: Annotated[str, Query(max_length=MOST_ASKED * 40)]
    ) -> Page[dict[str, Any]]:
        """How connections stand: next and last runs, the one under way, counts. `ids` are joined by commas.

        A connection that is not saved yet, or not the caller's, is left out.
        """
        wanted = [id_.strip().lower() for id_ in ids.split(",") if id_.strip()]
        if len(wanted) > MOST_ASKED:
            raise Problem(422, f"Ask about at most {MOST_ASKED} connections at once.", reason=Reason.INVALID)
        kept = await looking.syncs.read(wanted)
        found = (kept[id_].thing for id_ in dict.fromkeys(wanted) if id_ in kept)
        return Page(items=[await looking.one(sync) for sync in found if caller.may_see(sync.account)])

    @router.get("/connections/{connection_id}")
    async def connection(connection_id: str, caller: Caller) -> dict[str, Any]:
        """How one connection stands."""
        kept = (await looking.syncs.read([connection_id.lower()])).get(connection_id.lower())
        if kept is None or not caller.may_see(kept.account):
            raise not_found("connection")
        return await looking.one(kept.thing)

    _choices(router, looking)
    return router


def _choices(router: APIRouter, looking: Looking) -> None:
    """What somebody is about to choose."""

    @router.get("/preview")
    async def previewed(caller: Caller, choice: Annotated[Choice, Query()]) -> Preview:
        """What a choice would do with the account's documents: how many wait, and five paths.

        `start` is `all`, `now` or a day. Names are made safe as for a target that takes every character.
        """
        return await looking.preview(caller.account, choice)

    @router.get("/schedules/next")
    async def coming(_: Caller, schedule: Annotated[str, Query(max_length=4000)]) -> dict[str, list[str]]:
        """When a schedule (as JSON) would come due if it were saved now: two times."""
        try:
            read = Schedule.model_validate_json(schedule)
        except ValidationError as invalid:
            raise _wrong_schedule(invalid) from None
        now = looking.now()
        return {"next": [rfc3339(at) for at in upcoming(read, now, now)]}


def _paths(folder: str, filename: str, newest: Sequence[Facts]) -> list[str]:
    try:
        return preview(folder, filename, newest)
    except WrongPattern as wrong:
        raise Problem(422, str(wrong), reason=Reason.INVALID) from None


def _wrong_schedule(invalid: ValidationError) -> Problem:
    found = invalid.errors(include_input=False, include_url=False, include_context=False)
    errors = [
        FieldError(
            field=".".join(["schedule", *map(str, error["loc"])]),
            code=error["type"],
            message=wording(error),
        )
        for error in found[:20]
    ]
    return Problem(422, errors[0].message, reason=Reason.INVALID, errors=errors)


def _under_way(sync: Sync) -> dict[str, Any] | None:
    """The run that waits or is under way."""
    if sync.run is None:
        return None
    status = RunStatus.RUNNING if sync.state is State.RUNNING else RunStatus.WAITING
    later = sync.run.not_before
    return _told(sync.run, status) | {"not_before": later and rfc3339(later)}


def _told(run: Run, status: RunStatus) -> dict[str, Any]:
    started = run.started_at and rfc3339(run.started_at)
    return {"id": run.id, "status": status.value, "started_at": started, "counts": run.counts.wire()}


def _last(sync: Sync) -> dict[str, Any] | None:
    """The run that ended last."""
    if sync.last is None:
        return None
    return {
        "id": sync.last.id,
        "status": sync.last.status.value,
        "finished_at": rfc3339(sync.last.finished_at),
        "counts": sync.last.counts.wire(),
        "message": sync.last.message,
    }
