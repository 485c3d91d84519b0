"""The driver `rest`: each manifest on answers in the shape we believe its provider to give, and odd lists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from documented import PDF, answers
from import_rig import told
from listing import everything, whole
from restserver import SECRET, Handler, manifest, rest, serving
from run_rig import Rig

from providers.drivers.rest import MOST_PAGES, MOST_TEXT
from providers.egress import Guard
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.sources import open_source
from schemas.manifest import Manifest

ENDLESS = {"by": "token", "param": "after", "next": "/next"}


def at(manifest: Manifest, origin: str) -> Manifest:
    assert manifest.source is not None
    return manifest.model_copy(update={"source": manifest.source.model_copy(update={"base": origin})})


@pytest.mark.parametrize("provider", sorted(answers("")))
async def test_a_manifest_reads_answers_in_the_shape_we_believe_in(provider: str) -> None:
    seen: list[web.Request] = []

    def handler(request: web.Request) -> Any:
        seen.append(request)
        known = answers(f"http://{request.host}")[provider][0]
        paged = f"{request.path}?page={request.query.get('page')}"
        return known.get(paged, known.get(request.path, web.json_response({}, status=404)))

    its = load(CATALOGUE / provider)
    credentials = {spec.name: SECRET if spec.secret else "x" for spec in its.credentials}
    assert its.source is not None
    chosen = dict.fromkeys(its.source.choices, "x")
    async with (
        serving(handler) as origin,
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_source(at(its, origin), {**credentials, "url": origin}, chosen, reach) as source,
    ):
        items = await everything(source)
        files = [await whole(source, item) for item in items]

    assert [item.name for item in items] == answers("")[provider][1]
    assert len({item.id for item in items}) == len(items) or provider == "lexware-office"
    assert files == [PDF] * len(items)
    assert not any(SECRET in str(item) + str(item.reference) for item in items)
    assert all(SECRET not in str(request.rel_url) for request in seen), "a secret in an address ends in logs"
    marking = [r for r in seen if r.path.endswith("/getPdf") and r.query.get("preventSendBy") != "1"]
    assert not marking, "sevdesk takes an invoice for sent once its PDF was fetched"


def numbered(request: web.Request, count: int = 250) -> list[dict[str, Any]]:
    return numbered_of(request, [{"id": n} for n in range(count)])


def numbered_of(request: web.Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The page that is asked for."""
    size = int(request.query.get("size", 100))
    start = int(request.query.get("offset") or (int(request.query.get("page", 1)) - 1) * size)
    return rows[start : start + size]


@pytest.mark.parametrize("paging", [{"by": "page", "param": "page"}, {"by": "offset", "param": "offset"}])
async def test_pages_that_count_are_all_read(paging: dict[str, Any]) -> None:
    handler = lambda request: {"items": numbered(request)}  # noqa: E731 - one line

    async with rest(handler, paging=paging | {"size_param": "size"}) as (source, _):
        items = await everything(source)

    assert list(dict.fromkeys(item.id for item in items)) == [str(n) for n in range(250)]


