"""The bytes of a document, fetched from the platform as they are sent on. Never wholly in memory, never kept.

Size and SHA-256 are checked by `providers.content.Body` while they pass. What cannot be fetched is told apart
from what the target does by its reason, `content_unavailable`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

from kit.tokens import ServiceTokens
from providers.codings import decoded
from providers.content import Body
from providers.errors import ProviderError
from providers.reach import Reach
from schemas.reasons import Reason

TOKEN_SECONDS = 300
_AS_IT_IS = ":/?#[]@!$&'()*+,;=%~"
GRIDFS = "gridfs:"


@dataclass(frozen=True, slots=True)
class Content:
    """What `DocumentReceived` said of a document's bytes. `size` in bytes, `sha256` in hex."""

    account: str
    document_id: str
    content_url: str
    size: int
    sha256: str
    media_type: str


class Files(Protocol):
    """The files that are kept here (`gridfs:`), told apart by account."""

    def read(self, account: str, file_id: str) -> AsyncIterator[bytes]:
        """The file's bytes in chunks.

        Raises:
            LookupError: there is none of this id, or it is another account's.
        """


class Contents:
    """Where documents' bytes come from.

    Args:
        reach: the guarded way to the platform. Its guard lets loopback through, the target's may not.
        tokens: `sync-runner`'s own, which the platform checks.
        files: what is kept here.
    """

    def __init__(self, reach: Reach, tokens: ServiceTokens, files: Files) -> None:
        self._reach = reach
        self._tokens = tokens
        self._files = files

    def body(self, content: Content) -> Body:
        """The bytes as drivers take them; they are fetched anew each time it is opened.

        Reading it raises `ProviderError`: `content_unavailable` (transient) or `content_changed`.
        """
        source = self._kept if content.content_url.startswith(GRIDFS) else self._fetched
        return Body(content.size, content.sha256, content.media_type, lambda: source(content))

    async def _fetched(self, content: Content) -> AsyncIterator[bytes]:
        try:
            url = quote(content.content_url, safe=_AS_IT_IS)
            headers = {"Authorization": f"Bearer {self._token(content)}"}
            async with self._reach.http.download(url, headers=headers) as (head, chunks):
                if head.status != 200:
                    raise unavailable(f"its address answered with status {head.status}")
                async for chunk in decoded(head.headers, chunks):
                    yield chunk
        except ProviderError as error:
            if error.reason is Reason.CONTENT_UNAVAILABLE:
                raise
            raise unavailable(_why(error)) from None

    async def _kept(self, content: Content) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._files.read(content.account, content.content_url.removeprefix(GRIDFS)):
                yield chunk
        except LookupError:
            raise unavailable("there is no such file of this account") from None

    def _token(self, content: Content) -> str:
        claims = {"account": content.account, "document_id": content.document_id}
        return self._tokens.issue(origin(content.content_url), claims, TOKEN_SECONDS)


def origin(url: str) -> str:
    """The origin of an address (RFC 6454 §6.2): `https://docs.example.org:8443`, a default port left out."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise unavailable("its address cannot be read") from None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def unavailable(why: str) -> ProviderError:
    """The platform does not give the bytes now; nothing is wrong with the target."""
    return ProviderError(
        "transient",
        Reason.CONTENT_UNAVAILABLE,
        f"The document could not be fetched from the platform: {why}. Please offer it there; we ask again.",
    )


def _why(error: ProviderError) -> str:
    return error.message.rstrip(".")
