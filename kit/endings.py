"""How the handling of one event may end: done, never, or not now. Pure; who acts on it is `kit.edge`.

* Done (`DONE`)
* Refused            can never work: answered with `RequestRefused`, or set aside as a dead letter
  - IllegalTransition  a table knows no row for it (`kit.transitions`)
* NotNow             one item's reason to wait: parked, and later events of its key behind it

A handler returns them, one for each event, or raises them where it handles one event at a time. What is
raised besides them is trouble of ours (store, broker, a bug), never the event's fault.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias

from schemas.fields import FieldError
from schemas.reasons import Reason


class Ending(Enum):
    """The one ending that says nothing more."""

    DONE = "done"


DONE: Final = Ending.DONE


class Refused(Exception):
    """It can never work. `message` is a sentence for the asker, without secrets."""

    def __init__(self, reason: Reason, message: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.errors = errors


class NotNow(Exception):
    """It may work later. `reason` is a sentence for operators; `after` seconds to wait, None the usual."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


Ended: TypeAlias = Literal[Ending.DONE] | Refused | NotNow
