"""Addresses are sent as one would type them into a browser, and nothing follows them in."""

import pytest

from providers.egress import Guard
from providers.errors import ProviderError
from providers.http import encoded
from schemas.reasons import Reason


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://dav.example", "https://dav.example"),
        ("https://dav.example/a b/", "https://dav.example/a%20b"),
        ("https://dav.example/f\u00fcr%20dich", "https://dav.example/f%C3%BCr%20dich"),
        ("https://b\u00fccher.example:8443/x/", "https://xn--bcher-kva.example:8443/x"),
        ("https://dav.example/x?token=1#here", "https://dav.example/x"),
        (" https://dav.example/x ", "https://dav.example/x"),
    ],
)
def test_an_address_is_encoded_once(typed: str, sent: str):
    assert encoded(typed) == encoded(sent) == sent


@pytest.mark.parametrize(
    "typed", ["dav.example", "javascript:alert(1)", "https://u:p@dav.example/", "https://[::1"]
)
def test_what_is_no_address_is_told(typed: str):
    with pytest.raises(ProviderError) as caught:
        encoded(typed)

    assert caught.value.reason is Reason.INVALID


@pytest.mark.parametrize("host", ["nul\0.example", "a" * 300, "..", "", " ", "ex ample.invalid"])
async def test_a_host_that_cannot_be_is_unreachable_or_refused(host: str):
    with pytest.raises(ProviderError) as caught:
        await Guard().connect(host, 99_999)

    assert caught.value.reason in (Reason.HOST_UNREACHABLE, Reason.ADDRESS_REFUSED)
