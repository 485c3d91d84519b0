"""What follows from a provider's error: for the document, and for the run. Pure.

| error                               | the document             | the run                               |
|-------------------------------------|--------------------------|---------------------------------------|
| item_permanent                      | rejected                 | goes on                               |
| the platform does not give the bytes | failed, tried again     | goes on, stops after 20 in a row      |
| host_unreachable                    | failed, tried again      | stops, tried again                    |
| other trouble that passes, conflict | failed, tried again      | stops where the target takes nothing else |
| permission_missing                  | rejected, where the target takes others; else untouched | the same |
| rate_limited                        | untouched                | stops, tried again after the wait     |
| auth, other config                  | untouched                | stops                                 |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from providers.errors import ProviderError
from schemas.reasons import Reason, RowStatus
from sync_runner.borrowing import NotLent
from sync_runner.handlers.runs import Failure, Result, Row

SUSPECT_AFTER = 3
"""So many documents in a row that did not go: the target is to blame, not they."""
SOURCE_SUSPECT_AFTER = 20
"""The same for documents that the platform does not give."""


LENT_AGAIN = 60.0
"""Seconds after which a run that nothing could be lent to is tried again, where nobody says."""


TOKEN_ENDED = Failure(Reason.INTERRUPTED, "The provider ended a token early; there is a newer one now.")


class Blame(Enum):
    """Whose trouble an error is."""

    DOCUMENT = "document"
    SOURCE = "source"
    UNCLEAR = "unclear"
    TARGET = "target"


def blame(error: ProviderError) -> Blame:
    """Whose trouble `error` is, as far as it can be told from it alone."""
    if error.kind == "item_permanent":
        return Blame.DOCUMENT
    if error.reason is Reason.CONTENT_UNAVAILABLE:
        return Blame.SOURCE
    if error.reason is Reason.PERMISSION_MISSING or error.kind == "conflict":
        return Blame.UNCLEAR
    if error.kind == "transient" and error.reason is not Reason.HOST_UNREACHABLE:
        return Blame.UNCLEAR
    return Blame.TARGET


def of_row(row: Row, error: ProviderError, *, others_went: bool) -> Result:
    """What became of a document. `others_went`: the target took another one meanwhile."""
    status = _status(error, others_went=others_went)
    if status is RowStatus.PENDING:
        return untouched(row)
    return Result(row.id, status, row.target, None, None, error.reason, error.message, _wait(error))


def half_sent(row: Row, target: str, error: ProviderError) -> Result:
    """A document that is there, without what belongs beside it: looked up again."""
    return Result(
        row.id, RowStatus.UNKNOWN, target, row.sha256, None, error.reason, error.message, _wait(error)
    )


def untouched(row: Row) -> Result:
    """Nothing was sent this time. What was in doubt before stays in doubt."""
    return Result(row.id, RowStatus.UNKNOWN if row.doubtful else RowStatus.PENDING, row.target)


def broken(row: Row) -> Result:
    """An error of ours while this document was sent."""
    message = "Something went wrong on our side; it is tried again."
    return Result(row.id, RowStatus.FAILED, row.target, reason=Reason.BUG, message=message)


def _status(error: ProviderError, *, others_went: bool) -> RowStatus:
    if error.kind == "item_permanent":
        return RowStatus.REJECTED
    if error.reason is Reason.PERMISSION_MISSING:
        return RowStatus.REJECTED if others_went else RowStatus.PENDING
    return RowStatus.FAILED if error.kind in ("transient", "conflict") else RowStatus.PENDING


def of_run(error: ProviderError, credentials_revision: int | None) -> Failure:
    """Why the run could not go on."""
    return Failure(error.of_account, error.message, credentials_revision, _wait(error))


def of_loan(refused: NotLent) -> Failure:
    """Why the run could not go on, where nothing was lent to it."""
    wait = timedelta(seconds=refused.wait or LENT_AGAIN) if refused.later else None
    return Failure(refused.reason, refused.message, None, wait)


def _wait(error: ProviderError) -> timedelta | None:
    return None if error.retry_after is None else timedelta(seconds=error.retry_after)


@dataclass(slots=True)
class Streak:
    """Who is to blame when documents do not go, one after the other. Told of each in turn."""

    failed: ProviderError | None = None
    """The latest unclear error with no success after it."""
    unclear: int = 0
    source: int = 0

    def went(self) -> None:
        """The target took, or judged, a document."""
        self.failed, self.unclear, self.source = None, 0, 0

    def met(self, error: ProviderError) -> bool:
        """One did not go for this reason. True: stop, it is not the document."""
        match blame(error):
            case Blame.DOCUMENT:
                if error.reason is not Reason.CONTENT_CHANGED:
                    self.went()
                return False
            case Blame.SOURCE:
                self.failed, self.source = error, self.source + 1
                return self.source >= SOURCE_SUSPECT_AFTER
            case Blame.UNCLEAR:
                self.failed, self.unclear = error, self.unclear + 1
                return self.unclear >= SUSPECT_AFTER
            case Blame.TARGET:
                self.failed = error
                return True

    @property
    def suspect(self) -> ProviderError | None:
        """What the target is suspected of at the end: unclear trouble with nothing that went after it."""
        if self.failed is None or blame(self.failed) is Blame.SOURCE:
            return None
        return self.failed
