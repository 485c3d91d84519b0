"""A connection's standing: whether, and when, it is due by itself. Moved by facts about connections. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kit.transitions import Decision, Row, Table, decide
from schemas.envelope import Data
from schemas.reasons import Reason, RunStatus
from schemas.syncs import SyncFailed
from sync_runner.lifecycle import changes
from sync_runner.lifecycle.heard import Filled, Paused, Recovered, Removed, Resumed, Saved, Troubled
from sync_runner.lifecycle.matching import since
from sync_runner.lifecycle.sync import NEEDS_LOGIN, Fill, Standing, State, Sync, ended, readied
from sync_runner.lifecycle.times import delay, following, out_of_quiet

GONE = "The connection was removed before its run was through."


def needs_login(_: Sync, troubled: Troubled) -> bool:
    return troubled.reason in NEEDS_LOGIN


def _save(sync: Sync, saved: Saved) -> Sync:
    """What the connection is now. Its schedule counts anew only if it is another one."""
    data, first = saved.data, sync.standing is Standing.NEW
    rescheduled = first or data.schedule != sync.schedule
    refill = first or data.filters != sync.filters
    counts_from = since(data.start, data.saved_at) if first else sync.since
    sync = replace(
        sync,
        provider_id=data.provider_id,
        provider_revision=data.provider_revision,
        direction=data.direction,
        revision=data.revision,
        options=data.options,
        filters=data.filters,
        start=data.start,
        since=counts_from,
        schedule=data.schedule,
        cursor=sync.cursor if data.options == sync.options else None,
        fill=Fill(counts_from, data.revision) if refill and data.direction == "export" else sync.fill,
    )
    return readied(_anchored(sync, data.saved_at) if rescheduled else sync, saved.now)


def _anchored(sync: Sync, anchor: datetime) -> Sync:
    due_at = following(sync.schedule, anchor, anchor)
    wait = delay(sync.id, sync.schedule, anchor)
    sync = replace(sync, anchor=anchor, due_at=due_at, delay=wait // timedelta(milliseconds=1))
    return replace(sync, wake_at=waking(sync, due_at) if sync.standing in _BY_ITSELF else None)


def waking(sync: Sync, due_at: datetime | None) -> datetime | None:
    """When to wake for what is due at `due_at`: a little later, unless that falls in quiet hours."""
    if due_at is None:
        return None
    later = due_at + timedelta(milliseconds=sync.delay)
    return later if out_of_quiet(sync.schedule, later) == later else due_at


def _wake(sync: Sync, message: Resumed | Recovered) -> Sync:
    """Due by itself again: what was missed meanwhile is due at once, and once."""
    sync = replace(sync, standing=Standing.ACTIVE, attention=None, wake_at=waking(sync, sync.due_at))
    return readied(sync, message.now)


def _sleep(sync: Sync, paused: Paused) -> Sync:
    return readied(replace(sync, standing=Standing.PAUSED, wake_at=None), paused.now)


def _resume_held(sync: Sync, resumed: Resumed) -> Sync:
    return readied(replace(sync, standing=Standing.HELD), resumed.now)


def _trouble(sync: Sync, troubled: Troubled) -> Sync:
    return replace(sync, attention=troubled.reason)


def _hold(sync: Sync, troubled: Troubled) -> Sync:
    return replace(sync, attention=troubled.reason, wake_at=None)


def _recover(sync: Sync, recovered: Recovered) -> Sync:
    return _mend(_wake(sync, recovered), recovered)


def _mend(sync: Sync, recovered: Recovered) -> Sync:
    """What a run left that broke, and that nothing would try again, goes again now."""
    sync = replace(sync, attention=None)
    left = sync.failures or sync.left
    return changes.try_again(sync, recovered) if left and sync.state is State.IDLE else sync


def _remove(sync: Sync, removed: Removed) -> Sync:
    """Nothing is due any more. A run that waits ends here; one under way is stopped by its worker.

    Its rows are closed by the audit, which looks where something was covered: an unfinished walk counts too.
    """
    covered_to = sync.covered_to or removed.now
    sync = replace(sync, due_at=None, wake_at=None, fill=None, covered_to=covered_to)
    if sync.state is not State.WAITING:
        return sync
    return replace(ended(sync, RunStatus.STOPPED, removed.now, GONE), state=State.IDLE)


def _said_gone(sync: Sync, removed: Removed) -> Sequence[Data]:
    """A run that waited ends with a word: this one, or the next behind the one that is being stopped."""
    ended_here = sync.last if sync.last and sync.last.finished_at == removed.now else None
    return tuple(
        SyncFailed(
            connection_id=sync.id,
            run_id=run.id,
            started_at=run.started_at or removed.now,
            credentials_revision=None,
            reason=Reason.REMOVED,
            message=GONE,
            retry_at=None,
        )
        for run in (ended_here, sync.next)
        if run
    )


def _filled(sync: Sync, filled: Filled) -> Sync:
    if sync.fill is None or sync.fill.revision != filled.revision:
        return sync
    return readied(replace(sync, fill=None, covered_to=filled.now), filled.now)


def needs_login_still(sync: Sync, _: object) -> bool:
    return sync.attention in NEEDS_LOGIN


_BY_ITSELF = (Standing.NEW, Standing.ACTIVE)
N, A, P, H, R = Standing.NEW, Standing.ACTIVE, Standing.PAUSED, Standing.HELD, Standing.REMOVED
TABLE: Table[Standing] = {
    (N, Saved): Row(A, _save),
    (A, Saved): Row(A, _save),
    (A, Paused): Row(P, _sleep),
    (A, Resumed): Row(A),
    (A, Removed): Row(R, _remove, _said_gone),
    (A, Troubled): (Row(H, _hold, when=needs_login), Row(A, _trouble)),
    (A, Recovered): Row(A, _mend),
    (A, Filled): Row(A, _filled),
    (P, Saved): Row(P, _save),
    (P, Paused): Row(P),
    (P, Resumed): (Row(H, _resume_held, when=needs_login_still), Row(A, _wake)),
    (P, Removed): Row(R, _remove, _said_gone),
    (P, Troubled): Row(P, _trouble),
    (P, Recovered): Row(P, _mend),
    (P, Filled): Row(P, _filled),
    (H, Saved): Row(H, _save),
    (H, Paused): Row(P, _sleep),
    (H, Resumed): Row(H),
    (H, Removed): Row(R, _remove, _said_gone),
    (H, Troubled): Row(H, _trouble),
    (H, Recovered): Row(A, _recover),
    (H, Filled): Row(H, _filled),
    (R, Saved): Row(R),
    (R, Paused): Row(R),
    (R, Resumed): Row(R),
    (R, Removed): Row(R),
    (R, Troubled): Row(R),
    (R, Recovered): Row(R),
    (R, Filled): Row(R),
}


def enter(sync: Sync, standing: Standing) -> Sync:
    return sync if sync.standing is standing else replace(sync, standing=standing)


def follow(sync: Sync, message: object) -> Decision[Sync]:
    """What a fact about the connection does to it.

    Raises:
        IllegalTransition: a fact about a connection that was never saved.
    """
    return decide(TABLE, sync.standing, sync, message, enter)
