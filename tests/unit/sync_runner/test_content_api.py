"""The bytes of imported documents over HTTP: whole, from anywhere, for their account alone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from kit.http import make_app
from kit.tokens import Verifier, new_signing_key, public_keys, sign
from sync_runner.content_api import routes, wanted
from sync_runner.store.contents import Content

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
KEY = new_signing_key("platform")
BYTES = bytes(range(256)) * 3
KEPT = Content("one", "acme", "Müller.pdf", "application/pdf", len(BYTES), hashlib.sha256(BYTES).hexdigest())


class Shelf:
    """One document."""

    async def about(self, content_id: str) -> Content | None:
        return KEPT if content_id == KEPT.id else None

    async def read(self, content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, 100):
            yield BYTES[at : min(at + 100, stop)]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    keys = public_keys(json.dumps({"keys": [KEY.as_dict(private=False)]}), "K")
    app = make_app("sync-runner", Verifier(keys, None, NOW.timestamp))
    app.include_router(routes(Shelf()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sync-runner") as client:
        yield client


def asking(account: str = "acme", **more: str) -> dict[str, str]:
    at = int(NOW.timestamp())
    claims = {"iss": "platform", "sub": "jane", "aud": "paperbus", "iat": at, "exp": at + 60, "jti": "1"}
    return {"Authorization": f"Bearer {sign(KEY, claims | {'account': account, 'role': 'member'})}", **more}


async def test_a_document_comes_whole_with_its_hash_and_is_never_shown_as_a_page(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/content/one", headers=asking())
    head = await client.head("/v1/content/one", headers=asking())

    assert (answer.status_code, answer.content) == (200, BYTES)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(BYTES))
    digest = base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    assert answer.headers["Repr-Digest"] == head.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "stop"), [("bytes=100-", 100, 768), ("bytes=0-0", 0, 1), ("bytes=-68", 700, 768)]
)
async def test_what_broke_off_goes_on_where_it_was_unless_it_is_another_file_now(
    client: httpx.AsyncClient, asked: str, start: int, stop: int
) -> None:
    tag = (await client.head("/v1/content/one", headers=asking())).headers["ETag"]
    part = await client.get("/v1/content/one", headers=asking(Range=asked) | {"If-Range": tag})
    anew = await client.get("/v1/content/one", headers=asking(Range=asked) | {"If-Range": '"another"'})

    assert (part.status_code, part.content) == (206, BYTES[start:stop])
    assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(BYTES)}"
    assert (anew.status_code, anew.content) == (200, BYTES)


async def test_another_account_and_nobody_see_nothing_and_a_range_outside_is_said(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/v1/content/one", headers=asking("other"))).status_code == 404
    assert (await client.get("/v1/content/one")).status_code == 401
    assert (await client.get("/v1/content/two", headers=asking())).status_code == 404
    outside = await client.get("/v1/content/one", headers=asking(Range="bytes=768-"))
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, "bytes */768")


@pytest.mark.parametrize(
    ("asked", "size", "told"),
    [
        (None, 5, (0, 5)),
        ("bytes=1-2,4-", 5, (0, 5)),  # several are answered with the whole
        ("lines=1-2", 5, (0, 5)),
        ("bytes=-", 5, (0, 5)),
        ("bytes=3-99", 5, (3, 5)),
        ("bytes=3-2", 5, None),
        ("bytes=-0", 5, None),
        ("bytes=-9", 5, (0, 5)),
        ("bytes=0-", 0, None),
    ],
)
def test_a_range_is_what_its_words_say(asked: str | None, size: int, told: tuple[int, int] | None) -> None:
    assert wanted(asked, size) == told
