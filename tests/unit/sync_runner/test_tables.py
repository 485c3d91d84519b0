"""The three tables, held against grids written by hand: every state with every message."""

# ruff: noqa: E501 - grids

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import pytest

from kit.endings import Refused
from kit.owed import Cause
from kit.transitions import Table, decide
from schemas.connections import ConnectionSaved
from schemas.filters import Filters
from schemas.reasons import Reason, RowStatus, RunStatus
from schemas.schedules import Schedule
from schemas.syncs import Counts, DueReason, ExportedDocument
from sync_runner.lifecycle import heard, row, run, schedule
from sync_runner.lifecycle.sync import EVERYTHING, Fill, Past, Run, Selection, Standing, State, Sync
from sync_runner.store.shapes import dump, load

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
HOURLY = Schedule(every="PT1H")


def saved(**members: Any) -> ConnectionSaved:
    usual: dict[str, Any] = {
        "connection_id": "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10",
        "direction": "export",
        "provider_id": "webdav",
        "provider_revision": 1,
        "name": "WebDAV",
        "identity": "jane",
        "schedule": HOURLY,
        "options": {},
        "filters": Filters(),
        "start": "now",
        "revision": 1,
        "saved_at": NOW,
    }
    return ConnectionSaved.model_validate(usual | members)


def a_run(**members: Any) -> Run:
    return Run(
        **({"id": "run", "due_at": NOW, "reason": DueReason.SCHEDULE, "selection": EVERYTHING} | members)
    )


def a_sync(**members: Any) -> Sync:
    usual: dict[str, Any] = {
        "id": "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10",
        "account": "acme",
        "standing": Standing.ACTIVE,
        "schedule": HOURLY,
        "anchor": NOW,
        "due_at": LATER,
        "wake_at": LATER,
    }
    return Sync(**(usual | members))


def grid(text: str) -> list[tuple[str, str, str]]:
    """(state, message, what follows) of each cell."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [
        (line[0], message, cell) for line in lines for message, cell in zip(head[1:], line[1:], strict=True)
    ]


def follows(table: Table[Any], state: Enum, thing: Any, message: object) -> str:
    """The next state in words, with what is said after a `+`; `refused` where it is."""
    entered: list[Enum] = []

    def enter(it: Any, to: Enum) -> Any:
        entered.append(to)
        return it

    try:
        decision = decide(table, state, thing, message, enter)
    except Refused as refused:
        return f"refused {refused.reason.value}" if type(refused) is Refused else "refused"
    said = "".join(f" +{type(event).__name__}" for event in decision.emits)
    return str(entered[0].value) + said


ROWS = """
          | Intended | Arrived | Declined | Failed  | Unclear | Dropped | Unsent  | Redone
pending   | sending  | refused | refused  | refused | refused | skipped | refused | pending
sending   | sending  | done    | rejected | failed  | unknown | skipped | pending | refused
done      | refused  | refused | refused  | refused | unknown | refused | refused | pending
failed    | sending  | refused | refused  | refused | refused | skipped | refused | pending
rejected  | refused  | refused | refused  | refused | refused | refused | refused | pending
unknown   | sending  | refused | refused  | refused | refused | refused | refused | unknown
skipped   | refused  | refused | refused  | refused | refused | refused | refused | pending
"""


@pytest.mark.parametrize(("state", "message", "expected"), grid(ROWS))
def test_a_row_goes_where_its_grid_says(state: str, message: str, expected: str) -> None:
    assert follows(row.TABLE, RowStatus(state), None, getattr(row, message)()) == expected


STANDINGS = """
        | Saved   | Paused  | Resumed | Removed | Troubled by login | Troubled else | Recovered | Filled
