"""Sizes, names and days that nobody expects: streams made on the fly, clocks that are told."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from restserver import rest

from providers.drivers.imapfetch import MOST_AT_ONCE, Mails
from providers.drivers.restanswers import moment
from providers.errors import ProviderError
from schemas.reasons import Reason, RowStatus
from sync_runner.arriving import MOST_ID, Ledger, external_id, outcome
from sync_runner.einvoices.child import pdf
from sync_runner.handlers.imports import Thing
from sync_runner.judging import EMPTY, Seen, Wishes
from sync_runner.lifecycle.run import retry_delay
from sync_runner.opening.blobs import Blob
from sync_runner.opening.kinds import HEAD, looks
from sync_runner.opening.pieces import Piece, clean
from sync_runner.outcomes import of_run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LARGE = 200 * 1024 * 1024


class Endless:
    """A server with one mail of 200 MB, which it makes as it is asked for it."""

    def fetch(self, uids: list[int], asked: list[str]) -> dict[int, dict[bytes, Any]]:
        start, length = (int(part) for part in asked[0].partition("<")[2].rstrip(">").split("."))
        return {uid: {b"BODY[]<%d>" % start: bytes(min(length, LARGE - start))} for uid in uids}


class Straight:
    async def call(self, work: Callable[[Any], Any]) -> Any:
        return work(Endless())


async def test_a_mail_of_200_mb_comes_in_pieces_and_never_lies_in_memory() -> None:
    mails, seen = Mails(Straight()), 0  # type: ignore[arg-type]  # stands in
    tracemalloc.start()
    try:
        async for piece in mails.bytes_of(1, LARGE, 0):
            seen += len(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert seen == LARGE
    assert most < 3 * MOST_AT_ONCE


def pages(count: int) -> bytes:
    """A PDF of so many pages that runs JavaScript when it is opened, and holds no invoice."""
    body = [
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (count, b" ".join(b"%d 0 R" % (n + 3) for n in range(count))),
        *(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>" for _ in range(count)),
    ]
    written, places = b"%PDF-1.7\n", []
    for number, each in enumerate(body, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(body) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return (
        written
        + head
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(written))
    )


def came(data: bytes, name: str, thing: Thing) -> Any:
    piece = Piece("", name, "application/pdf", Blob.of(data))
    seen = Seen(piece, looks(piece.blob.head(HEAD), name, "application/pdf"))
    ledger = Ledger({}, {})
    return outcome(
        "c", thing, [seen], [], wishes=Wishes(), ledger=ledger, now=NOW, kept_for=timedelta(days=30)
    )


def test_a_pdf_of_five_thousand_pages_with_javascript_is_taken_as_it_is() -> None:
    data = pages(5000)
    arrival = came(data, "a.pdf", Thing("/a.pdf", "1", "a.pdf")).arrivals[0]

    assert not pdf(data).get("locked")
    assert (arrival.status, arrival.size, arrival.metadata["document_type"]) == (
        RowStatus.DONE,
        len(data),
        "unknown",
    )


@pytest.mark.parametrize("name", ["a.pdf", "a.xml", "a"])
def test_an_empty_file_is_rejected_in_words_and_nothing_of_it_is_kept(name: str) -> None:
    said = came(b"", name, Thing(f"/{name}", "1", name))

    assert [(one.status, one.message, one.content_id) for one in said.arrivals] == [
        (RowStatus.REJECTED, EMPTY, None)
    ]
    assert not said.bodies


@pytest.mark.parametrize("letter", ["x", "ü", "𝔘", "."])
def test_a_name_of_a_thousand_characters_is_cut_and_its_id_stays_its_own(letter: str) -> None:
    names = [letter * 1000 + end for end in ("1.pdf", "2.pdf")]

    assert all(len(clean(name).encode()) <= 255 for name in names)
    assert len({external_id(f"/in/{name}", "") for name in names}) == 2
    assert all(len(external_id(f"/in/{name}", "")) <= MOST_ID for name in names)


@pytest.mark.parametrize(
    ("received", "told"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(2099, 12, 31, tzinfo=UTC), NOW),
        (None, NOW),
    ],
)
def test_what_was_received_in_1970_is_that_old_and_nothing_is_received_in_the_future(
    received: datetime | None, told: datetime
) -> None:
    thing = Thing("/a.pdf", "1", "a.pdf", received_at=received)
    assert came(b"%PDF-1.4 x", "a.pdf", thing).arrivals[0].received_at == told


@pytest.mark.parametrize(
    "said", [0, "1970-01-01", "1970-01-01T00:00:00Z", 4102444799, "2099-12-31T23:59:59Z"]
)
def test_moments_in_1970_and_2099_are_read(said: Any) -> None:
    found = moment(said)
    assert found is not None
    assert found.year in (1970, 2099)


async def test_a_list_that_breaks_at_page_37_goes_on_there() -> None:
    asked: list[int] = []

    def handler(request: web.Request) -> Any:
        asked.append(int(request.query["page"]))
        if asked[-1] == 37 and asked.count(37) == 1:
            return web.Response(status=503)
        return {"items": [{"id": 10 * asked[-1] + n} for n in range(10 if asked[-1] < 40 else 3)]}

    found: list[str] = []
    cursor, last = None, False
    async with rest(handler, paging={"by": "page", "param": "page", "size": 10}) as (source, _):
        while not last:
            try:
                page = await source.page(cursor, None)
            except ProviderError as error:
                assert error.later  # noqa: PT017 - the walk goes on
                continue
            found += [item.id for item in page.items]
            cursor, last = page.cursor, page.last

    assert len(set(found)) == 393
    assert min(asked[asked.index(37) :]) == 36, "no page is read again but the one before"


async def test_429_for_an_hour_is_waited_for_and_is_nobodys_document() -> None:
    def handler(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async with rest(handler) as (source, _):
        with pytest.raises(ProviderError) as caught:
            await source.page(None, None)
    failure = of_run(caught.value, None)

    assert failure.reason is Reason.RATE_LIMITED
    for failures in range(5):
        waits = retry_delay(Reason.RATE_LIMITED, failures, timedelta(hours=1))
        assert waits is not None
        assert waits >= timedelta(hours=1)
