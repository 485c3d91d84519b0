"""What is wrong is said in words that somebody can act on, without what was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import connections, documents, syncs
from schemas.envelope import Data, InvalidData, Reader
from schemas.wording import BY_PATTERN

ID = "7f1c0a52-3b0e-4a57-9d0e-2f1f6a1a9b10"
PUBLISHED = Path(__file__).parents[3] / "schemas/published"


def complaints(data: type[Data], **members: Any) -> dict[str, str]:
    envelope = {"specversion": "1.0", "id": "e", "source": "/p", "type": data.TYPE, "subject": ID}
    envelope |= {"time": "2026-11-22T10:00:00Z", "accountid": "a", "data": members}
    with pytest.raises(InvalidData) as invalid:
        Reader([data]).read(json.dumps(envelope).encode())
    return {error.field: error.message for error in invalid.value.errors}


def test_a_due_says_what_its_members_must_be() -> None:
    wrong = {"due_at": "tomorrow", "document_ids": "d", "again": "often"}

    assert complaints(syncs.ExportDue, connection_id=ID, **wrong) == {
        "due_at": "must be a time of RFC 3339, such as 2026-11-22T16:30:00Z",
        "reason": "is missing",
        "document_ids": "must be a valid array",
        "again": "must be a valid boolean",
    }


def test_a_time_without_its_offset_is_told_apart() -> None:
    said = complaints(syncs.ExportDue, connection_id=ID, due_at="2026-11-22T10:00:00", reason="manual")

    assert said == {"due_at": "must say its offset from UTC, such as 2026-11-22T16:30:00Z"}


def test_a_document_says_what_its_amounts_days_and_digests_look_like() -> None:
    metadata = {"issue_date": "22.11.2026", "gross_amount": "12,50", "currency": "euro"}
    said = complaints(
        documents.DocumentReceived,
        document_id="d",
        version=1,
        filename="",
        media_type="pdf",
        size=-1,
        sha256="canary",
        content_url="ftp://canary",
        received_at="2026-11-22T10:00:00Z",
        metadata=metadata,
    )

    assert said == {
        "filename": "must have at least 1 character",
        "media_type": "must be a media type, such as application/pdf",
        "size": "must be greater than or equal to 0",
        "sha256": "must be a SHA-256 as 64 hexadecimal digits",
        "content_url": "must be an address that begins with https://, or gridfs: and an id",
        "metadata.issue_date": "must be a day, such as 2026-11-22",
        "metadata.currency": "must be a currency of ISO 4217, such as EUR",
        "metadata.gross_amount": "must be a decimal amount as a text, such as 119.00",
    }


def test_a_choice_names_what_there_is_and_a_path_names_members_alone() -> None:
    asked = {"connection_id": ID, "direction": "both", "provider_id": "webdav"}
    said = complaints(connections.ConnectionRequested, **asked, schedule={"at": "02:30", "on": ["monday"]})

    assert said["direction"] == "must be 'import' or 'export'"
    assert set(said) == {"direction", "schedule.on.0"}


@pytest.mark.parametrize("pattern", BY_PATTERN)
def test_every_pattern_with_words_of_its_own_is_one_of_the_contract(pattern: str) -> None:
    assert any(json.dumps(pattern) in path.read_text("utf-8") for path in PUBLISHED.rglob("*.json"))
