"""HTTP in: the bytes of imported documents, whole or in ranges (RFC 9110 §14), for their account alone."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from typing import Protocol
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from kit.http import Caller, not_found
from sync_runner.store.contents import Content

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Shelf(Protocol):
    """Where the bytes are."""

    async def about(self, content_id: str) -> Content | None:
        """What is kept under this id."""

    def read(self, content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop`."""


def routes(shelf: Shelf) -> APIRouter:
    """`GET` and `HEAD /v1/content/{id}`."""
    router = APIRouter(tags=["content"])

    @router.api_route("/v1/content/{content_id}", methods=["GET", "HEAD"])
    async def content(content_id: str, caller: Caller, request: Request) -> Response:
        """The bytes of an imported document, as they were at the source. 404 once they were let go."""
        found = await shelf.about(content_id)
        if found is None or not caller.may_see(found.account):
            raise not_found("content")
        asked = request.headers.get("range")
        if request.headers.get("if-range") not in (None, _tag(found)):
            asked = None
        part = wanted(asked, found.size)
        headers = _headers(found)
        if part is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{found.size}"})
        start, stop = part
        headers["Content-Length"] = str(stop - start)
        partial = (start, stop) != (0, found.size)
        if partial:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
        if request.method == "HEAD" or start == stop:
            return Response(status_code=206 if partial else 200, headers=headers)
        return StreamingResponse(shelf.read(found, start, stop), 206 if partial else 200, headers)

    return router


def wanted(asked: str | None, size: int) -> tuple[int, int] | None:
    """From where to where (exclusive). None: nothing of it lies in the file. Several ranges get the whole."""
    match = _RANGE.fullmatch((asked or "").strip())
    if match is None or not any(match.groups()):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    stop = min(size, int(last) + 1) if last else size
    return (int(first), stop) if int(first) < stop else None


def _headers(content: Content) -> dict[str, str]:
    return {
        "Content-Type": content.media_type,
        "Accept-Ranges": "bytes",
        "ETag": _tag(content),
        "Repr-Digest": f"sha-256=:{_base64(content.sha256)}:",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(content.filename, safe='')}",
    }


def _tag(content: Content) -> str:
    return f'"{content.sha256}"'


def _base64(hexed: str) -> str:
    return base64.b64encode(bytes.fromhex(hexed)).decode()
