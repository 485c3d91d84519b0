"""One logged-in IMAP connection (RFC 3501) in a thread of its own: guarded, timed, its faults classed.

IMAPClient speaks the protocol; the socket comes from the egress guard. It knows no documents.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import imapclient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from providers.egress import plain_host, untrusted
from providers.errors import ProviderError, broken_off
from providers.reach import Reach
from providers.words import words
from schemas.reasons import Reason

SECONDS = 60.0
"""For one answer."""
T = TypeVar("T")


class _Imap4(imaplib.IMAP4):
    """imaplib over a socket that is connected already."""

    def __init__(self, host: str, sock: socket.socket) -> None:
        self._ready = sock
        super().__init__(host)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        del timeout
        return self._ready


class _Client(imapclient.IMAPClient):  # type: ignore[misc]  # the library ships no types
    """IMAPClient over a socket that is connected already; nothing of its talk is logged."""

    def __init__(self, host: str, sock: socket.socket) -> None:
        self._ready = sock
        super().__init__(host, ssl=False)
        self._imap.debug = 0

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - the library's name
        return _Imap4(self.host, self._ready)

    def _set_read_timeout(self) -> None:
        self._ready.settimeout(SECONDS)


class Line:
    """A connection that was logged in. Calls come one after another, in its thread.

    Args:
        settings: `host`, `port`, `security`, `username`, and `password` or `access_token`.
        reach: the guarded way out.
    """

    def __init__(self, settings: Mapping[str, Any], reach: Reach) -> None:
        self.host = plain_host(str(settings["host"]))
        self._settings = settings
        self._reach = reach
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._socket: socket.socket | None = None
        self._client: _Client | None = None
        self.capabilities: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Connect and log in.

        Raises:
            ProviderError: `credentials_wrong`, `host_unreachable`, `certificate_invalid`, `address_refused` …
        """
        security = str(self._settings.get("security") or "tls")
        port = int(self._settings.get("port") or (993 if security == "tls" else 143))
        guard = self._reach.guard
        plain = security == "none"
        sock = await (guard.connect_plainly if plain else guard.connect)(self.host, port)
        self._socket = sock
        await self._in_thread(lambda: self._greet(sock, security))

    def _greet(self, sock: socket.socket, security: str) -> None:
        sock.settimeout(SECONDS)
        if security == "tls":
            sock = self._socket = self._reach.tls.wrap_socket(sock, server_hostname=self.host)
        client = self._client = _Client(self.host, sock)
        if security == "starttls":
            client.starttls(self._reach.tls)
            self._socket = client.socket()
            self._socket.settimeout(SECONDS)
        self._log_in(client)
        self.capabilities = frozenset(name.decode().upper() for name in client.capabilities())

    def _log_in(self, client: _Client) -> None:
        user = str(self._settings["username"])
        try:
            if token := self._settings.get("access_token"):
                client.oauth2_login(user, str(token))
            else:
                client.login(user, str(self._settings.get("password", "")))
        except (LoginError, IMAPClientAbortError) as error:
            raise _login_refused(str(error), self.host) from None

    async def call(self, work: Callable[[Any], T]) -> T:
        """Do something with the client, in its thread.

        Raises:
            ProviderError: the connection broke, or the server said no.
        """
        client = self._client
        if client is None:
            raise broken_off(self.host)
        return await self._in_thread(lambda: work(client))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except ssl.SSLCertVerificationError:
            raise untrusted(self.host) from None
        except (TimeoutError, IMAPClientAbortError, OSError, EOFError) as error:
            if isinstance(error, ssl.SSLError) and self._client is None:
                raise untrusted(self.host) from None
            raise broken_off(self.host) from None
        except IMAPClientError as error:
            raise fault(str(error)) from None

    async def close(self) -> None:
        """Hang up; whatever a call was waiting for ends."""
        sock, self._socket = self._socket, None
        client, self._client = self._client, None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        # Its thread closes what it reads from: nobody else may while it does.
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().run_in_executor(self._thread, _closed, client, sock)
        self._thread.shutdown(wait=False)


def _closed(client: _Client | None, sock: socket.socket | None) -> None:
    if client is not None:
        with contextlib.suppress(OSError):
            client.shutdown()
    if sock is not None:
        sock.close()


def _login_refused(text: str, host: str) -> ProviderError:
    """Whether it is the password, or the server's own trouble (RFC 5530)."""
    said = text.upper()
    if "UNAVAILABLE" in said or "INUSE" in said:
        return broken_off(host)
    if "LIMIT" in said or "TOO MANY" in said or "THROTTL" in said:
        return ProviderError("rate_limited", Reason.RATE_LIMITED, words("pause"), retry_after=900)
    if "EXPIRED" in said:
        return ProviderError("auth", Reason.PASSWORD_EXPIRED, words("login_refused"))
    if "PRIVACYREQUIRED" in said or "LOGINDISABLED" in said:
        return ProviderError("config", Reason.INVALID, words("needs_tls"), field="security")
    return ProviderError("auth", Reason.CREDENTIALS_WRONG, words("login_refused"), field="password")


def fault(text: str) -> ProviderError:
    """What a NO or BAD means (RFC 5530 codes, else what servers are used to say)."""
    said = text.upper()
    if "NONEXISTENT" in said or "TRYCREATE" in said or "DOESN'T EXIST" in said or "UNKNOWN MAILBOX" in said:
        return ProviderError("config", Reason.DESTINATION_MISSING, words("no_mailbox"), field="mailbox")
    if "NOPERM" in said or "PERMISSION" in said or "READ-ONLY" in said:
        return ProviderError("config", Reason.PERMISSION_MISSING, words("not_allowed"))
    if "OVERQUOTA" in said:
        return ProviderError("config", Reason.QUOTA_FULL, words("no_space"))
    if "LIMIT" in said or "THROTTL" in said or "TOO MANY" in said:
        return ProviderError("rate_limited", Reason.RATE_LIMITED, words("pause"))
    return ProviderError("transient", Reason.PROVIDER_DOWN, words("trouble", status="IMAP"))
