"""The one HTTP stack: aiohttp behind the egress guard, with the httpx API over it. No provider's habits here.

Redirects are never followed, the environment's proxies and cookies never used, answers never read beyond
a cap. `Http.exchange` is the short way that drivers take (4 times as many uploads a second as bare httpx);
`Http.client` has the httpx API for libraries and logins. Both go through the same connections.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypedDict, Unpack

import aiohttp
from yarl import URL

from providers.codings import decoded
from providers.content import Body
from providers.egress import Guard, unreachable, untrusted, url_parts
from providers.errors import ProviderError, broken_off, of_status, waiting
from providers.wire import GuardedNames, Streamed, checked_socket
from providers.words import words
from schemas.manifest import ErrorRule
from schemas.reasons import Reason

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CALL_SECONDS = 120.0
SLOWEST = 50_000
"""Bytes a second: a document that goes or comes more slowly counts as stuck."""
ANSWER_BYTES = 64 * 1024
CONNECTIONS_A_HOST = 32


class Asked(TypedDict, total=False):
    """What one request may hold besides its method and its address.

    Attributes:
        headers: as they are.
        content: the body; a `Body` is streamed, with its size, and sent anew if the connection was stale.
        most: bytes of the answer that are read (`ANSWER_BYTES`); what is longer is cut off.
    """

    headers: Mapping[str, str] | None
    content: bytes | Body | None
    most: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, its headers (any case) and its body up to the cap.

    `resent`: the document was sent twice, because the line ended before the first answer. A conflict may then
    be with itself.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    """It may be a token."""
    resent: bool = False

    def error(self, rules: Iterable[ErrorRule], now: datetime) -> ProviderError:
        """This answer as an error, by the manifest's rules and the default table."""
        text = self.body[:4096].decode("utf-8", "replace")
        wait = waiting(self.headers.get("Retry-After"), now)
        return of_status(self.status, rules, body=text, wait=wait)


