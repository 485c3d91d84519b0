"""What a JSON interface may want beside lists: a call for each record, files in parts, waits, companies."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from listing import everything, whole
from restserver import SECRET, manifest, rest, serving

from providers.drivers import settings
from providers.drivers.rest import open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.rules import faults
from providers.sources import open_source
from schemas.manifest import Manifest
from schemas.reasons import Reason

PDF = b"%PDF-1.4\n% a document\n%%EOF\n"


async def test_a_record_is_asked_for_its_details_before_its_file() -> None:
    asked: list[str] = []

    def handler(request: web.Request) -> Any:
        asked.append(request.path)
        known: dict[str, Any] = {
            "/list": {"items": [{"id": 1}, {"id": 2}]},
            "/item/1": {"id": 1, "file": "f-1"},
            "/item/2": {"id": 2, "file": "f-2"},
            "/file/f-1": PDF + b"1",
            "/file/f-2": PDF + b"2",
        }
        return known[request.path]

    file = {"by": "direct", "call": {"path": "/file/{file}"}}
    listing = {"detail": {"path": "/item/{id}"}, "values": {"file": "/file"}, "file": file}
    async with rest(handler, **listing) as (source, _):
        files = [await whole(source, item) for item in await everything(source)]

    assert files == [PDF + b"1", PDF + b"2"]
    assert asked == ["/list", "/item/1", "/file/f-1", "/item/2", "/file/f-2"]


async def test_of_an_answer_in_parts_the_first_file_is_taken_as_it_is() -> None:
    def handler(request: web.Request) -> Any:
        if request.path == "/list":
            return {"items": [{"id": 1}]}
        head = b'--b\r\nContent-Type: application/json\r\n\r\n{"id": 1}\r\n'
        part = b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        body = head + part + PDF + b"\r\n--b--\r\n"
        return web.Response(body=body, headers={"Content-Type": "multipart/mixed; boundary=b"})

    async with rest(handler, file={"by": "multipart", "call": {"path": "/file/{id}"}}) as (source, _):
        assert [await whole(source, item) for item in await everything(source)] == [PDF]


@pytest.mark.parametrize("says", ["90", "a moment in 90 s"])
async def test_a_header_that_says_when_there_may_be_more_calls_is_waited_for(says: str) -> None:
    async with Reach(Guard(["127.0.0.0/8"])) as reach:
        after = says if says.isdigit() else str(int(reach.clock().timestamp()) + 90)
        wait = {"X-Reset": after}
        async with serving(lambda _: web.Response(status=429, headers=wait)) as origin:
            plain = manifest(origin)
            assert plain.source is not None
            timed = plain.model_copy(update={"source": plain.source.model_copy(update={"reset": "X-Reset"})})
            async with open_source(timed, {"key": SECRET}, {}, reach) as source:
                with pytest.raises(ProviderError) as caught:
                    await source.page(None, None)

    assert caught.value.kind == "rate_limited"
    assert caught.value.retry_after is not None
    assert 30 < caught.value.retry_after <= 90


def two(id_: str, name: str) -> list[dict[str, str]]:
    return [{id_: "1", name: "One Ltd"}, {id_: "2", name: "Two Ltd"}]


COMPANIES: dict[str, tuple[str, Any, Any]] = {
    "xero": ("organisation", two("tenantId", "tenantName"), {"Invoices": []}),
    "zoho-books": (
        "organization_id",
        {"organizations": two("organization_id", "name")},
        {"invoices": []},
    ),
    "moneybird": ("administration", two("id", "name"), []),
}
"""What a customer of these may choose from, in the shape that we believe their providers to answer in; and an
empty list of theirs.
"""


@pytest.mark.parametrize("provider", sorted(COMPANIES))
async def test_a_company_is_chosen_among_those_there_are_and_comes_before_the_one_of_the_login(
    provider: str,
) -> None:
    option, told, empty = COMPANIES[provider]
    asked: list[str] = []

    def handler(request: web.Request) -> Any:
        is_list = "nvoices" in request.path
        asked.append(f"{request.path_qs} {request.headers.get('Xero-Tenant-Id', '')}" if is_list else "")
        return web.json_response(empty) if is_list else told

    ours = load(CATALOGUE / provider)
    assert ours.source is not None
    assert [spec.name for spec in ours.options_for("import") if spec.name == option and spec.choices_live]
    async with serving(handler) as origin, Reach(Guard(["127.0.0.0/8"])) as reach:
        here = ours.model_copy(update={"source": ours.source.model_copy(update={"base": origin})})
        login = settings(here, {option: "1", "token": SECRET, "access_token": SECRET, "region": "eu"})
        async with open_driver(here, login, {}, reach) as driver:
            every, some = await driver.choices(option), await driver.choices(option, "two")
            other = await driver.choices("types")
        for chosen in ({}, {option: "2"}):
            async with open_source(here, login, chosen, reach) as source:
                await source.page(None, None)

    assert [(each.value, each.label) for each in every] == [("1", "One Ltd"), ("2", "Two Ltd")]
    assert [each.value for each in some] == ["2"]
    assert other == []
    first, second = [each for each in asked if each]
    assert "1" in first.replace("page=1", "").replace("per_page=100", "")
    assert "2" in second.replace("2.0", "").replace("200", "")
    assert first.replace("1", "2") == second.replace("1", "2")


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({}, ["Nothing tells what organisation may be; say so in the source's `choices`."]),
        (
            {"organisation": {"call": {"path": "/a"}}, "firm": {"call": {"path": "/b"}}},
            ["No option firm of the import has `choices_live: true`."],
        ),
        ({"organisation": {"call": {"path": "/a"}}}, []),
    ],
    ids=["nothing tells", "no such option", "as it should be"],
)
def test_a_manifest_says_where_its_live_choices_come_from(choices: dict[str, Any], said: list[str]) -> None:
    whole = load(CATALOGUE / "xero").wire()
    whole["source"]["choices"] = choices

    assert [message for _, message in faults(Manifest.model_validate(whole), "xero")] == said


async def test_a_source_that_is_slow_is_waited_for_and_one_that_stands_still_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.http.READ_SECONDS", 2.0)
    still = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/list":
            return web.json_response({"items": [{"id": "slow"}, {"id": "still"}]})
        answer = web.StreamResponse(headers={"Content-Length": str(len(PDF))})
        await answer.prepare(request)
        for byte in PDF:
            await answer.write(bytes([byte]))
            await asyncio.sleep(0.01)
            if request.path == "/file/still":
                await still.wait()
        return answer

    async with serving(handler) as origin, Reach(Guard(["127.0.0.0/8"])) as reach:
        async with open_source(manifest(origin), {"key": SECRET}, {}, reach) as source:
            slow, stands = await everything(source)
            came = await whole(source, slow)
            with pytest.raises(ProviderError) as given_up:
                await whole(source, stands)
        still.set()

    assert came == PDF
    assert given_up.value.later
    assert given_up.value.reason in (Reason.PROVIDER_DOWN, Reason.HOST_UNREACHABLE)


async def test_where_a_list_of_one_is_that_one_it_is_a_record_and_not_lost() -> None:
    async with rest(lambda _: {"items": {"id": 7, "name": "only"}}) as (source, _):
        assert [item.id for item in await everything(source)] == ["7"]
    async with rest(lambda _: {"items": {"a": {"id": 1}, "b": {"id": 2}}}) as (source, _):
        assert [item.id for item in await everything(source)] == ["1", "2"]


async def test_a_day_alone_counts_until_it_is_over_and_no_longer() -> None:
    days = ["2026-06-01", "2026-06-02", "2026-06-03"]
    saved = datetime(2026, 6, 2, 10, 30, tzinfo=UTC)

    async def counting(since: datetime) -> list[str]:
        rows = [{"id": day, "day": day} for day in days]
        async with rest(lambda _: {"items": rows}, received_on="/day") as (source, _):
            items = (await source.page(None, since)).items
        return [item.id for item in items if item.received_at and item.received_at >= since]

    assert await counting(saved) == ["2026-06-02", "2026-06-03"]
    assert await counting(datetime(2026, 6, 2, tzinfo=UTC)) == ["2026-06-02", "2026-06-03"]
    assert await counting(datetime(2026, 6, 3, tzinfo=UTC)) == ["2026-06-03"]


async def test_a_list_may_say_by_its_status_that_it_holds_nothing_or_nothing_more() -> None:
    pages = {"1": [{"id": 1}, {"id": 2}]}

    def handler(request: web.Request) -> Any:
        rows = pages.get(request.query["page"])
        return web.json_response({"error": "none found"}, status=404) if rows is None else {"items": rows}

    paging = {"by": "page", "param": "page", "size": 2}
    async with rest(handler, paging=paging, empty=404) as (source, _):
        assert [item.id for item in await everything(source)] == ["1", "2"]
        pages.clear()
        assert await everything(source) == []
    async with rest(handler, paging=paging) as (source, _):
        with pytest.raises(ProviderError):
            await everything(source)


async def test_the_type_of_a_record_in_a_mixed_list_is_what_it_says_and_never_guessed() -> None:
    rows = [{"id": 1, "kind": 0}, {"id": 2, "kind": "2"}, {"id": 3, "kind": 9}, {"id": 4}]
    types = {"at": "/kind", "of": {"0": "invoice", "2": "credit_note"}}
    async with rest(lambda _: {"items": rows}, document_types=types) as (source, _):
        said = [item.metadata.get("document_type") for item in await everything(source)]
    assert said == ["invoice", "credit_note", None, None]


async def test_a_file_that_is_not_ready_yet_is_asked_for_later_and_is_nobodys_mistake() -> None:
    def handler(request: web.Request) -> Any:
        if request.path == "/list":
            return {"items": [{"id": 1}]}
        return web.Response(status=202, headers={"Retry-After": "7"})

    async with rest(handler) as (source, _):
        with pytest.raises(ProviderError) as refused:
            await whole(source, (await everything(source))[0])
    assert refused.value.later
    assert refused.value.retry_after == 7


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, Reason.PERMISSION_MISSING),
        (404, Reason.CONTENT_UNAVAILABLE),
        (409, Reason.DOCUMENT_REFUSED),
        (410, Reason.CONTENT_UNAVAILABLE),
    ],
)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"detail": {"path": "/item/{id}"}},
        {"file": {"by": "link", "call": {"path": "/link/{id}"}, "at": "/link"}},
        {"file": {"by": "base64", "call": {"path": "/file/{id}"}, "at": "/data"}},
    ],
    ids=["the file", "its record", "its link", "its text"],
)
async def test_a_file_that_is_listed_and_refused_is_its_own_trouble_and_not_the_connections(
    status: int, reason: Reason, asked: dict[str, Any]
) -> None:
    def handler(request: web.Request) -> Any:
        return {"items": [{"id": 1}]} if request.path == "/list" else web.Response(status=status)

    async with rest(handler, **asked) as (source, _):
        with pytest.raises(ProviderError) as refused:
            await whole(source, (await everything(source))[0])
    assert (refused.value.kind, refused.value.reason) == ("item_permanent", reason)


async def test_google_tells_of_too_many_calls_as_403_and_is_waited_for_all_the_same() -> None:
    its = load(CATALOGUE / "google-drive")
    assert its.source is not None
    refusal = {"error": {"errors": [{"reason": "userRateLimitExceeded"}], "code": 403}}
    files = {"files": [{"id": "1", "name": "a.pdf"}]}

    def handler(request: web.Request) -> Any:
        return files if request.path == "/files" else web.json_response(refusal, status=403)

    async with (
        serving(handler) as origin,
        Reach(Guard(["127.0.0.0/8"])) as reach,
        open_source(
            its.model_copy(update={"source": its.source.model_copy(update={"base": origin})}),
            {"access_token": SECRET},
            {},
            reach,
        ) as source,
    ):
        with pytest.raises(ProviderError) as refused:
            await whole(source, (await everything(source))[0])
    assert refused.value.kind == "rate_limited"
