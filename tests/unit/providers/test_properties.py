"""Whatever a server, a customer or a manifest says, it is read or refused in words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from providers import expressions, manifests, marked
from providers.drivers.davxml import listed
from providers.drivers.paths import parent, segments, unfinished
from providers.drivers.s3xml import listing, why
from providers.egress import Guard, plain_host, url_parts
from providers.errors import LONGEST_WAIT, ProviderError, waiting
from providers.http import Answer, encoded

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOSTS = st.text(max_size=60) | st.from_regex(
    r"\A(0x|0)?[0-9a-f]{1,10}(\.(0x|0)?[0-9a-f]{1,5}){0,3}\Z", fullmatch=True
)
ADDRESSES = st.ip_addresses()
XML = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [
            "<d:multistatus xmlns:d='DAV:'>",
            "<d:response>",
            "<d:href>/a%2</d:href>",
            "<d:href>//[::1</d:href>",
            "<d:propstat><d:status>HTTP/1.1 200 OK</d:status><d:prop>",
            "<d:getcontentlength>x</d:getcontentlength>",
            "<d:getlastmodified>Sun, 99 Foo</d:getlastmodified>",
            "</d:prop></d:propstat>",
            "</d:response>",
            "</d:multistatus>",
            "<ListBucketResult><Contents><Size>-1</Size><Key>k</Key><LastModified>?</LastModified></Contents>",
            "<Error><Code>SlowDown</Code></Error>",
            "</ListBucketResult>",
            "&amp;",
            "<!DOCTYPE x>",
        ]
    ),
    max_size=12,
).map(lambda parts: "".join(parts).encode())


@given(st.none() | st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(str))
def test_a_wait_is_none_or_bearable(header: str | None) -> None:
    seconds = waiting(header, NOW)

    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


@given(st.text(max_size=80) | HOSTS.map(lambda host: f"https://{host}/x"))
def test_an_address_is_read_or_refused(url: str) -> None:
    said: list[str] = []
    for reads in (url_parts, encoded):
        try:
            reads(url)
        except ProviderError as refused:
            said.append(refused.message)
    assert all(message.endswith(".") for message in said)


@settings(max_examples=50)
@given(HOSTS)
async def test_a_host_that_a_customer_types_is_checked_or_refused(host: str) -> None:
    async def names(name: str, port: int) -> list[str]:
        raise OSError

    try:
        found = await Guard(names=names).resolve(host, 443)
    except ProviderError:
        return
    assert plain_host(host).isascii()
    assert all(address.is_global for address in found)


@given(ADDRESSES)
def test_what_may_be_spoken_to_is_public_by_another_ones_judgement(address: Any) -> None:
    if Guard().allows(address):
        assert address.is_global
        assert not address.is_multicast


@given(XML)
def test_xml_of_any_kind_is_an_answer_or_a_changed_provider(body: bytes) -> None:
    said: list[str] = []
    why(body, None)
    for reads in (lambda: listed(Answer(207, {}, body)), lambda: listing(body)):
        try:
            reads()
        except ProviderError as refused:
            said.append(refused.message)
    assert all(message.endswith(".") for message in said)


@given(st.text(alphabet="/.\\ \x00\x1f\x7fab\u202eé", max_size=30))
def test_a_path_stays_below_its_root(path: str) -> None:
    try:
        names = segments(path)
    except ProviderError:
        return
    assert not {".", ".."} & set(names)
    assert parent(path) == "/" + "/".join(names[:-1])
    assert segments(unfinished(path, "0" * 64))[:-1] == names[:-1]


@given(st.text(max_size=40) | st.from_regex(r"\A[ab(){}\[\]*+?|^$0-9,\\]{0,20}\Z", fullmatch=True))
def test_a_pattern_is_judged(pattern: str) -> None:
    fault = expressions.fault(pattern)

    assert fault is None or fault


TEXTS = st.text(max_size=80) | st.text(alphabet="ab:-[]{}&*!|>\"'%@#, \n\t~0", max_size=60)


@settings(max_examples=60)
@given(TEXTS | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_a_file_is_read_or_its_mistake_is_told_with_its_place(text: str) -> None:
    found: list[marked.Complaint] = []
    try:
        marked.read(text.encode("utf-8", "surrogatepass"))
    except marked.Broken as broken:
        found += broken.complaints
    assert all(complaint.line >= 1 and complaint.column >= 1 for complaint in found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return folder


MEMBERS = st.sampled_from(
    [
        "id",
        "name",
        "summary",
        "extends",
        "login",
        "driver",
        "options",
        "limits",
        "errors",
        "categories",
        "logo",
    ]
)
VALUES = st.sampled_from(
    [
        *(None, True, -1, 10**12, "", "x", "webdav", "acme", [], {}, [None], [{}], [[["deep"]]]),
        *({"x": {"y": None}}, {"en": "E", "xx": "?"}, {"kind": "webdav"}, {"kind": "none", "settings": [1]}),
        *([{"ask": "credentials"}], [{"ask": "credentials", "fields": [{"name": 1}]}]),
        [{"status": 401, "kind": "item_permanent"}],
    ]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(MEMBERS | st.text(max_size=6), VALUES, max_size=6))
def test_a_manifest_of_anything_has_its_mistakes_told_line_by_line(folder: Path, members: Any) -> None:
    file = folder / "manifest.yaml"
    file.write_text(yaml.safe_dump(members, allow_unicode=True))

    for complaint in manifests.check(file):
        assert complaint.line >= 1
        assert complaint.column >= 1
