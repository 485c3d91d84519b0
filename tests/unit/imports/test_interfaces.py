"""What a JSON interface may want beside lists: a call for each record, files in parts, waits, companies."""

import asyncio
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


COMPANIES: dict[str, tuple[str, Any]] = {
    "xero": ("organisation", two("tenantId", "tenantName")),
    "zoho-books": ("organization_id", {"organizations": two("organization_id", "name")}),
    "moneybird": ("administration", two("id", "name")),
}
"""What a customer of these may choose from, in the shape that we believe their providers to answer in."""


@pytest.mark.parametrize("provider", sorted(COMPANIES))
async def test_a_company_is_chosen_among_those_there_are_and_comes_before_the_one_of_the_login(
    provider: str,
) -> None:
    option, told = COMPANIES[provider]
    asked: list[str] = []

    def handler(request: web.Request) -> Any:
        is_list = "nvoices" in request.path
        asked.append(f"{request.path_qs} {request.headers.get('Xero-Tenant-Id', '')}" if is_list else "")
        return {} if is_list else told

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