new     | active  | refused | refused | refused | refused           | refused       | refused   | refused
active  | active  | paused  | active  | removed | held              | active        | active    | active
paused  | paused  | paused  | active  | removed | paused            | paused        | paused    | paused
held    | held    | paused  | held    | removed | held              | held          | active    | held
removed | removed | removed | removed | removed | removed           | removed       | removed   | removed
"""
FACTS: dict[str, object] = {
    "Saved": heard.Saved(saved(), NOW),
    "Paused": heard.Paused(NOW),
    "Resumed": heard.Resumed(NOW),
    "Removed": heard.Removed(NOW),
    "Troubled by login": heard.Troubled(Reason.CREDENTIALS_WRONG, NOW),
    "Troubled else": heard.Troubled(Reason.QUOTA_FULL, NOW),
    "Recovered": heard.Recovered(NOW),
    "Filled": heard.Filled(1, NOW),
}


@pytest.mark.parametrize(("state", "message", "expected"), grid(STANDINGS))
def test_a_standing_goes_where_its_grid_says(state: str, message: str, expected: str) -> None:
    sync = a_sync(standing=Standing(state))

    assert follows(schedule.TABLE, sync.standing, sync, FACTS[message]) == expected


IDLE = a_sync()
WAITING = a_sync(state=State.WAITING, run=a_run())
RUNNING = a_sync(state=State.RUNNING, run=a_run(started_at=NOW, owner="w"))
LAST = Past("run", NOW, DueReason.SCHEDULE, RunStatus.DONE, NOW, NOW, a_run().counts)
SYNCS: dict[str, Sync] = {
    "idle": IDLE,
    "idle, ran": replace(IDLE, last=LAST),
    "idle, filling": replace(IDLE, fill=Fill(None, 1)),
    "idle, just filled": replace(IDLE, covered_to=NOW - timedelta(seconds=4), last=LAST),
    "idle, filled": replace(IDLE, covered_to=NOW - timedelta(seconds=6)),
    "idle, paused": replace(IDLE, standing=Standing.PAUSED),
    "idle, removed": replace(IDLE, standing=Standing.REMOVED),
    "idle, import": replace(IDLE, direction="import"),
    "idle, imported": replace(IDLE, direction="import", last=LAST),
    "idle, import failed": replace(IDLE, direction="import", last=replace(LAST, status=RunStatus.FAILED)),
    "waiting": WAITING,
    "running": RUNNING,
    "running, next": replace(RUNNING, next=a_run(id="next")),
    "running, removed": replace(RUNNING, standing=Standing.REMOVED),
}
DUES: dict[str, object] = {
    "Due, rows": heard.Due(NOW, DueReason.SCHEDULE, NOW, open=True),
    "Due, none": heard.Due(NOW, DueReason.SCHEDULE, NOW, open=False),
    "Due ahead": heard.Due(NOW + timedelta(minutes=5, seconds=1), DueReason.SCHEDULE, NOW, open=True),
    "Import": heard.Due(NOW, DueReason.SCHEDULE, NOW, open=True, direction="import"),
}
DUE_GRID = """
                 | Due, rows                  | Due, none                  | Due ahead                  | Import
idle             | waiting                    | idle +DocumentsExported    | refused invalid            | refused invalid
idle, ran        | waiting                    | idle                       | refused invalid            | refused invalid
idle, filling    | waiting                    | waiting                    | refused invalid            | refused invalid
idle, just filled| waiting                    | waiting                    | refused invalid            | refused invalid
idle, filled     | waiting                    | idle +DocumentsExported    | refused invalid            | refused invalid
idle, paused     | refused paused             | refused paused             | refused paused             | refused paused
idle, removed    | refused removed            | refused removed            | refused removed            | refused removed
idle, import     | refused invalid            | refused invalid            | refused invalid            | waiting
idle, imported   | refused invalid            | refused invalid            | refused invalid            | idle
idle, import failed | refused invalid         | refused invalid            | refused invalid            | waiting
waiting          | waiting                    | waiting                    | refused invalid            | refused invalid
running          | running                    | running                    | refused invalid            | refused invalid
running, next    | running                    | running                    | refused invalid            | refused invalid
running, removed | refused removed            | refused removed            | refused removed            | refused removed
"""


@pytest.mark.parametrize(("state", "message", "expected"), grid(DUE_GRID))
def test_a_due_does_what_its_grid_says(state: str, message: str, expected: str) -> None:
    sync = SYNCS[state]

    assert follows(run.TABLE, sync.state, sync, DUES[message]) == expected


REPORTS: dict[str, object] = {
    "Claimed": heard.Claimed("w", NOW, LATER),
    "Prepared": heard.Prepared(),
    "Reached": heard.Reached("/in"),
    "Listed": heard.Listed({"uid": 7}, through=True),
    "Told": heard.Told((), NOW),
    "PassedOn": heard.PassedOn(NOW),
    "Finished": heard.Finished((), NOW),
    "Finished, again": heard.Finished((), NOW, LATER),
    "Broke": heard.Broke((), NOW, Reason.CREDENTIALS_WRONG, "No."),
    "Broke, again": heard.Broke((), NOW, Reason.PROVIDER_DOWN, "No.", None, LATER),
    "Doubted": heard.Doubted(NOW),
}
E_, F_ = "+DocumentsExported", "+DocumentsExported +SyncFailed"
REPORT_GRID = f"""
                 | Claimed | Prepared | Reached | Listed  | Told         | PassedOn | Finished     | Finished, again | Broke        | Broke, again | Doubted
