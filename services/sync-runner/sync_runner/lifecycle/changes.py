"""How a sync changes with its runs: the `change` of the rows of `run.TABLE`. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from kit.owed import Cause, named_id
from schemas.reasons import Reason, RunStatus
from schemas.syncs import Counts, DueReason, ExportedDocument
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
    Recovered,
    Told,
)
from sync_runner.lifecycle.parts import split
from sync_runner.lifecycle.sync import (
    NEEDS_LOGIN,
    NOTHING,
    TRIED,
    Past,
    Run,
    Selection,
    State,
    Sync,
    ended,
    passed,
    readied,
    run_of,
)

HEARD_WITHIN = timedelta(minutes=1)
"""After which connections has heard that a run broke, and lends no more what was wrong."""
MOST_LEFT = 5_000
"""Document ids that are remembered of runs that broke."""


def start(sync: Sync, due: Due) -> Sync:
    """A run that waits for a worker."""
    sync, run = _new_run(sync, due.due_at, due.reason, due.selection, due.cause)
    return readied(replace(sync, run=run, state=State.WAITING), due.now)


def end_empty(sync: Sync, due: Due) -> Sync:
    """A run that has nothing to do begins and ends in this one write."""
    last = Past(_run_id(sync), due.due_at, due.reason, RunStatus.DONE, due.now, due.now, NOTHING)
    return replace(sync, runs=sync.runs + 1, last=last, past=passed(sync))


def fold(sync: Sync, due: Due) -> Sync:
    """The run that waits does this due too.

    It waits on only where a run could not go on: a document that failed has a time of its own in its row.
    """
    run = _folded(run_of(sync), due)
    waits = sync.failures > 0 and due.reason is not DueReason.MANUAL
    if run.not_before is not None and not waits:
        run = replace(run, not_before=None, due_at=due.due_at)
    return readied(replace(sync, run=run), due.now)


def try_again(sync: Sync, message: Recovered | Doubted) -> Sync:
    """What was tried and did not arrive goes again: by the run that waits, or by one of its own.

    Once a trouble is over, so does what the runs that broke on it did not come to.
    """
    left = sync.left if isinstance(message, Recovered) else None
    sync = replace(sync, left=None) if left else sync
    selection = TRIED.with_(left) if left else TRIED
    due = Due(message.now, DueReason.CATCH_UP, message.now, open=True, selection=selection)
    return start(sync, due) if sync.run is None else fold(sync, due)


def fold_next(sync: Sync, due: Due) -> Sync:
    """The run after this one does it."""
    if sync.next is not None:
        return replace(sync, next=_folded(sync.next, due))
    sync, run = _new_run(sync, due.due_at, due.reason, due.selection, due.cause)
    return replace(sync, next=run)


def claim(sync: Sync, claimed: Claimed) -> Sync:
    """It is a worker's, under a new fence."""
    run = run_of(sync)
    run = replace(run, owner=claimed.owner, started_at=run.started_at or claimed.now)
    return replace(sync, run=run, fence=sync.fence + 1, ready_at=claimed.until)


def prepare(sync: Sync, _: Prepared) -> Sync:
    """What was to go again is open."""
    run = run_of(sync)
    return replace(sync, run=replace(run, selection=replace(run.selection, redo=())))


def reach(sync: Sync, reached: Reached) -> Sync:
    """It is known where files go."""
    return replace(sync, destination=reached.folder)


def list_on(sync: Sync, listed: Listed) -> Sync:
    """What was listed before is not asked for again, unless the options are others by now."""
    run = run_of(sync)
    cursor = listed.cursor if listed.revision == sync.revision else sync.cursor
    return replace(sync, cursor=cursor, run=replace(run, listed=run.listed or listed.through))


def tell(sync: Sync, told: Told) -> Sync:
    """The next part begins."""
    sync = counted(sync, told)
    return replace(sync, run=replace(run_of(sync), part=run_of(sync).part + 1))


def pass_on(sync: Sync, passed: PassedOn) -> Sync:
    """Anybody may go on with it."""
    return replace(sync, run=replace(run_of(sync), owner=None), ready_at=passed.now)


