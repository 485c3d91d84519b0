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


def as_json(described: Described) -> bytes:
    """One document: UTF-8, keys sorted, metadata as the platform said them."""
    said = _members(described) | {"metadata": described.metadata.wire()}
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
    for described in sorted(documents, key=lambda one: (one.document_id, one.version)):
        values = _members(described) | described.metadata.wire()
        table.writerow([_cell(values.get(column)) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _members(described: Described) -> dict[str, Any]:
    return {
        "document_id": described.document_id,
        "version": described.version,
        "file": described.file,
        "filename": described.filename,
        "media_type": described.media_type,
        "size": described.size,
        "sha256": described.sha256,
        "received_at": rfc3339(described.received_at),
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
