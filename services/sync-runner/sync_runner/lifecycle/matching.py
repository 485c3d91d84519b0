"""Which documents a connection wants: the one predicate of ingest, fill and taking. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from schemas.documents import Metadata
from schemas.filters import Filters, Start


@dataclass(frozen=True, slots=True)
class Document:
    """What a document is judged by."""

    received_at: datetime
    metadata: Metadata = field(repr=False)
    withdrawn: bool = False


def since(start: Start, saved_at: datetime) -> datetime | None:
    """From when on documents count: `now` is the first save, a day its midnight in UTC; None is always."""
    if start == "all":
        return None
    return saved_at if start == "now" else datetime.combine(start, time(), UTC)


def matches(filters: Filters, start: datetime | None, document: Document) -> bool:
    """Whether the document goes to a connection with these filters that counts from `start` on."""
    about = document.metadata
    return (
        not document.withdrawn
        and (start is None or document.received_at >= start)
        and (not filters.document_types or about.document_type in filters.document_types)
        and (not filters.tags or not set(filters.tags).isdisjoint(about.tags or ()))
        and (filters.issued_from is None or _issued_from(about, filters))
        and (not filters.approved_only or about.approved is True)
    )


def _issued_from(about: Metadata, filters: Filters) -> bool:
    return (
        about.issue_date is not None
        and filters.issued_from is not None
        and (about.issue_date >= filters.issued_from)
    )