def finish(sync: Sync, finished: Finished) -> Sync:
    """It is done."""
    left = None if run_of(sync).selection.everything else sync.left
    sync = replace(counted(sync, finished), failures=0, left=left, next=None)
    return ended(sync, RunStatus.DONE, finished.now)


def break_(sync: Sync, broke: Broke) -> Sync:
    """It failed, or was stopped."""
    stopped = _stopped(broke)
    sync = replace(counted(sync, broke), failures=sync.failures + (not stopped), next=None)
    sync = sync if stopped else replace(sync, left=_left(sync))
    return ended(sync, RunStatus.STOPPED if stopped else RunStatus.FAILED, broke.now, broke.message)


def go_on_with_next(sync: Sync, end: Finished | Broke) -> Sync:
    """The run that waited behind comes; what this one could not do, it takes along."""
    before, following = run_of(sync), sync.next
    if following is not None and isinstance(end, Broke):
        selection = following.selection.with_(before.selection)
        following = replace(following, selection=selection, not_before=_not_before(following, end))
    return readied(replace(_end(sync, end), run=following, next=None, state=State.WAITING), end.now)


def retry(sync: Sync, end: Finished | Broke) -> Sync:
    """A run of its own later: for what failed, or for all that the broken one was to take."""
    before, at = run_of(sync), end.again_at or end.now
    selection = TRIED if isinstance(end, Finished) else before.selection
    sync, run = _new_run(_end(sync, end), at, before.reason, selection, before.cause)
    return readied(replace(sync, run=replace(run, not_before=at), state=State.WAITING), end.now)


def counted(sync: Sync, end: Told | Finished | Broke) -> Sync:
    """With its documents counted, in the run and for good, and the parts that tell of them."""
    run, new = run_of(sync), _counts(end)
    part = run.part + len(split(end.documents)) - 1
    run = replace(run, counts=_plus(run.counts, new), part=part)
    told_as = end.sealed.seal if end.sealed else sync.told_as
    return replace(sync, run=run, counts=_plus(sync.counts, new), told_as=told_as)


def _end(sync: Sync, end: Finished | Broke) -> Sync:
    return finish(sync, end) if isinstance(end, Finished) else break_(sync, end)


def _left(sync: Sync) -> Selection:
    """With what earlier runs left, as long as that is not too many ids for one document."""
    broken = run_of(sync).selection
    together = broken.with_(sync.left) if sync.left else broken
    return together if together.ids <= MOST_LEFT else broken


def _stopped(broke: Broke) -> bool:
    return broke.reason in (Reason.PAUSED, Reason.REMOVED)


def _not_before(following: Run, broke: Broke) -> datetime | None:
    """When the run behind one that broke begins: a login that did not work is not tried again at once."""
    if _stopped(broke):
        return broke.again_at
    if following.reason is DueReason.MANUAL and broke.reason not in NEEDS_LOGIN:
        return None
    return broke.again_at or broke.now + HEARD_WITHIN


def _counts(end: Told | Finished | Broke) -> Counts:
    if end.sealed is not None:
        return end.sealed.counts
    statuses = Counter(
        document.status.value for document in end.documents if isinstance(document, ExportedDocument)
    )
    return Counts(**statuses)


def _plus(counts: Counts, new: Counts) -> Counts:
    if new == NOTHING:
        return counts
    return Counts(**{name: number + getattr(new, name) for name, number in counts})


def _new_run(
    sync: Sync, due_at: datetime, reason: DueReason, selection: Selection, cause: Cause
) -> tuple[Sync, Run]:
    return replace(sync, runs=sync.runs + 1), Run(_run_id(sync), due_at, reason, selection, cause=cause)


def _run_id(sync: Sync) -> str:
    return named_id(sync.id, "run", str(sync.runs))


def _folded(run: Run, due: Due) -> Run:
    asked = due.reason is DueReason.MANUAL
    return replace(
        run,
        due_at=max(run.due_at, due.due_at),
        selection=run.selection.with_(due.selection),
        reason=due.reason if asked else run.reason,
    )
