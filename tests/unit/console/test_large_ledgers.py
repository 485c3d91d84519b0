"""A ledger of a million rows: pages of 50, searches that go on, a file that is written as it is read."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console import account
from tests.unit.console.room import ID, Room, row

ROWS = 1_000_000
DOCUMENTS = f"/accounts/{ID}/documents"


class Ledger:
    """So many rows, newest first; a search looks through 5,000 of them at once, as sync-runner does."""

    def __init__(self, rows: int = ROWS) -> None:
        self.rows = rows
        self.requests = 0

    def __call__(self, request: Request) -> Response:
        query = request.query_params
        self.requests += 1
        begin, limit = int(query.get("cursor", "0")), int(query["limit"])
        looked = 5000 if "query" in query else limit
        end = min(begin + looked, self.rows)
        fitting = [n for n in range(begin, end) if query.get("query", "") in f"R-{n}.pdf"][:limit]
        if len(fitting) == limit:
            end = fitting[-1] + 1
        following = str(end) if end < self.rows else None
        return JSONResponse({"items": [row(n) for n in fitting], "next": following})


async def test_a_page_of_a_million_rows_asks_for_fifty(visit: Room) -> None:
    ledger = visit.says[f"/v1/connections/{ID}/documents"] = Ledger()
    first = await visit.http.get(DOCUMENTS)
    second = await visit.http.get(DOCUMENTS, params={"cursor": "50", "status": "done"})

    assert ledger.requests == 2
    assert first.text.count('data-label="State"') == 50
    assert "cursor=50" in first.text
    assert "R-50.pdf" in second.text
    assert "status=done&amp;cursor=100" in second.text
    assert len(first.content) < 60_000


async def test_a_search_goes_on_past_what_one_request_looks_through(visit: Room) -> None:
    visit.says[f"/v1/connections/{ID}/documents"] = Ledger(20_000)
    page = (await visit.http.get(DOCUMENTS, params={"query": "R-19999"})).text

    assert "R-19999.pdf" in page
    assert "No document fits" not in page


async def test_a_search_that_takes_long_says_so_and_goes_on_where_it_was(
    visit: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "SEARCHES", 0.0)
    ledger = visit.says[f"/v1/connections/{ID}/documents"] = Ledger()
    page = (await visit.http.get(DOCUMENTS, params={"query": "R-999999"})).text
    last = (await visit.http.get(DOCUMENTS, params={"query": "R-999999", "cursor": "995000"})).text

    assert "No document fits so far" in page
    assert "query=R-999999&amp;status=&amp;cursor=5000" in page
    assert "R-999999.pdf" in last
    assert ledger.requests == 2


async def test_a_file_has_every_row_and_is_asked_for_piece_by_piece(visit: Room) -> None:
    ledger = visit.says[f"/v1/connections/{ID}/documents"] = Ledger(10_050)
    file = (await visit.http.get(f"{DOCUMENTS}.csv")).text

    assert len(file.splitlines()) == 10_051
    assert ledger.requests == 51
