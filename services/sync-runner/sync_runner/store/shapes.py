"""How a sync looks in Mongo: `dump` and `load`, and the kind that `kit.aggregates` keeps. No query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from kit.aggregates import Kind
from kit.owed import Cause, Voice
from schemas.filters import Filters, Start
from schemas.reasons import Reason, RowStatus, RunStatus
from schemas.schedules import Schedule
from schemas.syncs import Counts, DueReason
from schemas.topics import SYNCS_EVENTS
from sync_runner.lifecycle.sync import (
    NOTHING,
    Fill,
    Past,
    Redo,
    Run,
    Selection,
    Standing,
    State,
    Sync,
    nonzero,
)

SOURCE = "/paperbus/sync-runner"
SCHEMA = 1
Doc = dict[str, Any]


@lru_cache(8192)
def _schedule(text: str) -> Schedule:
    return Schedule.model_validate_json(text)


@lru_cache(8192)
def _filters(text: str) -> Filters:
    return Filters.model_validate_json(text)


@lru_cache(8192)
def _wire(shared: Schedule | Filters) -> Doc:
    """As it is stored. Many connections share one; nobody changes what this returns."""
    return shared.wire()


def schedule_of(stored: Doc) -> Schedule:
    """The schedule as it was stored. Many connections share one: it is parsed once."""
    return _schedule(json.dumps(stored))


def filters_of(stored: Doc) -> Filters:
    """The filters as they were stored."""
    return _filters(json.dumps(stored))


def start_of(stored: str) -> Start:
    return stored if stored in ("now", "all") else date.fromisoformat(stored)  # type: ignore[return-value]  # the two words are all that `in` lets through


def dump(sync: Sync) -> Doc:
    """The sync's own members; what is not there is left out, so that partial indexes stay small."""
    members = {
        "provider": sync.provider_id,
        "provider_revision": sync.provider_revision,
        "direction": sync.direction,
        "standing": sync.standing.value,
        "live": sync.standing is not Standing.REMOVED if sync.direction == "export" else None,
        "state": sync.state.value,
        "heard": sync.heard,
        "attention": sync.attention and sync.attention.value,
        "revision": sync.revision,
        "options": sync.options,
        "filters": _wire(sync.filters),
        "start": str(sync.start),
        "since": sync.since,
        "schedule": _wire(sync.schedule),
        "anchor": sync.anchor,
        "due_at": sync.due_at,
        "wake_at": sync.wake_at,
        "delay": sync.delay,
        "run": sync.run and _run(sync.run),
        "next": sync.next and _run(sync.next),
        "ready_at": sync.ready_at,
        "fence": sync.fence,
        "fill": sync.fill and _fill(sync.fill),
        "covered_to": sync.covered_to,
        "destination": sync.destination,
        "cursor": sync.cursor,
        "told_as": sync.told_as,
        "counts": nonzero(sync.counts),
        "failures": sync.failures,
        "left": sync.left and _selection(sync.left),
        "runs": sync.runs,
        "last": sync.last and sync.last.shown(),
        "past": list(sync.past),
    }
    return {name: value for name, value in members.items() if value is not None}


def load(document: Mapping[str, Any]) -> Sync:
    """A whole document as a sync."""
    return Sync(
        id=document["_id"],
        account=document["account"],
        standing=Standing(document["standing"]),
        state=State(document["state"]),
        heard=document["heard"],
        attention=Reason(document["attention"]) if "attention" in document else None,
        provider_id=document["provider"],
        provider_revision=document["provider_revision"],
        direction=document["direction"],
        revision=document["revision"],
        options=document["options"],
        filters=filters_of(document["filters"]),
        start=start_of(document["start"]),
        since=document.get("since"),
        schedule=schedule_of(document["schedule"]),
        anchor=document.get("anchor"),
        due_at=document.get("due_at"),
        wake_at=document.get("wake_at"),
        delay=document["delay"],
        run=_run_of(document.get("run")),
        next=_run_of(document.get("next")),
        ready_at=document.get("ready_at"),
        fence=document["fence"],
        fill=_fill_of(document.get("fill")),
        covered_to=document.get("covered_to"),
        destination=document.get("destination"),
        cursor=document.get("cursor"),
        told_as=document.get("told_as"),
        counts=_counts_of(document["counts"]),
        failures=document["failures"],
        left=_selection_of(document["left"]) if "left" in document else None,
        runs=document["runs"],
        last=_past_of(document.get("last")),
        past=tuple(document["past"]),
    )


def _past_of(stored: Doc | None) -> Past | None:
    if stored is None:
        return None
    return Past(
        stored["id"],
        stored["due_at"],
        DueReason(stored["reason"]),
        RunStatus(stored["status"]),
        stored.get("started_at"),
        stored["finished_at"],
        _counts_of(stored["counts"]),
        stored.get("message"),
        stored["parts"],
    )


def _run_of(stored: Doc | None) -> Run | None:
    if stored is None:
        return None
    return Run(
        stored["id"],
        stored["due_at"],
        DueReason(stored["reason"]),
        _selection_of(stored["takes"]),
        stored.get("not_before"),
        stored.get("started_at"),
        stored.get("owner"),
        stored["part"],
        _counts_of(stored["counts"]),
        Cause(**stored.get("cause", {})),
        stored.get("listed", False),
    )


def _selection_of(stored: Doc) -> Selection:
    redo = tuple(
        Redo(tuple(map(RowStatus, redo["statuses"])), _tuple(redo.get("only")))
        for redo in stored.get("redo", ())
    )
    return Selection(
        stored.get("everything", False), stored.get("tried", False), tuple(stored.get("only", ())), redo
    )


def _tuple(stored: list[str] | None) -> tuple[str, ...] | None:
    return None if stored is None else tuple(stored)


def _fill_of(stored: Doc | None) -> Fill | None:
    if stored is None:
        return None
    at = stored.get("at")
    return Fill(stored.get("since"), stored["revision"], (at["received_at"], at["id"]) if at else None)


def _counts_of(stored: Doc) -> Counts:
    return Counts(**stored) if stored else NOTHING


def _some(members: Doc) -> Doc:
    return {name: value for name, value in members.items() if value not in (None, False, [])}


def _run(run: Run) -> Doc:
    always = {"id": run.id, "due_at": run.due_at, "reason": run.reason.value, "part": run.part}
    said = run.cause
    cause = {"id": said.id, "source": said.source, "traceparent": said.traceparent, "actor": said.actor}
    sometimes: Doc = {"not_before": run.not_before, "started_at": run.started_at, "owner": run.owner}
    sometimes |= {"cause": _some(cause) or None, "listed": run.listed}
    return always | {"takes": _selection(run.selection), "counts": nonzero(run.counts)} | _some(sometimes)


def _selection(selection: Selection) -> Doc:
    redo = [
        _some({"statuses": [status.value for status in redo.statuses]})
        | ({} if redo.only is None else {"only": list(redo.only)})
        for redo in selection.redo
    ]
    return _some(
        {
            "everything": selection.everything,
            "tried": selection.tried,
            "only": list(selection.only),
            "redo": redo,
        }
    )


def _fill(fill: Fill) -> Doc:
    at = {"received_at": fill.at[0], "id": fill.at[1]} if fill.at else None
    return {"revision": fill.revision} | _some({"since": fill.since, "at": at})


SYNC = Kind(
    name="connection",
    schema=SCHEMA,
    load=load,
    dump=dump,
    voice=Voice(SOURCE, SYNCS_EVENTS),
    seen_for=timedelta(days=2),
)
"""`syncs.requests` is kept for a day; facts are told apart by their sequence."""