idle             | refused | refused  | refused | refused | refused      | refused  | refused      | refused         | refused      | refused      | waiting
idle, removed    | refused | refused  | refused | refused | refused      | refused  | refused      | refused         | refused      | refused      | idle
waiting          | running | refused  | refused | refused | refused      | refused  | refused      | refused         | refused      | refused      | waiting
running          | running | running  | running | running | running {E_} | running  | idle {E_}    | waiting {E_}    | idle {F_}    | waiting {F_} | running
running, next    | running | running  | running | running | running {E_} | running  | waiting {E_} | waiting {E_}    | waiting {F_} | waiting {F_} | running
running, removed | running | running  | running | running | running {E_} | running  | idle {E_}    | idle {E_}       | idle {F_}    | idle {F_}    | running
"""


@pytest.mark.parametrize(("state", "message", "expected"), grid(REPORT_GRID))
def test_a_workers_report_does_what_its_grid_says(state: str, message: str, expected: str) -> None:
    sync = SYNCS[state]

    assert follows(run.TABLE, sync.state, sync, REPORTS[message]) == expected


READY_AT = """
                                                      | Due, rows | by hand
waiting after Finished, with a document of its own time | now     | now
waiting after Broke, again                            | later     | now
running, next by hand, then Broke: credentials_wrong  | later     | now
"""


@pytest.mark.parametrize("line", [line.split("|") for line in READY_AT.strip().splitlines()[1:]])
def test_a_due_waits_only_behind_a_run_that_could_not_go_on(line: list[str]) -> None:
    behind = replace(RUNNING, next=a_run(id="next", reason=DueReason.MANUAL))
    sync = {
        "waiting after Finished": run.follow(RUNNING, REPORTS["Finished, again"]).after,
        "waiting after Broke": run.follow(RUNNING, REPORTS["Broke, again"]).after,
        "running": run.follow(behind, REPORTS["Broke"]).after,
    }[line[0].split(",")[0].strip()]
    by_hand = heard.Due(NOW, DueReason.MANUAL, NOW, open=True)
    assert sync.ready_at == LATER

    found = [run.follow(sync, due).after.ready_at for due in (DUES["Due, rows"], by_hand)]

    assert found == [{"now": NOW, "later": LATER}[cell.strip()] for cell in line[1:]]


NEXT = """
credentials_wrong | none  | by schedule | a minute later
credentials_wrong | none  | by hand     | a minute later
provider_changed  | none  | by schedule | a minute later
provider_changed  | none  | by hand     | at once
provider_down     | later | by schedule | a minute later
provider_down     | later | by hand     | at once
paused            | now   | by schedule | at once
"""


@pytest.mark.parametrize("line", NEXT.strip().splitlines())
def test_what_waits_behind_a_run_that_broke_does_not_run_into_the_same_at_once(line: str) -> None:
    reason, again, by, when = (part.strip() for part in line.split("|"))
    next_ = a_run(id="next", reason=DueReason.MANUAL if by == "by hand" else DueReason.SCHEDULE)
    again_at = {"none": None, "later": LATER, "now": NOW}[again]
    broke = heard.Broke((), NOW, Reason(reason), "No.", None, again_at)

    after = run.follow(replace(RUNNING, next=next_), broke).after

    assert after.ready_at == {"at once": NOW, "a minute later": LATER}[when]


RECOVERED = """
                             | Recovered
