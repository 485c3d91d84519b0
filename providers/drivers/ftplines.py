"""FTP's control connections: made through the guard, logged in, and lent one transfer each. No files here.

Data connections go where the control connection went, whatever address the server names: behind NAT it often
names a private one, and it could name any other. They continue the control connection's TLS session (RFC 4217
§10.2), which many servers demand.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import aioftp
from aioftp.client import DataConnectionThrottleStreamIO
from aioftp.common import Code, SSLSessionBoundContext

from providers.drivers.ftpfaults import faults
from providers.egress import plain_host
from providers.errors import ProviderError
from providers.reach import Reach
from providers.words import words
from schemas.reasons import Reason

LOGIN_SECONDS = 30
IDLE_SECONDS = 15.0
"""A line that rested longer is asked whether it is still there."""
REPLY_BYTES = 256 * 1024

Security = Literal["explicit", "implicit", "none"]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line(aioftp.Client):
    """One control connection, with what its server can do.

    Attributes:
        features: what FEAT named, in capitals.
        used_at: monotonic seconds of its last use.
    """

    def __init__(self, reach: Reach, security: Security) -> None:
        super().__init__()
        self._reach = reach
        self._security = security
        self._peer = ""
        self._extended = True
        self._heard = 0
        self.features: frozenset[str] = frozenset()
        self.used_at = 0.0

    async def log_in(self, host: str, port: int, username: str, password: str) -> None:
        """Connect, secure the line, log in, and settle on binary transfers and UTF-8 (RFC 2640)."""
        await self.connect(host, port)
        if self._security == "explicit":
            await self.upgrade_to_tls(self._reach.tls)
        elif self._security == "implicit":
            await self.command("PBSZ 0", ("2xx", "5xx"))
            await self.command("PROT P", ("2xx", "5xx"))
        await self.login(username, password)
        await self.command("TYPE I", "200")
        code, lines = await self.command("FEAT", ("2xx", "5xx"))
        if code.matches("2xx"):
            self.features = frozenset(line.strip().split(" ")[0].upper() for line in lines)
        if "UTF8" in self.features:
            await self.command("OPTS UTF8 ON", ("2xx", "5xx"))

    async def data(self, command: str, start: int = 0) -> DataConnectionThrottleStreamIO:
        """The stream of a transfer that `command` starts; `finish` it, or hang up. It begins at byte `start`.

        TLS is set up while the reply comes: some servers wait with one for the other, some the other way
        round (aioftp's own order makes vsftpd wait for ever).
        """
        sock = await self._reach.guard.connect(self._peer, await self._passive())
        try:
            if start:
                await self.command(f"REST {start}", "350")
            await self.command(command)
        except BaseException:
            sock.close()
            raise
        opening = asyncio.create_task(self._opened(sock, self._session()))
        try:
            await self.command(None, "1xx")
            reader, writer = await opening
        except BaseException:
            opening.cancel()
            await asyncio.wait({opening})
            if opening.cancelled() or opening.exception() is not None:
                sock.close()
            else:
                opening.result()[1].close()
            raise
        return DataConnectionThrottleStreamIO(self, reader, writer, {"_": self.throttle})

    async def _passive(self) -> int:
        """The port of EPSV (RFC 2428), which names no address; else PASV's, whose address is not used."""
        if self._extended:
            try:
                return (await self._do_epsv())[1]
            except (aioftp.StatusCodeError, IndexError, ValueError):
                self._extended = False
        return (await self._do_pasv())[1]

    async def _open_connection(self, host: str, port: int) -> Streams:
        guard = self._reach.guard
        dial = guard.connect_plainly if self._security == "none" else guard.connect
        sock = await dial(host, port)
        try:
            self._peer = sock.getpeername()[0]
            return await self._opened(sock, self._reach.tls if self._security == "implicit" else None)
        except BaseException:
            sock.close()
            raise

    async def _opened(self, sock: socket.socket, tls: ssl.SSLContext | None) -> Streams:
        return await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname=self.server_host if tls else None
        )

    def _session(self) -> ssl.SSLContext | None:
        """The control connection's TLS, to be continued."""
        held = self.stream.writer.get_extra_info("ssl_object")
        if held is None:
            return None
        return SSLSessionBoundContext(ssl.PROTOCOL_TLS_CLIENT, context=held.context, session=held.session)

    async def parse_line(self) -> tuple[Code, str]:
        """As aioftp, for replies in any encoding and of a bearable length."""
        line = await self.stream.readline()
        self._heard += len(line)
        if not line or self._heard > REPLY_BYTES:
            self.close()
            raise ConnectionResetError
        text = line.decode("utf-8", "replace").rstrip()
        return Code(text[:3]), text[3:]

    async def command(self, *args: Any, **kwargs: Any) -> Any:
        """As aioftp; each command may be answered at length anew."""
        self._heard = 0
        return await super().command(*args, **kwargs)


