"""XML of servers that mean us no good: read in time that grows with its size, and nothing in it expands."""

import time

import pytest

from providers.drivers import s3xml
from providers.drivers.davxml import Listed, listed
from providers.drivers.elements import PIECE, elements
from providers.errors import ProviderError
from providers.http import Answer

FOLDER = (
    "<d:response><d:href>/a/%d/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>"
    "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
)
ENTITY = "<!DOCTYPE x [<!ENTITY b 'bb'>]>"


def multistatus(inside: str, head: str = "") -> str:
    return f'{head}<d:multistatus xmlns:d="DAV:">{inside}</d:multistatus>'


def dav(body: bytes) -> list[Listed]:
    return listed(Answer(207, {}, body))


def test_a_long_listing_is_read_whole_across_its_pieces():
    body = multistatus("".join(FOLDER % number for number in range(2000))).encode()
    assert len(body) > 4 * PIECE

    found = dav(body)
    assert [each.name for each in found] == [str(number) for number in range(2000)]
    assert all(each.is_folder for each in found)


def test_answers_inside_answers_are_not_looked_for():
    """Looking for them was quadratic: 84 KB took most of a second, 16 MB would have taken hours."""
    depth = 30_000
    began = time.process_time()
    found = dav(multistatus("<d:response>" * depth + "</d:response>" * depth).encode())

    assert len(found) == 1
    assert time.process_time() - began < 10, "linear takes tenths of a second, quadratic minutes"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-7"])
def test_no_entity_is_expanded_in_whatever_encoding_it_comes(encoding: str):
    head = f"<?xml version='1.0' encoding='{encoding}'?>{ENTITY}"
    answer = multistatus("<d:response><d:href>/&b;</d:href></d:response>", head).encode(encoding)
    page = f"{head}<L><CommonPrefixes><Prefix>&b;</Prefix></CommonPrefixes></L>".encode(encoding)
    fault = f"{head}<Error><Code>NoSuch&b;</Code></Error>".encode(encoding)

    with pytest.raises(ProviderError, match="no WebDAV"):
        dav(answer)
    with pytest.raises(ProviderError, match="no S3"):
        s3xml.listing(page)
    assert s3xml.why(fault, None) is None


def test_more_elements_than_any_listing_has_are_refused_before_they_fill_the_memory():
    with pytest.raises(ValueError, match="too many"):
        list(elements(b"<a>" + b"<b/>" * 10 + b"</a>", most=10))
    assert len(list(elements(b"<a>" + b"<b/>" * 9 + b"</a>", most=10))) == 9


@pytest.mark.parametrize("body", [b"", b"<a>", b"<a></b>", b"<a/><a/>", b"\xff<a/>", b"nothing"])
def test_what_is_no_xml_is_told(body: bytes):
    with pytest.raises(ValueError, match=r"."):
        list(elements(body))


def test_a_page_of_a_bucket_is_read_whatever_its_namespace():
    for name in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        page = (
            f"<L{name}><CommonPrefixes><Prefix>a%2Fb/</Prefix></CommonPrefixes>"
            "<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>"
            "<NextContinuationToken>more</NextContinuationToken></L>"
        )
        assert s3xml.listing(page.encode()) == s3xml.Listing(["a/b/", "c/"], [], "more")
