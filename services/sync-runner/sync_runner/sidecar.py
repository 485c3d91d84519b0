"""Sidecars: what is known of a document, beside it as JSON, or of a run's documents as one CSV.

Pure: the same facts make the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from schemas.base import rfc3339
from schemas.documents import Metadata
from sync_runner.handlers.runs import Row

Sidecar = Literal["none", "json", "csv"]
JSON_TYPE, CSV_TYPE = "application/json", "text/csv; charset=utf-8"

_METADATA = (
    "document_type",
    "number",
    "issue_date",
    "due_date",
    "currency",
    "seller_name",
    "seller_vat_id",
    "buyer_name",
    "buyer_vat_id",
    "net_amount",
    "vat_amount",
    "gross_amount",
    "approved",
    "tags",
)
COLUMNS = (
    "document_id",
    "version",
    "file",
    "filename",
    "media_type",
    "size",
    "sha256",
    "received_at",
    *_METADATA,
)


@dataclass(frozen=True, slots=True)
class Described:
    """One document as a sidecar tells it; `file` is the path that it got."""

    document_id: str
    version: int
    file: str
    filename: str
    media_type: str
    size: int
    sha256: str
    received_at: datetime
    metadata: Metadata


def beside(path: str) -> str:
    """The wanted name of a document's JSON: its own name and `.json`."""
    return path.rpartition("/")[2] + ".json"


def described(row: Row, path: str) -> Described:
    """A document as its sidecar tells it."""
    return Described(
        document_id=row.document_id,
        version=row.version,
        file=path,
        filename=row.filename,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        received_at=row.received_at,
        metadata=row.metadata,
    )


def as_json(document: Described) -> bytes:
    """One document: UTF-8, keys sorted, metadata as the platform said them."""
    said = _members(document) | {"metadata": document.metadata.wire()}
    return (json.dumps(said, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def csv_name(started_at: datetime, run_id: str, part: int) -> str:
    """The name of a run's CSV: `paperbus 2026-11-22T163000Z 7f1c0a52.csv`, and for a long run's later parts
    `… 7f1c0a52 part 2.csv`.
    """
    later = f" part {part}" if part > 1 else ""
    return f"paperbus {started_at:%Y-%m-%dT%H%M%SZ} {run_id[:8]}{later}.csv"


def as_csv(documents: Iterable[Described]) -> bytes:
    """A run's documents, one a line, by id: UTF-8 with a mark, so that spreadsheets see it."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for document in sorted(documents, key=lambda one: (one.document_id, one.version)):
        values = _members(document) | document.metadata.wire()
        table.writerow([_cell(values.get(column)) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _members(document: Described) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "version": document.version,
        "file": document.file,
        "filename": document.filename,
        "media_type": document.media_type,
        "size": document.size,
        "sha256": document.sha256,
        "received_at": rfc3339(document.received_at),
    }


def _cell(value: Any) -> str:
    """A value as a cell. What a spreadsheet would take for a formula is quoted (OWASP, CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ";".join(value)
    text = str(value)
    risky = text[:1] in "=@\t\r" or (text[:1] in "+-" and not text[1:].replace(".", "", 1).isdigit())
    return f"'{text}" if text and risky else text