COUNTED = [{"by": "page", "param": "page"}, {"by": "offset", "param": "offset"}]
GOING = {
    "the first": lambda there: there[:1],
    "the last that was read": lambda there: [n for n in there if n % 10 == 9][:3],
    "a whole page and more": lambda there: there[:13],
    "from the middle": lambda there: there[len(there) // 2 :][:2],
}


@pytest.mark.parametrize("paging", COUNTED, ids=["page", "offset"])
@pytest.mark.parametrize("going", sorted(GOING))
async def test_no_row_is_missed_of_a_list_that_shrinks_while_it_is_read(
    paging: dict[str, Any], going: str
) -> None:
    there, went, asked = list(range(100)), set[int](), 0

    def handler(request: web.Request) -> Any:
        nonlocal asked
        size = int(request.query["size"])
        start = int(request.query.get("offset") or (int(request.query.get("page", 1)) - 1) * size)
        answer = {"items": [{"id": n} for n in there][start : start + size]}
        asked += 1
        if asked % 2 and asked < 10:
            for gone in GOING[going](there):
                there.remove(gone)
                went.add(gone)
        return answer

    async with rest(handler, paging=paging | {"size_param": "size", "size": 10}) as (source, _):
        found = {int(item.id) for item in await everything(source)}

    assert went
    assert set(range(100)) - went <= found
    assert asked < 40


async def test_a_list_that_grows_at_its_beginning_is_read_without_going_back() -> None:
    there, asked = list(range(30)), []

    def handler(request: web.Request) -> Any:
        asked.append(int(request.query["page"]))
        start = (asked[-1] - 1) * 10
        answer = {"items": [{"id": n} for n in there][start : start + 10]}
        there.insert(0, 1000 + len(asked))
        return answer

    async with rest(handler, paging={"by": "page", "param": "page", "size": 10}) as (source, _):
        found = {int(item.id) for item in await everything(source)}

    assert set(range(30)) <= found
    assert asked == sorted(asked)


async def test_calls_send_more_than_texts_and_say_what_they_accept_and_pages_may_be_another_call() -> None:
    seen: list[tuple[str, Any, str]] = []

    async def handle(request: web.Request) -> Any:
        seen.append((request.path, await request.json(), request.headers["Accept"]))
        rows = [{"id": 1, "name": "a.pdf"}, {"id": 2, "name": "b.mov"}]
        return {"items": rows, "next": "it" if request.path == "/list" else None}

    first = {"path": "/list", "method": "POST", "json": {"all": True, "most": 2, "of": {"k": ["{id}x"]}}}
    then = {"path": "/more", "method": "POST", "json": {"at": "{next}"}, "headers": {"Accept": "text/json"}}
    paging = {"by": "token", "next": "/next", "call": then}
    only = {"/name": r"(?i)\.pdf$"}
    async with rest(handle, call=first, paging=paging, only=only) as (source, _):
        page = await source.page(None, None)
        await source.page(page.cursor, None)

    assert [item.id for item in page.items] == ["1"]
    assert seen == [
        ("/list", {"all": True, "most": 2, "of": {"k": ["x"]}}, "application/json"),
        ("/more", {"at": "it"}, "text/json"),
    ]


async def test_link_headers_and_tokens_are_followed() -> None:
    def links(request: web.Request) -> Any:
        page = int(request.query.get("p", 1))
        headers = {"Link": f'<http://{request.host}/list?p={page + 1}>; rel="next"'} if page < 3 else {}
        return web.json_response({"items": [{"id": page}]}, headers=headers)

    def tokens(request: web.Request) -> Any:
        turn = request.query.get("token", "a")
        return {"items": [{"id": turn}], "next": {"a": "b", "b": "c"}.get(turn)}

    async with rest(links, paging={"by": "link"}) as (source, _):
        assert [item.id for item in await everything(source)] == ["1", "2", "3"]
    async with rest(tokens, paging={"by": "token", "param": "token", "next": "/next"}) as (source, _):
        assert [item.id for item in await everything(source)] == ["a", "b", "c"]


async def test_a_next_page_on_another_host_is_refused_and_a_file_there_is_fetched_without_our_login() -> None:
    seen: list[Any] = []

    def other(request: web.Request) -> bytes:
        seen.append(request.headers.get("X-Key"))
        return PDF

    async with serving(other) as elsewhere:
        listed = {"items": [{"id": 1, "link": f"{elsewhere}/f"}], "next": f"{elsewhere}/list"}
        paging, file = {"by": "url", "next": "/next"}, {"by": "link", "at": "/link"}
        async with rest(lambda _: listed, paging=paging, file=file) as (source, _):
            page = await source.page(None, None)
            data = await whole(source, page.items[0])
            with pytest.raises(ProviderError) as refused:
                await source.page(page.cursor, None)

    assert (data, seen) == (PDF, [None])
    assert refused.value.reason.value == "address_refused"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (lambda _: {"error": "boom", "items": []}, "transient", "provider_down"),
        (lambda _: {"message": "maintenance", "code": 57}, "transient", "provider_down"),
        (lambda _: ["maintenance"], "transient", "provider_down"),
        (lambda _: web.Response(), "transient", "provider_down"),
        (lambda _: web.Response(text="<html>maintenance"), "transient", "provider_down"),
        (lambda _: web.Response(status=401), "auth", "credentials_wrong"),
        (lambda _: web.Response(status=429, headers={"Retry-After": "3600"}), "rate_limited", "rate_limited"),
        (lambda _: web.Response(status=503), "transient", "provider_down"),
    ],
)
async def test_lists_that_go_wrong_are_told_apart(answer: Handler, kind: str, reason: str) -> None:
    async with rest(answer) as (source, _):
        with pytest.raises(ProviderError) as wrong:
            await source.page(None, None)

    assert (wrong.value.kind, wrong.value.reason.value) == (kind, reason)
    assert SECRET not in str(wrong.value)