class Http:
    """One process's HTTP. Made cheaply; connects on first use.

    Args:
        guard: which addresses may be spoken to.
        clock: the time of day in UTC, for waits that are given as dates.
        ca_file: certificates to trust besides the system's.
        patience: seconds for a whole call, beside the time for what it moves.
    """

    def __init__(
        self,
        guard: Guard,
        clock: Callable[[], datetime],
        ca_file: str | None = None,
        patience: float = CALL_SECONDS,
    ) -> None:
        self._guard = guard
        self._patience = patience
        self._ca_file = ca_file
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._client: httpx.AsyncClient | None = None
        self.clock = clock

    @property
    def client(self) -> httpx.AsyncClient:
        """The httpx API over the same guarded connections. Do not close it."""
        if self._client is None:
            import httpx
            from httpx_aiohttp import AiohttpTransport

            self._client = httpx.AsyncClient(
                mounts={
                    "https://": AiohttpTransport(client=self._session(secure=True), verify=self._tls),
                    "http://": AiohttpTransport(client=self._session(secure=False), verify=self._tls),
                },
                follow_redirects=False,
                trust_env=False,
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            )
        return self._client

    async def exchange(self, method: str, url: str, **asked: Unpack[Asked]) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Args:
            method: any, `PROPFIND` too.
            url: percent-encoded already; it is sent as it is.
            asked: see `Asked`.

        Raises:
            ProviderError: `address_refused`, `host_unreachable`, `certificate_invalid`, `provider_down`;
                and what
                reading the `Body` raised, such as `content_changed`.
        """
        content = asked.get("content")
        data = Streamed(content) if isinstance(content, Body) else content
        seconds = self.seconds_for(content.size if isinstance(content, Body) else 0)
        async with self._asked(method, url, asked.get("headers"), data, seconds) as answer:
            resent = isinstance(data, Streamed) and data.sent > 1
            body = await _read(answer, asked.get("most", ANSWER_BYTES))
            return Answer(answer.status, answer.headers, body, resent)

    @asynccontextmanager
    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, size: int | None = None
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """GET as a stream: the answer's head (its body empty) and its chunks as they are sent, to be read
        inside the `async with`. See `providers.codings` for what a server compressed unasked.

        Args:
            url: as in `exchange`.
            headers: as they are.
            size: bytes that are expected: the whole has the time that so many may take. Without it, whoever
                takes the chunks sets the pace.

        Raises:
            ProviderError: as `exchange`.
        """
        async with self._asked(
            "GET", url, headers, None, None if size is None else self.seconds_for(size)
        ) as answer:
            yield Answer(answer.status, answer.headers, b""), answer.content.iter_any()

    async def digest(
        self, url: str, size: int, *, headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, str | None]:
        """GET for its hash alone: the answer's head, and the SHA-256 (hex) of its body.

        None where the body has not `size` bytes; not more of it is read.

        Raises:
            ProviderError: as `exchange`.
        """
        seen, digest = 0, hashlib.sha256()
        async with self.download(url, headers=headers, size=size) as (head, chunks):
            async for chunk in decoded(head.headers, chunks):
                seen += len(chunk)
                if seen > size:
                    break
                digest.update(chunk)
        return head, digest.hexdigest() if seen == size else None

    def seconds_for(self, size: int) -> float:
        """How long a call may take that moves so many bytes."""
        return self._patience + size / SLOWEST

    async def aclose(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        self._client = None

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        data: bytes | Streamed | None,
        seconds: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        host, _, secure = url_parts(url)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        try:
            async with self._session(secure=secure).request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=data,
                timeout=timeout,
                allow_redirects=False,
                skip_auto_headers=() if data else ("Content-Type",),  # nothing is of no type
            ) as answer:
                yield answer
        except aiohttp.ClientError as error:
            if isinstance(data, Streamed) and data.failure is not None:
                raise data.failure from None
            raise _translated(error, host) from None
        except TimeoutError:
            raise broken_off(host) from None

    def _session(self, *, secure: bool) -> aiohttp.ClientSession:
        """Two pools, by scheme: over plain http only listed private networks are spoken to."""
        if secure not in self._sessions:
            allow = self._guard.allows if secure else self._guard.is_private
            connector = aiohttp.TCPConnector(
                ssl=self._tls if secure else True,
                resolver=GuardedNames(self._guard, allow),
                socket_factory=checked_socket(allow),
                limit=0,
                limit_per_host=CONNECTIONS_A_HOST,
                ttl_dns_cache=30,
            )
            self._sessions[secure] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "paperbus", "Accept-Encoding": "identity"},
                trust_env=False,
                auto_decompress=False,  # a stored object stays what it is; `decoded` has limits
            )
        return self._sessions[secure]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once it is needed: to read the system's certificates takes a tenth of a second."""
        return trusting(self._ca_file)


def trusting(ca_file: str | None) -> ssl.SSLContext:
    """TLS as a client: certificates and names are checked; `ca_file` is trusted besides the system's."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def encoded(url: str) -> str:
    """The address as it is sent: percent-encoded, its host in ASCII, without query, fragment and last slash.

    Raises:
        ProviderError: `invalid`, see `providers.egress.url_parts`.
    """
    url_parts(url)
    try:
        return str(URL(url.strip()).with_query(None).with_fragment(None)).rstrip("/")
    except ValueError:
        raise ProviderError("config", Reason.INVALID, words("full_address")) from None


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    parts, seen = [], 0
    async for chunk in decoded(answer.headers, answer.content.iter_any()):
        parts.append(chunk)
        seen += len(chunk)
        if seen >= most:
            answer.close()
            break
    return b"".join(parts)[:most]


def _translated(error: aiohttp.ClientError, host: str) -> ProviderError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return untrusted(host)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return unreachable(host)
    return broken_off(host)
