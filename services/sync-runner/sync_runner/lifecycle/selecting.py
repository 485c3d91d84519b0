"""What a due asks for, as what a run takes. Pure."""

from __future__ import annotations

from schemas.reasons import RowStatus
from schemas.syncs import DueReason, ExportDue, ImportDue
from sync_runner.lifecycle.sync import EVERYTHING, Redo, Selection

NOT_DONE = (
    RowStatus.PENDING,
    RowStatus.FAILED,
    RowStatus.REJECTED,
    RowStatus.UNKNOWN,
    RowStatus.SKIPPED,
)
WAITING = (RowStatus.FAILED, RowStatus.UNKNOWN)
"""Rows that wait for their next try."""


def selection_of(due: ExportDue | ImportDue, *, some_wait: bool) -> Selection:
    """What the run takes, and which rows go again.

    Without ids it moves everything that is open, and more where `statuses` or `again` say so; who asks by
    hand does not wait for the next try of what failed (`some_wait`: there is such a row). With ids it moves
    these alone: those not done, or those in `statuses`, and with `again` those done too.
    """
    redo: tuple[RowStatus, ...] = tuple(due.statuses or ())
    only = due.external_ids if isinstance(due, ImportDue) else due.document_ids
    if not redo and only is not None:
        redo = NOT_DONE
    if not redo and due.again:
        redo = NOT_DONE
    if due.again:
        redo = tuple(dict.fromkeys((*redo, RowStatus.DONE)))
    if only is not None:
        return Selection(only=only, redo=(Redo(redo, only),))
    if due.reason is DueReason.MANUAL and some_wait:
        redo = tuple(dict.fromkeys((*redo, *WAITING)))
    return Selection(everything=True, redo=(Redo(redo),)) if redo else EVERYTHING
