"""Sidecars: the same facts make the same bytes, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from schemas.documents import Metadata
from sync_runner.sidecar import COLUMNS, Described, as_csv, as_json, beside, csv_name

NOW = datetime(2026, 5, 9, 10, 30, tzinfo=UTC)


def a_document(name: str = "d-1", **metadata: object) -> Described:
    return Described(
        name, 2, f"/in/{name}.pdf", f"{name}.pdf", "application/pdf", 7, "a" * 64, NOW, Metadata(**metadata)
    )


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_documents_json_says_all_that_is_known_and_keeps_what_it_does_not_know() -> None:
    said = json.loads(as_json(a_document(number="7", issue_date="2026-05-01", tags=["a"], colour="rot")))

    assert said["metadata"] == {"colour": "rot", "issue_date": "2026-05-01", "number": "7", "tags": ["a"]}
    assert (said["document_id"], said["version"], said["file"]) == ("d-1", 2, "/in/d-1.pdf")
    assert as_json(a_document(number="7", colour="rot")) == as_json(a_document(colour="rot", number="7"))


def test_a_runs_csv_is_the_same_in_whichever_order_the_documents_went() -> None:
    one, two = a_document("1", gross_amount="119.00", approved=True), a_document("2", seller_name="Müller")

    assert as_csv([one, two]) == as_csv([two, one])
    assert [line["document_id"] for line in read(as_csv([two, one]))] == ["1", "2"]
    assert read(as_csv([one]))[0]["approved"] == "true"


@pytest.mark.parametrize("risky", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "\tx"])
def test_what_a_spreadsheet_would_run_is_quoted(risky: str) -> None:
    assert read(as_csv([a_document(seller_name=risky)]))[0]["seller_name"] == f"'{risky}"


def test_a_negative_amount_stays_a_number() -> None:
    assert read(as_csv([a_document(gross_amount="-119.00")]))[0]["gross_amount"] == "-119.00"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_any_text_comes_back_from_a_csv(text: str) -> None:
    row = read(as_csv([a_document(seller_name=text)]))[0]

    assert row["seller_name"].removeprefix("'") == text.removeprefix("'") or row["seller_name"] == text
    assert list(row) == list(COLUMNS)


def test_names_of_sidecars_follow_from_what_they_describe() -> None:
    assert beside("/in/Rechnung 7.pdf") == "Rechnung 7.pdf.json"
    assert csv_name(NOW, "7f1c0a52-3b0e", 1) == "paperbus 2026-05-09T103000Z 7f1c0a52.csv"
    assert csv_name(NOW, "7f1c0a52-3b0e", 3) == "paperbus 2026-05-09T103000Z 7f1c0a52 part 3.csv"
