"""Events about runs: what is due (`syncs.requests`), what was moved (`syncs.events`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field as Member, StringConstraints

from schemas.base import ConnectionId, DocumentId, Lenient, Maybe, Model, Moment, Sha256, Text
from schemas.envelope import Data, RequestRefused
from schemas.reasons import Reason, RowStatus


class DueReason(Lenient):
    """Why something is due."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCH_UP = "catch_up"
    OTHER = "other"


ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""What a source calls a document, as `DocumentsImported` says it."""


class _Due(Data):
    connection_id: ConnectionId
    due_at: Moment
    """Since when it is due, at most 5 minutes ahead. Any run that starts at or after it satisfies it."""
    reason: DueReason
    document_ids: Maybe[Annotated[tuple[DocumentId, ...], Member(min_length=1, max_length=500)]] = None
    """Only these, of those not done."""
    statuses: Maybe[Annotated[tuple[RowStatus, ...], Member(min_length=1, max_length=7)]] = None
    """All documents in one of these states again."""
    again: Maybe[bool] = None
    """Also those that are done."""


class ExportDue(_Due):
    """Move out now what is waiting: every document acknowledged before this was sent."""


class ImportDue(_Due):
    """Look now for documents at the source."""

    external_ids: Maybe[Annotated[tuple[ExternalId, ...], Member(min_length=1, max_length=500)]] = None
    """Offer only these again, of those that were not taken; nothing new is looked for."""


class Counts(Model):
    """Documents of a run, by how it ended for them."""

    done: int = 0
    rejected: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0


class ExportedDocument(Model):
    """What became of one document version."""

    document_id: DocumentId
    version: int
    status: RowStatus
    target: str | None
    sha256: Sha256 | None
    reason: Maybe[Reason] = None
    message: Maybe[Text] = None


class ImportedDocument(Model):
    """One document that came in."""

    external_id: str
    version: str
    filename: str
    media_type: str
    size: int
    sha256: Sha256
    content_url: str
    kept_until: Maybe[Moment] = None
    """When the bytes go from `content_url`, if the platform says nothing; `DocumentAccepted` ends it."""
    duplicate_of: Maybe[str] = None
    metadata: dict[str, Any]


class _Moved(Data):
    connection_id: ConnectionId
    run_id: str
    due_at: Moment
    started_at: Moment
    finished_at: Moment
    counts: Counts
    part: int = 1
    parts: int = 1


class DocumentsExported(_Moved):
    """A run moved documents out; also said with nothing to do."""

    documents: tuple[ExportedDocument, ...] = Member(max_length=500)


class DocumentsImported(_Moved):
    """A run brought documents in; also said with nothing to do."""

    documents: tuple[ImportedDocument, ...] = Member(max_length=500)


class SyncFailed(Data):
    """A run could not go on. What was done before is said by the event before this one."""

    connection_id: ConnectionId
    run_id: str
    started_at: Moment
    credentials_revision: int | None
    reason: Reason
    message: Text
    retry_at: Moment | None


REQUESTS: tuple[type[Data], ...] = (ExportDue, ImportDue)
EVENTS: tuple[type[Data], ...] = (DocumentsExported, DocumentsImported, SyncFailed, RequestRefused)