held, its run failed         | waiting, ready
active, its run failed       | waiting, ready
paused, its run failed       | waiting, held
held, its run went well      | idle
held, its run is tried again | waiting, ready
"""


@pytest.mark.parametrize(("state", "message", "expected"), grid(RECOVERED))
def test_what_a_failed_run_left_goes_again_once_the_trouble_is_over(
    state: str, message: str, expected: str
) -> None:
    standing, what = state.split(", ")
    sync = {
        "its run failed": run.follow(RUNNING, REPORTS["Broke"]).after,
        "its run went well": run.follow(RUNNING, REPORTS["Finished"]).after,
        "its run is tried again": run.follow(RUNNING, REPORTS["Broke, again"]).after,
    }[what]

    after = schedule.follow(replace(sync, standing=Standing(standing)), FACTS[message]).after

    ready = "" if after.run is None else ", ready" if after.ready_at else ", held"
    assert after.state.value + ready == expected
    assert after.run is None or after.run.selection.everything


def test_what_runs_left_that_broke_is_remembered_until_it_went() -> None:
    asked = heard.Due(NOW, DueReason.MANUAL, NOW, open=True, selection=Selection(only=("a",)))
    claimed, broke, finished = (REPORTS[name] for name in ("Claimed", "Broke", "Finished"))
    once = run.follow(run.follow(run.follow(IDLE, asked).after, claimed).after, broke).after
    other = replace(asked, selection=Selection(only=("b",)))
    twice = run.follow(run.follow(run.follow(once, other).after, claimed).after, broke).after

    held = replace(twice, standing=Standing.HELD)
    mended = schedule.follow(held, heard.Recovered(NOW)).after
    gone = run.follow(run.follow(mended, claimed).after, finished).after

    assert (once.left, twice.left) == (Selection(only=("a",)), Selection(only=("b", "a")))
    assert load(dump(twice) | {"_id": twice.id, "account": twice.account}) == twice
    assert mended.run is not None
    assert mended.run.selection == Selection(tried=True, only=("b", "a"))
    assert (mended.left, gone.left) == (None, None)


def test_a_run_says_the_due_that_asked_for_it_first_as_its_cause_also_when_it_is_retried() -> None:
    first, second = Cause("1", "/test", "00-trace"), Cause("2", "/test")
    due = heard.Due(NOW, DueReason.SCHEDULE, NOW, open=True, cause=first)
    waiting = run.follow(IDLE, due).after
    folded = run.follow(waiting, replace(due, cause=second)).after
    running = run.follow(folded, REPORTS["Claimed"]).after
    retried = run.follow(running, REPORTS["Broke, again"]).after
    behind = run.follow(running, replace(due, due_at=LATER, cause=second)).after

    causes = [sync.run.cause for sync in (waiting, folded, running, retried) if sync.run]
    assert causes == [first] * 4
    assert behind.next is not None
    assert behind.next.cause == second
    assert load(dump(retried) | {"_id": retried.id, "account": retried.account}) == retried


def test_the_grids_name_every_state_and_every_message() -> None:
    def names(text: str, column: int) -> set[str]:
        return {cell[column].split(",")[0].split(" ")[0] for cell in grid(text)}

    def messages(table: Table[Any]) -> set[str]:
        return {message.__name__ for _, message in table}

    assert names(ROWS, 1) == messages(row.TABLE)
    assert names(ROWS, 0) == {status.value for status in RowStatus} - {"other"}
    assert names(STANDINGS, 1) == messages(schedule.TABLE)
    assert names(STANDINGS, 0) == {standing.value for standing in Standing}
    assert names(DUE_GRID, 1) - {"Import"} | names(REPORT_GRID, 1) == messages(run.TABLE)
    assert names(DUE_GRID, 0) == {state.value for state in State}


def test_a_save_schedules_the_first_due_one_interval_later_and_walks_its_documents() -> None:
    sync = schedule.follow(Sync(id="c", account="acme"), heard.Saved(saved(), NOW)).after

    assert (sync.due_at, sync.since, sync.fill) == (NOW + timedelta(hours=1), NOW, Fill(NOW, 1))
    assert sync.wake_at is not None
    assert timedelta(0) <= sync.wake_at - NOW - timedelta(hours=1) <= timedelta(minutes=3)


def test_a_change_that_leaves_the_schedule_alone_leaves_its_times_alone() -> None:
    sync = a_sync(since=NOW)
    change = saved(saved_at=LATER, name="Other", revision=2, options={"folder": "/b"})

    after = schedule.follow(sync, heard.Saved(change, LATER)).after

    assert (after.due_at, after.wake_at, after.anchor, after.fill, after.since) == (
        LATER,
        LATER,
        NOW,
        None,
        NOW,
    )
    assert after.options == {"folder": "/b"}


def test_a_change_of_schedule_or_filters_counts_anew_or_walks_again() -> None:
    change = saved(
        saved_at=LATER, schedule=Schedule(every="PT15M"), filters=Filters(approved_only=True), revision=2
    )

    after = schedule.follow(a_sync(since=NOW), heard.Saved(change, LATER)).after

    assert after.due_at == LATER + timedelta(minutes=15)
    assert after.fill == Fill(NOW, 2)


def test_an_import_is_due_by_itself_and_walks_no_documents() -> None:
    sync = schedule.follow(Sync(id="c", account="acme"), heard.Saved(saved(direction="import"), NOW)).after

    assert sync.wake_at is not None
    assert sync.fill is None


def test_an_import_lists_anew_only_once_its_options_are_others() -> None:
    first = saved(direction="import", options={"mailbox": "INBOX"})
    sync = schedule.follow(Sync(id="c", account="acme"), heard.Saved(first, NOW)).after
    listed = replace(sync, cursor={"uid": 7})

    renamed = schedule.follow(listed, heard.Saved(first.model_copy(update={"name": "Mail"}), NOW)).after
    moved = first.model_copy(update={"options": {"mailbox": "Archive"}})

    assert renamed.cursor == {"uid": 7}
    assert schedule.follow(listed, heard.Saved(moved, NOW)).after.cursor is None


def test_what_an_import_tells_is_counted_and_remembered_by_its_seal() -> None:
    sync = a_sync(direction="import", state=State.RUNNING, run=a_run(started_at=NOW, owner="w"))
    told = heard.Told((), NOW, heard.Sealed("run/1/1", Counts(done=2, rejected=1)))

    after = run.follow(sync, told).after

    assert after.told_as == "run/1/1"
    assert after.counts == Counts(done=2, rejected=1)
    assert load({"_id": sync.id, "account": "acme"} | dump(after)) == after


def test_what_was_missed_while_paused_is_due_once_when_resumed() -> None:
    paused = schedule.follow(a_sync(), heard.Paused(NOW)).after
    assert paused.wake_at is None

    resumed = schedule.follow(paused, heard.Resumed(NOW + timedelta(days=7))).after

    assert (resumed.standing, resumed.wake_at) == (Standing.ACTIVE, LATER)


def test_a_run_waits_while_documents_are_walked_and_is_ready_when_they_are() -> None:
    filling = a_sync(fill=Fill(None, 1))
    waiting = run.follow(filling, DUES["Due, none"]).after
    assert waiting.ready_at is None

    filled = schedule.follow(waiting, heard.Filled(1, LATER)).after

    assert (filled.ready_at, filled.fill, filled.covered_to) == (LATER, None, LATER)


def test_a_retry_waits_for_its_time_unless_somebody_asks() -> None:
    broken = run.follow(RUNNING, REPORTS["Broke, again"]).after
    assert broken.ready_at == LATER

    scheduled = run.follow(broken, DUES["Due, rows"]).after
    by_hand = run.follow(broken, heard.Due(NOW, DueReason.MANUAL, NOW, open=True)).after

    assert (scheduled.ready_at, by_hand.ready_at) == (LATER, NOW)
    assert [sync.run.due_at for sync in (scheduled, by_hand) if sync.run] == [LATER, NOW]


DELAYS = """
provider_down     | 0 | 1
provider_down     | 2 | 15
provider_down     | 9 | 360
rate_limited      | 0 | 1
credentials_wrong | 0 | never
locked            | 3 | never
paused            | 3 | 1
interrupted       | 3 | 1
removed           | 0 | never
"""


@pytest.mark.parametrize("line", DELAYS.strip().splitlines())
def test_only_what_mends_itself_is_tried_again_and_ever_more_rarely(line: str) -> None:
    reason, failures, minutes = (part.strip() for part in line.split("|"))

    found = run.retry_delay(Reason(reason), int(failures), None)

    assert found == (None if minutes == "never" else timedelta(minutes=int(minutes)))


def test_the_providers_own_wait_is_never_shortened() -> None:
    hour = timedelta(hours=1)

    assert run.retry_delay(Reason.RATE_LIMITED, 0, hour) == hour
    assert row.wait(RowStatus.FAILED, 1, hour) == hour
    assert row.wait(RowStatus.FAILED, 9, None) == timedelta(days=1)
    assert row.wait(RowStatus.DONE, 1, None) is None


def test_what_a_run_moved_is_split_so_that_each_event_fits() -> None:
    documents = tuple(
        ExportedDocument(
            document_id=f"d{n}",
            version=1,
            status=RowStatus.REJECTED,
            target=None,
            sha256=None,
            message="ü" * 2000,
        )
        for n in range(500)
    )

    said = run.follow(RUNNING, heard.Finished(documents, NOW)).emits

    assert [event.part for event in said] == list(range(1, len(said) + 1))
    assert {event.parts for event in said} == {len(said)}
    assert sum(len(event.documents) for event in said) == 500
    assert all(len(event.model_dump_json().encode()) < 480 * 1024 for event in said)


def test_a_cursor_of_older_options_is_not_kept_when_they_change_under_a_run() -> None:
    changed = replace(RUNNING, revision=3, cursor=None)
    late = run.follow(changed, heard.Listed({"uid": 7}, through=True, revision=2)).after
    fresh = run.follow(changed, heard.Listed({"uid": 7}, through=True, revision=3)).after
    assert (late.cursor, fresh.cursor) == (None, {"uid": 7})
