"""What a connection's sync hears: facts about the connection, dues, and what workers report. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit.owed import NOBODY, Cause
from schemas.connections import ConnectionChanged, ConnectionSaved
from schemas.reasons import Direction, Reason
from schemas.syncs import Counts, DueReason, ExportedDocument, ImportedDocument
from sync_runner.lifecycle.sync import EVERYTHING, Selection

Documents = tuple[ExportedDocument | ImportedDocument, ...]
"""What a run moved, in its direction's words."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What the connection is now: its first save, or a change."""

    data: ConnectionSaved | ConnectionChanged
    now: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing moves until it is resumed."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """Documents move again."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """It is over."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something only a person can mend."""

    reason: Reason
    now: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """The trouble is over."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Filled:
    """The walk over its documents, for `revision`, is through."""

    revision: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """Something is to be moved. `open`: whether rows were ready for it just after `now`."""

    due_at: datetime
    reason: DueReason
    now: datetime
    open: bool
    selection: Selection = EVERYTHING
    direction: Direction = "export"
    cause: Cause = NOBODY


@dataclass(frozen=True, slots=True)
class Doubted:
    """A document that arrived may have been overwritten: it is to be looked up."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A worker takes the run until `until`."""

    owner: str
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the selection asks to go again is open again."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The folder that files are put below is there."""

    folder: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of an import's source is taken in: `cursor` is where to go on; `through`: it was the last."""

    cursor: Mapping[str, Any] = field(repr=False)
    through: bool
    revision: int = 0
    """Of the options that it was listed by."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an event tells of an import's rows, beside the documents that came in."""

    seal: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Told:
    """A slice is over: these documents are to be told of, and there is more."""

    documents: Documents = field(repr=False)
    now: datetime
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A worker gives the run back unfinished."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing is left to take. `again_at`: when a document that failed is tried again by itself."""

    documents: Documents = field(repr=False)
    now: datetime
    again_at: datetime | None = None
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Broke:
    """It cannot go on. `again_at`: when it is tried again by itself."""

    documents: Documents = field(repr=False)
    now: datetime
    reason: Reason
    message: str
    credentials_revision: int | None = None
    again_at: datetime | None = None
    sealed: Sealed | None = None
