"""Documents' bytes on their way from a platform: checked while they pass, never more than was announced."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import KeySet
from run_rig import NoFiles, Platform

from kit.tokens import ServiceTokens
from providers.egress import Guard
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason
from sync_runner.content import Content, Contents, origin
from tests.sentences import says_what_to_do

DATA = os.urandom(300_000)


class OneFile(NoFiles):
    """One file of one account."""

    async def read(self, account: str, file_id: str) -> AsyncIterator[bytes]:
        if (account, file_id) != ("acme", "f1"):
            raise LookupError(file_id)
        yield DATA


async def fetched(platform: Platform, url: str, **changed: Any) -> bytes:
    said = {"size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(), "account": "acme"} | changed
    content = Content(document_id="d-1", content_url=url, media_type="application/pdf", **said)
    async with Reach(Guard(["127.0.0.0/8"])) as reach:
        now = reach.clock().timestamp
        contents = Contents(reach, ServiceTokens(platform.key, KeySet([platform.key]), now), OneFile())
        return b"".join([chunk async for chunk in contents.body(content).stream()])


async def test_a_document_is_fetched_with_our_token_for_it(platform: Platform) -> None:
    platform.files["d-1"] = DATA

    assert await fetched(platform, f"{platform.origin}/d-1") == DATA


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"sha256": "0" * 64}, Reason.CONTENT_CHANGED),
        ({"size": 299_999}, Reason.CONTENT_CHANGED),
        ({"size": 300_001}, Reason.CONTENT_CHANGED),
    ],
)
async def test_other_bytes_than_announced_are_told_apart(
    platform: Platform, wrong: dict[str, Any], reason: Reason
) -> None:
    platform.files["d-1"] = DATA

    with pytest.raises(ProviderError) as told:
        await fetched(platform, f"{platform.origin}/d-1", **wrong)

    assert (told.value.reason, told.value.later) == (reason, False)
    assert says_what_to_do(told.value.message)


@pytest.mark.parametrize(
    "path",
    [
        "/gone",
        "/other-document",
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/x",
        "http://[::1",
        "http://" + "a" * 70,
    ],
)
async def test_what_cannot_be_fetched_is_tried_again_later(platform: Platform, path: str) -> None:
    url = path if path.startswith("http") else f"{platform.origin}{path}"

    with pytest.raises(ProviderError) as told:
        await fetched(platform, url)

    assert (told.value.reason, told.value.later) == (Reason.CONTENT_UNAVAILABLE, True)
    assert says_what_to_do(told.value.message)


async def test_a_file_that_is_kept_here_goes_to_its_own_account_alone(platform: Platform) -> None:
    assert await fetched(platform, "gridfs:f1") == DATA

    for foreign in ({"account": "other"}, {}):
        with pytest.raises(ProviderError) as told:
            await fetched(platform, "gridfs:f1" if foreign else "gridfs:f2", **foreign)
        assert told.value.reason is Reason.CONTENT_UNAVAILABLE
        assert says_what_to_do(told.value.message)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Docs.Example.org/a?b", "https://docs.example.org"),
        ("https://docs.example.org:443/a", "https://docs.example.org"),
        ("https://docs.example.org:8443/a", "https://docs.example.org:8443"),
        ("http://127.0.0.1:8200/a", "http://127.0.0.1:8200"),
        ("http://[::1]:80/a", "http://[::1]"),
    ],
)
def test_the_audience_is_the_origin_of_the_address(url: str, expected: str) -> None:
    assert origin(url) == expected
