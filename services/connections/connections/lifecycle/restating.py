"""What a connection says when its present state is asked for again. Pure; it changes nothing."""

from __future__ import annotations

from datetime import datetime

from connections.lifecycle import saying
from connections.lifecycle.case import Case
from connections.lifecycle.things import Connection, Status
from kit.transitions import Decision
from schemas.connections import ConnectionRemoved


def restated(it: Connection | None, at: datetime) -> Decision[Connection] | None:
    """The facts that a reader needs who knows nothing of it; None for one that was never saved.

    Troubles are not told again: whoever mails customers has told them once.
    """
    if it is None or it.saved_at is None:
        return None
    case = Case(at=at, connection=it, account=it.account)
    if it.status is Status.REMOVED:
        return Decision(it, (ConnectionRemoved(connection_id=it.id, by="customer"),))
    standing = saying.paused(case, None) if it.paused else ()
    return Decision(it, (*saying.changed(case, None), *standing))
