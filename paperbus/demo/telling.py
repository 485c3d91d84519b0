"""Each event in one readable line, and the ledger as a table. It reads; it sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from schemas.envelope import Event
from schemas.syncs import ImportedDocument

Event_ = Event[Any]


def _challenge(data: Any) -> str:
    asked = ", ".join(field.name for field in data.fields)
    trouble = f" (again: {data.error.message})" if data.error else ""
    return f"{data.kind}: asks for {asked or 'a look'}{trouble}"


def _settled(data: Any) -> str:
    schedule = data.schedule
    rhythm = schedule.every or schedule.at or schedule.cron
    return f"{data.name} as {data.identity}, {rhythm}, revision {data.revision}"


def _moved(data: Any) -> str:
    told = ", ".join(f"{count} {name}" for name, count in data.counts if count) or "nothing new"
    return f"run {data.run_id[:8]}: {told}"


WORDS: dict[str, Callable[[Any], str]] = {
    "ConnectionRequested": lambda data: f"{data.direction}, {data.provider_id}",
    "AuthChallengeIssued": _challenge,
    "AuthChallengeAnswerSubmitted": lambda data: f"sealed, {len(data.sealed)} characters",
    "AuthChallengeAnswered": lambda data: f"by {data.via}, being tried",
    "AuthSessionEnded": lambda data: str(data.result),
    "ConnectionAuthorized": lambda data: f"{data.identity}; {len(data.options)} options to choose",
    "ConnectionOptionsSubmitted": lambda data: ", ".join(f"{k}={v}" for k, v in data.options.items()),
    "ConnectionSaved": _settled,
    "ConnectionChanged": _settled,
    "DocumentReceived": lambda data: f"{data.filename} ({data.size} bytes)",
    "ExportDue": lambda data: f"{data.reason}, due {data.due_at:%H:%M:%S}",
    "DocumentsExported": _moved,
    "ImportDue": lambda data: f"{data.reason}, due {data.due_at:%H:%M:%S}",
    "DocumentsImported": _moved,
    "DocumentAccepted": lambda data: f"{data.external_id}, version {data.version}",
    "ConnectionNeedsAttention": lambda data: f"{data.reason}: {data.message}",
    "SyncFailed": lambda data: f"{data.reason}: {data.message}",
    "RequestRefused": lambda data: f"{data.request_type}: {data.reason}: {data.message}",
    "ProviderPublished": lambda data: f"{data.provider_id} revision {data.revision}",
}
"""What is said of an event besides its name; others say nothing more."""


def line(topic: str, event: Event_) -> Text:
    """`16:40:01.234  connections.events    AuthChallengeIssued   credentials: asks for url, …`."""
    name = event.type.split(".")[1]
    told = Text()
    told.append(f"{event.time.astimezone():%H:%M:%S.%f}"[:-3], "dim")
    told.append(f"  {topic:<21}", "cyan" if topic.endswith("events") else "magenta")
    told.append(f" {name:<29}", "bold")
    return told.append(WORDS.get(name, lambda _: "")(event.data))


def ledger(rows: Iterable[dict[str, Any]]) -> Table:
    """Rows of `GET /v1/connections/{id}/documents` as a table."""
    table = Table(
        "document", "status", "target", "bytes", "SHA-256", "when", title="Ledger", title_justify="left"
    )
    for row in rows:
        when = datetime.fromisoformat(row["updated_at"]).astimezone()
        table.add_row(
            row["filename"],
            row["status"],
            row.get("target") or row.get("message") or "",
            str(row["size"]),
            (row.get("sha256") or "")[:12] + "…",
            f"{when:%H:%M:%S}",
        )
    return table


def brought(documents: Iterable[ImportedDocument]) -> Table:
    """What came in, and what the e-invoices say of themselves."""
    table = Table("document", "says", "seller", "bytes", "SHA-256", title="Imported", title_justify="left")
    for document in documents:
        about = document.metadata
        says = (about.get(name) for name in ("document_type", "number", "gross_amount", "currency"))
        told = " ".join(str(word) for word in says if word)
        seller = str(about.get("seller_name", ""))
        table.add_row(document.filename, told, seller, str(document.size), f"{document.sha256[:12]}…")
    return table
