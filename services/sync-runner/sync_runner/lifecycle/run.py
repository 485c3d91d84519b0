"""A connection's run: dues that start or join one, workers that carry it out, how it ends. Pure.

At most one run and one `next`: later dues fold into it. A due is satisfied by a run that started at or after
its time: before finishing, a worker looks for rows once more (`store.runs`), so that it is covered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from kit.transitions import Decision, Refuse, Row, Table, decide
from schemas.envelope import Data
from schemas.reasons import Reason, RunStatus
from schemas.syncs import DocumentsExported, DocumentsImported, SyncFailed
from sync_runner.lifecycle import changes
from sync_runner.lifecycle.heard import (
    Broke,
    Claimed,
    Doubted,
    Due,
    Finished,
    Listed,
    PassedOn,
    Prepared,
    Reached,
    Told,
)
from sync_runner.lifecycle.parts import split
from sync_runner.lifecycle.sync import EVERYTHING, Standing, State, Sync, last_of, run_of

AHEAD = timedelta(minutes=5)
"""A due may lie so far ahead."""
SKEW = timedelta(seconds=5)
"""So far the clocks of two replicas may differ."""
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 6 * 60))
"""After the first, second … run in a row that could not go on; the last one from then on."""
MENDS_ITSELF = frozenset(
    {
        Reason.PROVIDER_DOWN,
        Reason.HOST_UNREACHABLE,
        Reason.RATE_LIMITED,
        Reason.QUOTA_FULL,
        Reason.CONTENT_UNAVAILABLE,
        Reason.INTERRUPTED,
        Reason.BUG,
        Reason.OTHER,
    }
)
"""What may be better later, without anybody doing anything here. Never a login: that may lock an account."""


def retry_delay(reason: Reason, failures: int, retry_after: timedelta | None) -> timedelta | None:
    """How long a run that broke waits before it is tried again by itself, after `failures` before it.

    One that was paused before we heard of it waits a moment: by then the pause holds it until it is resumed.
    What was away on our own side spares no provider by waiting ever longer: it is looked for each minute.
    """
    if reason in {Reason.PAUSED, Reason.INTERRUPTED}:
        return max(BACKOFF[0], retry_after or timedelta(0))
    if reason not in MENDS_ITSELF:
        return None
    return max(BACKOFF[min(failures, len(BACKOFF) - 1)], retry_after or timedelta(0))


def removed(sync: Sync, _: object) -> bool:
    return sync.standing is Standing.REMOVED


def paused(sync: Sync, _: object) -> bool:
    return sync.standing is Standing.PAUSED


def too_far_ahead(_: Sync, due: Due) -> bool:
    return due.due_at - due.now > AHEAD


def other_direction(sync: Sync, due: Due) -> bool:
    return sync.direction != due.direction


def satisfied(sync: Sync, due: Due) -> bool:
    """A run that started at or after the due covers it, and all that it asks for."""
    if due.selection != EVERYTHING or sync.fill is not None:
        return False
    if sync.state is State.RUNNING:
        started, covers = run_of(sync).started_at, run_of(sync).selection.everything
    else:
        started, covers = (sync.last.started_at if sync.last else None), _covered(sync, due)
    return covers and started is not None and started >= due.due_at


def _covered(sync: Sync, due: Due) -> bool:
    """Whether the last run left nothing: an import that went through looked at everything."""
    if sync.direction == "import":
        return sync.last is not None and sync.last.status is RunStatus.DONE
    return nothing_open(sync, due)


def nothing_open(sync: Sync, due: Due) -> bool:
    """Whether no rows wait. A walk that ended only now may have added some after they were looked for."""
    walked = sync.covered_to is not None and sync.covered_to >= due.now - SKEW
    return not due.open and not walked


def nothing_to_do(sync: Sync, due: Due) -> bool:
    return nothing_open(sync, due) and sync.fill is None and not due.selection.redo


def another_waits(sync: Sync, _: object) -> bool:
    return sync.next is not None


def to_be_retried(_: Sync, end: Finished | Broke) -> bool:
    return end.again_at is not None


def said_part(sync: Sync, told: Told) -> Sequence[Data]:
    """What was just moved. While there is more, `parts` is one more than the last `part`."""
    run = run_of(sync)
    chunks = split(told.documents)
    return [
        _moved(sync)(
            connection_id=sync.id,
            run_id=run.id,
            due_at=run.due_at,
            started_at=run.started_at or told.now,
            finished_at=told.now,
            counts=run.counts,
            part=part,
            parts=run.part,
            documents=chunk,
        )
        for part, chunk in enumerate(chunks, run.part - len(chunks))
    ]


def _moved(sync: Sync) -> Callable[..., Data]:
    """The event of its direction."""
    return DocumentsExported if sync.direction == "export" else DocumentsImported


def said_empty(sync: Sync, due: Due) -> Sequence[Data]:
    return said_end(sync, Finished((), due.now))


def said_end(sync: Sync, end: Finished | Broke) -> Sequence[Data]:
    """The rest of what the run that just ended has moved."""
    past = last_of(sync)
    chunks = split(end.documents)
    return [
        _moved(sync)(
            connection_id=sync.id,
            run_id=past.id,
            due_at=past.due_at,
            started_at=past.started_at or end.now,
            finished_at=past.finished_at,
            counts=past.counts,
            part=part,
            parts=past.parts,
            documents=chunk,
        )
        for part, chunk in enumerate(chunks, past.parts - len(chunks) + 1)
    ]


def said_failure(sync: Sync, broke: Broke) -> Sequence[Data]:
    """What was done, then why it did not go on."""
    past = last_of(sync)
    failed = SyncFailed(
        connection_id=sync.id,
        run_id=past.id,
        started_at=past.started_at or broke.now,
        credentials_revision=broke.credentials_revision,
        reason=broke.reason,
        message=broke.message,
        retry_at=None if broke.reason is Reason.PAUSED else broke.again_at,
    )
    return (*said_end(sync, broke), failed)


REFUSALS = (
    Refuse(Reason.REMOVED, "This connection was removed; request a new one under a new id.", when=removed),
    Refuse(Reason.PAUSED, "This connection is paused; resume it before something is due.", when=paused),
    Refuse(
        Reason.INVALID,
        "The due is for the other direction; send ExportDue to exports and ImportDue to imports.",
        when=other_direction,
    ),
    Refuse(
        Reason.INVALID,
        "due_at lies more than 5 minutes ahead; send the due when it is due.",
        when=too_far_ahead,
    ),
)
TABLE: Table[State] = {
    (State.IDLE, Due): (
        *REFUSALS,
        Row(State.IDLE, when=satisfied),
        Row(State.IDLE, changes.end_empty, said_empty, when=nothing_to_do),
        Row(State.WAITING, changes.start),
    ),
    (State.IDLE, Doubted): (Row(State.IDLE, when=removed), Row(State.WAITING, changes.try_again)),
    (State.WAITING, Due): (*REFUSALS, Row(State.WAITING, changes.fold)),
    (State.WAITING, Doubted): Row(State.WAITING, changes.try_again),
    (State.WAITING, Claimed): Row(State.RUNNING, changes.claim),
    (State.RUNNING, Due): (
        *REFUSALS,
        Row(State.RUNNING, when=satisfied),
        Row(State.RUNNING, changes.fold_next),
    ),
    (State.RUNNING, Doubted): Row(State.RUNNING),
    (State.RUNNING, Claimed): Row(State.RUNNING, changes.claim),
    (State.RUNNING, Prepared): Row(State.RUNNING, changes.prepare),
    (State.RUNNING, Reached): Row(State.RUNNING, changes.reach),
    (State.RUNNING, Listed): Row(State.RUNNING, changes.list_on),
    (State.RUNNING, Told): Row(State.RUNNING, changes.tell, said_part),
    (State.RUNNING, PassedOn): Row(State.RUNNING, changes.pass_on),
    (State.RUNNING, Finished): (
        Row(State.IDLE, changes.finish, said_end, when=removed),
        Row(State.WAITING, changes.go_on_with_next, said_end, when=another_waits),
        Row(State.WAITING, changes.retry, said_end, when=to_be_retried),
        Row(State.IDLE, changes.finish, said_end),
    ),
    (State.RUNNING, Broke): (
        Row(State.IDLE, changes.break_, said_failure, when=removed),
        Row(State.WAITING, changes.go_on_with_next, said_failure, when=another_waits),
        Row(State.WAITING, changes.retry, said_failure, when=to_be_retried),
        Row(State.IDLE, changes.break_, said_failure),
    ),
}


def enter(sync: Sync, state: State) -> Sync:
    return sync if sync.state is state else replace(sync, state=state)


def follow(sync: Sync, message: object) -> Decision[Sync]:
    """What a due, or a worker's report, does to a connection's run.

    Raises:
        Refused: the due is not carried out; the reason is in it.
        IllegalTransition: a worker reports on a run that is not under way.
    """
    return decide(TABLE, sync.state, sync, message, enter)
