"""The catalogue over HTTP, and suggestions by both ways."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
from motor.motor_asyncio import AsyncIOMotorClient

SUGGESTION = {"name": "Lexware Office", "url": "https://www.lexware.de/office", "direction": "export"}


async def test_the_catalogue_is_searched_filtered_and_paged_in_three_languages(rig: Any) -> None:
    async with rig.started():
        assert (await rig.finds("nextclod"))[0] == "nextcloud"
        assert "scaleway" in await rig.finds("stockage objet", locale="fr", country="fr")
        assert "scaleway" not in await rig.finds("", country="us")
        assert "imap" in await rig.finds("imap", direction="import")
        assert "imap" not in await rig.finds("imap", direction="export")
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 7, "locale": "de-AT", "category": "storage"}
        while True:
            page = (await rig.http.get("/v1/providers", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        german = (await rig.http.get("/v1/providers", params={"query": "hidrive", "locale": "de-AT"})).json()

    assert len(seen) == len(set(seen)) >= 14
    item = german["items"][0]
    assert item["summary"] == "Online-Speicher von STRATO."
    assert item["available"] is True
    assert set(item) == {
        "id", "name", "summary", "categories", "countries", "directions", "available", "logo_url",
    }  # fmt: skip


async def test_nobody_gets_in_without_a_token_and_nonsense_is_told_in_words(rig: Any) -> None:
    async with rig.started():
        for path in ("/v1/providers", "/v1/providers/sftp", "/v1/providers/sftp/logo"):
            answer = await rig.http.get(path, headers={"authorization": ""})
            assert answer.status_code == httpx.codes.UNAUTHORIZED
            assert answer.headers["content-type"] == "application/problem+json"
        for params in (
            {"cursor": "nonsense"},
            {"limit": 0},
            {"country": "Germany"},
            {"direction": "sideways"},
        ):
            answer = await rig.http.get("/v1/providers", params=params)
            assert answer.status_code in (400, 422), params
            assert answer.json()["detail"]
        missing = await rig.http.get("/v1/providers/nowhere")
        openapi = (await rig.http.get("/openapi.json")).json()

    assert missing.status_code == httpx.codes.NOT_FOUND
    assert "/v1/providers/{provider_id}/logo" in openapi["paths"]


async def test_a_provider_tells_what_its_login_and_export_will_ask(rig: Any) -> None:
    async with rig.started():
        detail = (await rig.http.get("/v1/providers/sftp", params={"locale": "fr"})).json()

    assert [step["kind"] for step in detail["login"]] == ["credentials", "confirm"]
    fields = {field["name"]: field for field in detail["login"][0]["fields"]}
    assert list(fields) == ["host", "port", "username", "password", "private_key", "passphrase"]
    assert fields["host"]["label"] == "Serveur"
    assert fields["host"]["destination"] is True
    assert [field["name"] for field in detail["options"]["export"]] == [
        "folder",
        "filename",
        "clash",
        "sidecar",
    ]


async def test_a_logo_is_cached_and_can_do_nothing(rig: Any) -> None:
    async with rig.started():
        logo = await rig.http.get("/v1/providers/webdav/logo")
        again = await rig.http.get(
            "/v1/providers/webdav/logo", headers={"if-none-match": logo.headers["etag"]}
        )

    assert logo.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in logo.headers["content-security-policy"]
    assert logo.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in logo.headers["cache-control"]
    assert hashlib.sha256(logo.content).hexdigest().startswith(logo.headers["etag"].strip('"'))
    assert (again.status_code, again.content) == (304, b"")


async def test_a_suggestion_is_kept_once_and_a_known_provider_is_told(rig: Any) -> None:
    async with rig.started():
        first = await rig.http.post("/v1/suggestions", json=SUGGESTION)
        twice = await rig.http.post("/v1/suggestions", json=SUGGESTION)
        spelt = {**SUGGESTION, "name": " LEXWARE  office ", "url": "lexware.de"}
        other = await rig.http.post(
            "/v1/suggestions", json=spelt, headers={"authorization": rig.token(account="other")}
        )
        known = await rig.http.post("/v1/suggestions", json={**SUGGESTION, "name": "Next Cloud"})
        wrong = await rig.http.post("/v1/suggestions", json={**SUGGESTION, "url": "javascript:alert(1)"})
        kept = await _kept(rig.mongo)

    assert (first.status_code, first.json()["status"]) == (201, "new")
    assert (twice.status_code, twice.json()["status"]) == (200, "repeated")
    assert (other.status_code, other.json()["status"]) == (200, "repeated")
    assert (known.status_code, known.json()) == (200, {"status": "known", "provider_id": "nextcloud"})
    assert wrong.status_code == 422
    assert [(one["name"], one["count"]) for one in kept] == [("Lexware Office", 2)]


async def test_a_suggested_event_is_kept_once_and_a_bad_one_is_a_dead_letter(rig: Any) -> None:
    good, bad = _event(SUGGESTION), _event({**SUGGESTION, "url": "no address at all"})
    garbage = b"\xff no event"
    async with rig.started():
        await _send(rig.kafka, good, bad, garbage, good)
        await rig.until(lambda: _two_dead(rig))
        dead = await rig.events(topic="catalog.requests.dead")
        await rig.until(lambda: _count(rig.mongo))
        kept = await _kept(rig.mongo)

    assert sorted(record.value for record in dead) == sorted([bad, garbage])
    assert all(dict(record.headers)["paperbus-service"] == b"catalog" for record in dead)
    assert [(one["name"], one["count"]) for one in kept] == [("Lexware Office", 1)]
    assert kept[0]["askers"][0]["account"] == "acme"


def _event(data: dict[str, Any]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/platform",
        "subject": str(uuid4()),
        "type": "paperbus.ProviderSuggested.v1",
        "time": "2026-11-22T10:00:00Z",
        "datacontenttype": "application/json",
        "accountid": "acme",
        "data": data,
    }
    return json.dumps(event).encode()


async def _send(kafka: str, *values: bytes) -> None:
    from aiokafka import AIOKafkaProducer

    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for value in values:
            await producer.send_and_wait("catalog.requests", value, b"asker")


async def _two_dead(rig: Any) -> bool:
    return len(await rig.events(topic="catalog.requests.dead")) >= 2


async def _count(mongo: str) -> bool:
    return bool(await _kept(mongo))


async def _kept(mongo: str) -> list[dict[str, Any]]:
    client: Any = AsyncIOMotorClient(mongo)
    try:
        return [one async for one in client["catalog"]["suggestions"].find()]
    finally:
        client.close()