@pytest.mark.parametrize(
    ("items", "empty"), [("/items", {"items": None}), ("/q/items", {"q": {}}), ("", []), ("", {})]
)
async def test_an_empty_list_is_told_from_an_error_with_status_200(items: str, empty: Any) -> None:
    async with rest(lambda _: web.json_response(empty), items=items) as (source, _):
        assert await everything(source) == []
    for wrong in ({"error": {"code": 1}}, {"success": False}, None):
        async with rest(lambda _, wrong=wrong: web.json_response(wrong), items=items) as (source, _):
            with pytest.raises(ProviderError) as refused:
                await source.page(None, None)
            assert refused.value.later
    async with rest(lambda _: web.Response(status=204), items=items) as (source, _):
        assert await everything(source) == []


async def test_a_listing_goes_on_from_the_day_of_the_last_one_with_an_overlap() -> None:
    asked: list[str | None] = []

    def handler(request: web.Request) -> Any:
        asked.append(request.query.get("since"))
        return {"items": []}

    async with rest(handler, since={"param": "since", "format": "date", "overlap_hours": 48}) as (source, _):
        first = await source.page(None, None)
        last_week = (datetime.now(UTC) - timedelta(days=7)).replace(microsecond=0)
        await source.page(first.cursor | {"began": last_week.isoformat()}, None)

    assert asked == [None, (last_week - timedelta(hours=48)).date().isoformat()]


async def test_an_outage_of_days_is_closed_from_the_last_success_and_not_from_now() -> None:
    asked: list[str | None] = []
    down = False

    def handler(request: web.Request) -> Any:
        asked.append(request.query.get("since"))
        return web.Response(status=503) if down else {"items": []}

    async with rest(handler, since={"param": "since", "format": "date", "overlap_hours": 0}) as (source, _):
        success = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
        kept = (await source.page(None, None)).cursor | {"began": success.isoformat()}
        down = True
        for _ in range(3):
            with pytest.raises(ProviderError):
                await source.page(kept, None)
        down = False
        closed = await source.page(kept, None)
        await source.page(closed.cursor, None)

    today = datetime.fromisoformat(closed.cursor["began"]).date().isoformat()
    assert asked == [None, *[success.date().isoformat()] * 4, today]


async def test_of_what_an_interface_had_before_no_more_comes_in_than_asked_and_all_that_is_newer(
    import_from: Callable[..., Rig],
) -> None:
    old = {"at": "2026-01-01T10:00:00Z", "v": 1}
    there = [{"id": n, **old} for n in range(5)]

    def handler(request: web.Request) -> Any:
        return {"items": numbered_of(request, there)} if request.path == "/list" else PDF

    async with serving(handler) as origin:
        paging = {"by": "page", "param": "page", "size": 2, "size_param": "size"}
        rig = import_from(manifest(origin, paging=paging, received_at="/at"), {"key": SECRET})
        await rig.set_up(first_most=3)
        await rig.work()
        first = [d["external_id"] for d in await told(rig)]

        there.append({"id": 9, "at": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(), "v": 1})
        await rig.due()
        await rig.work()

    assert first == ["0", "1", "2"]
    assert [d["external_id"] for d in await told(rig)] == ["0", "1", "2", "9"]


