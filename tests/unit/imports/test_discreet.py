"""What may let others in, a next page's address or a link to a file, is stored sealed alone."""

import asyncio
import json
from typing import Any

from aiohttp import web
from listing import everything, whole
from restserver import rest

from providers.sources import PRIVATE, Source
from sync_runner.discreet import SEALED, Discreet, Envelope

TOKEN = "t0k3n-c4n4ry"
OURS, OTHERS = Envelope(b"k" * 64), Envelope(b"x" * 64)


def test_the_same_is_sealed_to_the_same_so_that_a_listing_that_stands_still_is_seen() -> None:
    told = {"list": 0, PRIVATE: {"link": TOKEN}}

    assert OURS.sealed(told) == OURS.sealed({PRIVATE: {"link": TOKEN}, "list": 0})
    assert OURS.opened(OURS.sealed(told)) == told
    assert TOKEN not in json.dumps(OURS.sealed(told))
    assert OURS.sealed({"uid": 7}) == OURS.opened({"uid": 7}) == {"uid": 7}


def test_without_its_key_or_changed_what_was_sealed_is_left_out() -> None:
    stored = OURS.sealed({"list": 1, PRIVATE: TOKEN})

    assert OTHERS.opened(stored) == {"list": 1}
    for broken in ("", "AAAA", "no base64 é", None):
        assert OURS.opened({**stored, SEALED: broken}) == {"list": 1}


def paged(request: web.Request) -> Any:
    if request.path.startswith("/file"):
        return b"%PDF " + request.path[-1:].encode()
    page, origin = int(request.query.get("page", 1)), f"http://{request.host}"
    following = f"{origin}/list?page={page + 1}&signed={TOKEN}" if page < 3 else None
    return {"items": [{"id": page, "link": f"{origin}/file/{page}?signed={TOKEN}"}], "next": following}


async def test_addresses_of_next_pages_and_files_are_stored_sealed_and_followed() -> None:
    listing = {"paging": {"by": "url", "next": "/next"}, "file": {"by": "link", "at": "/link"}}
    async with rest(paged, **listing) as (source, _):
        discreet = Discreet(source, OURS)
        first = await discreet.page(None, None)
        items = await everything(discreet)
        stored = json.dumps([dict(first.cursor), *(dict(item.reference) for item in items)])
        files = await asyncio.gather(*(whole(discreet, item) for item in items))

    assert [item.id for item in items] == ["1", "2", "3"]
    assert files == [b"%PDF 1", b"%PDF 2", b"%PDF 3"]
    assert TOKEN not in stored


async def test_a_list_begins_anew_where_the_key_of_its_cursor_is_gone() -> None:
    async with rest(paged, paging={"by": "url", "next": "/next"}) as (source, _):
        before: Source = Discreet(source, OTHERS)
        cursor = (await before.page(None, None)).cursor
        again = await Discreet(source, OURS).page(cursor, None)

    assert [item.id for item in again.items] == ["1"]
