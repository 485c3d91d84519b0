"""Forms as browsers send them, read with an end to their size. What they mean is decided elsewhere."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.requests import Request

LARGEST = 200_000
"""Bytes of one form."""
Form: TypeAlias = dict[str, list[str]]


class FormRefused(Exception):
    """A form that is not read: too large (413), or no form (400)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"form refused with {status}")
        self.status = status


async def read_form(request: Request) -> Form:
    """The fields of an `application/x-www-form-urlencoded` body; no part of it touches a disk.

    Raises:
        FormRefused: over 200 kB, over 200 fields, or not UTF-8.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise FormRefused(413)
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise FormRefused(400) from None


def first(form: Form, name: str) -> str:
    """The first value of a field; empty where there is none."""
    return form.get(name, [""])[0]
