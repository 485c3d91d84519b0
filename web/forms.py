"""Forms as browsers send them, read with an end to their size. What they mean is decided elsewhere."""

from __future__ import annotations

import base64
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST = 200_000
"""Bytes of one form."""
LARGEST_WITH_FILE = 1_000_000
MOST_DIGITS = 15
"""Of a number: what JSON and every store keep exactly."""
Form: TypeAlias = dict[str, list[str]]


class FormRefused(Exception):
    """A form that is not read: too large (413), or no form (400)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"form refused with {status}")
        self.status = status


async def read_form(request: Request) -> Form:
    """The fields of a form's body; no part of it touches a disk. A file is the text of a `data:` address.

    Raises:
        FormRefused: over 200 kB (1 MB with a file), over 200 fields, or not UTF-8.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _with_file(request)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise FormRefused(413)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise FormRefused(400) from None


async def _with_file(request: Request) -> Form:
    """Under the size from which on Starlette would write a file to the disk."""
    size = whole(request.headers.get("content-length", ""))
    if size is None or size > LARGEST_WITH_FILE:
        raise FormRefused(413)
    found: Form = {}
    try:
        async with request.form(max_files=1, max_fields=200) as form:
            for name, value in form.multi_items():
                text = value if isinstance(value, str) else await _address(value)
                found.setdefault(name, []).append(text)
    except HTTPException:
        raise FormRefused(400) from None
    return found


async def _address(file: UploadFile) -> str:
    """A file as a `data:` address; an empty one, which is none, as nothing."""
    content = await file.read()
    if not content:
        return ""
    return f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"


def whole(text: str) -> int | None:
    """A whole number in plain digits; None where it is none: `isdigit` takes "²", and `int` does not."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def first(form: Form, name: str) -> str:
    """The first value of a field; empty where there is none."""
    return form.get(name, [""])[0]