def dialled(settings: Mapping[str, Any], reach: Reach) -> Callable[[], Awaitable[Line]]:
    """What makes one more line for these settings.

    Raises:
        ProviderError: `invalid` for what would be a command of its own (CR, LF).

    Raises (when what it returns is called):
        ProviderError: `credentials_wrong`, `host_unreachable`, `certificate_invalid`, `address_refused` …
    """
    host = plain_host(str(settings["host"]))
    for name in ("username", "password", "root"):
        if any(mark in str(settings.get(name) or "") for mark in "\r\n\0"):
            raise ProviderError("config", Reason.INVALID, words("one_line"), field=name)
    security: Security = settings.get("security") or "explicit"
    port = int(settings.get("port") or (990 if security == "implicit" else 21))

    async def dial() -> Line:
        line = Line(reach, security)
        try:
            with faults(host):
                async with asyncio.timeout(LOGIN_SECONDS):
                    await line.log_in(
                        host, port, str(settings["username"]), str(settings.get("password") or "")
                    )
        except BaseException:
            line.close()
            raise
        return line

    return dial


class Lines:
    """The lines of one login: as many as are needed at once, and as the server bears.

    Args:
        dial: makes one more.
        host: whom errors name.
        most: at once.
    """

    def __init__(self, dial: Callable[[], Awaitable[Line]], host: str, most: int) -> None:
        self._dial = dial
        self._host = host
        self._turns = asyncio.Semaphore(most)
        self._resting: list[Line] = []
        self._busy = 0

    @asynccontextmanager
    async def lent(self, seconds: float | None) -> AsyncIterator[Line]:
        """A line for one thing that takes `seconds` at most (None: as long as its bytes come).

        It is hung up when that did not end well.

        Raises:
            ProviderError: what the server refused, or that it is gone.
        """
        line = await self._taken()
        self._busy += 1
        in_step = False
        try:
            with faults(self._host):
                async with asyncio.timeout(seconds):
                    try:
                        yield line
                    except (aioftp.StatusCodeError, ProviderError):
                        in_step = True  # It was answered, so that the next command gets its own answer.
                        raise
            in_step = True
        finally:
            self._busy -= 1
            line.used_at = time.monotonic()
            if in_step and not line.stream.writer.is_closing():
                self._resting.append(line)
            else:
                line.close()
            self._turns.release()

    async def aclose(self) -> None:
        """Hang up."""
        while self._resting:
            line = self._resting.pop()
            line.close()
            await asyncio.wait({asyncio.ensure_future(line.stream.writer.wait_closed())}, timeout=1)

    async def _taken(self) -> Line:
        while True:
            await self._turns.acquire()
            try:
                return await self._alive() or await self._dial()
            except ProviderError:
                if not self._busy and not self._resting:
                    self._turns.release()
                    raise
                # The server bears no more than those in use: this turn is given up for good.
            except BaseException:
                self._turns.release()
                raise

    async def _alive(self) -> Line | None:
        while self._resting:
            line = self._resting.pop()
            if time.monotonic() - line.used_at < IDLE_SECONDS:
                return line
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await line.command("NOOP", "2xx")
            except (OSError, EOFError, TimeoutError, aioftp.StatusCodeError):
                line.close()
            else:
                return line
        return None