async def test_a_page_that_leads_to_itself_is_told_of_at_once_and_not_asked_for_ten_thousand_times() -> None:
    asked: list[str] = []

    def handler(request: web.Request) -> Any:
        asked.append(request.path_qs)
        return {"items": [{"id": 1}], "next": "on"}

    async with rest(handler, paging=ENDLESS) as (source, _):
        with pytest.raises(ProviderError) as refused:
            await everything(source)
    assert refused.value.later
    assert len(asked) == 2


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_page_that_a_provider_forgot_begins_its_list_again_once(status: int) -> None:
    forgotten = {"a"}
    pages = {"": ([1], "a"), "a": ([2], "b"), "b": ([3], None)}

    def handler(request: web.Request) -> Any:
        token = request.query.get("after", "")
        if token in forgotten:
            return web.Response(status=status)
        return {"items": [{"id": each} for each in pages[token][0]], "next": pages[token][1]}

    async with rest(handler, paging=ENDLESS) as (source, _):
        kept = (await source.page(None, None)).cursor
        anew = await source.page(kept, None)
        assert [item.id for item in anew.items] == ["1"]
        with pytest.raises(ProviderError):
            await source.page(anew.cursor, None)
        forgotten.clear()
        found, cursor, last = [], anew.cursor, False
        while not last:
            page = await source.page(cursor, None)
            found += [item.id for item in page.items]
            cursor, last = page.cursor, page.last
        assert found == ["2", "3"]
        assert "again" not in cursor


@pytest.mark.parametrize("paging", COUNTED, ids=["page", "offset"])
async def test_a_list_that_gives_the_same_page_for_each_number_is_told_of_at_its_third(
    paging: dict[str, Any],
) -> None:
    asked: list[str] = []

    def handler(request: web.Request) -> Any:
        asked.append(request.path_qs)
        return {"items": [{"id": n} for n in range(10)]}

    async with rest(handler, paging=paging | {"size": 10}) as (source, _):
        with pytest.raises(ProviderError) as refused:
            await everything(source)
    assert refused.value.later
    assert len(asked) == len(set(asked)) == 3


async def test_a_list_that_grows_by_a_page_while_it_is_read_is_read_to_its_end() -> None:
    there = list(range(30))

    def handler(request: web.Request) -> Any:
        start = (int(request.query["page"]) - 1) * 10
        answer = {"items": [{"id": n} for n in there][start : start + 10]}
        if len(there) == 30:
            there[:0] = range(100, 110)
        return answer

    async with rest(handler, paging={"by": "page", "param": "page", "size": 10}) as (source, _):
        found = {int(item.id) for item in await everything(source)}

    assert set(range(30)) <= found


async def test_a_list_without_end_is_told_of_and_never_taken_for_one_that_is_through() -> None:
    def handler(request: web.Request) -> Any:
        return {"items": [{"id": 1}], "next": request.query.get("after", "") + "on"}

    async with rest(handler, paging=ENDLESS) as (source, _):
        first = await source.page(None, None)
        assert not first.last
        with pytest.raises(ProviderError) as refused:
            await source.page(first.cursor | {"pages": MOST_PAGES - 1}, None)
    assert refused.value.later


async def test_halves_of_characters_and_endless_words_of_an_interface_fit_into_an_event() -> None:
    row = '{"items": [{"id": "a\\ud83d", "n": "\\ud83d' + "x" * 600_000 + '"}]}'
    async with rest(lambda _: row.encode(), metadata={"number": "/n"}) as (source, _):
        item = (await source.page(None, None)).items[0]
    assert item.id == "a?"
    assert item.metadata["number"] == "?" + "x" * (MOST_TEXT - 1)


async def test_an_answer_nested_without_end_is_the_providers_trouble() -> None:
    async with rest(lambda _: b"[" * 200_000) as (source, _):
        with pytest.raises(ProviderError):
            await source.page(None, None)
