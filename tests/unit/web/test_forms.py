"""Forms as browsers send them, and as only attackers do: each is read, or refused in words."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.types import Message

from web.forms import FormRefused, read_form, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("42", 42), ("", None), ("-1", None), ("²", None), ("٣", None), ("9" * 5000, None)],
)
def test_a_whole_number_is_written_in_plain_digits(text: str, number: int | None) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("length", [b"", b"\xb2", b"9" * 5000, b"1000001"])
async def test_a_form_with_a_file_says_its_length_or_is_not_read(length: bytes) -> None:
    async def receive() -> Message:
        raise AssertionError("nothing of it is read")

    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", length)]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)

    with pytest.raises(FormRefused) as refused:
        await read_form(request)
    assert refused.value.status == 413
