"""Letters by SMTP submission (RFC 6409, 5321), over TLS unless on a listed private network. No files.

A letter is handed over once. What was said before its last dot means that nothing arrives; a lost answer to
the dot itself is `Unsure`. What the server takes at most is learnt from its EHLO (RFC 1870).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import getaddresses
from typing import Any

import aiosmtplib
from aiosmtplib import SMTP

from providers.drivers import Capabilities, Driver, identity_of
from providers.drivers.mime import encoded, encoded_size, end, head, part
from providers.drivers.smtpfaults import At, faults, of_reply
from providers.egress import plain_host
from providers.errors import ProviderError, broken_off
from providers.outbox import Committing, Letter, Posted, Unsure
from providers.reach import Reach
from providers.words import words
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason

LOGIN_SECONDS = 30
HEADERS = 4096
"""Bytes of a letter beside its documents: what its head and text may come to."""
PART = 1024
"""The same for the head of one document."""
BUFFERED = 1024 * 1024
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


@asynccontextmanager
async def open_driver(
    manifest: Manifest, settings: Mapping[str, Any], options: Mapping[str, Any], reach: Reach
) -> AsyncIterator[Driver]:
    """One login, in one session at a time. Options: `to`, the addressees."""
    host = plain_host(str(settings["host"]))
    security = str(settings.get("security") or "tls")
    port = int(settings.get("port") or _PORTS.get(security, 465))

    async def connect() -> SMTP:
        dial = reach.guard.connect_plainly if security == "none" else reach.guard.connect
        session = SMTP(
            sock=await dial(host, port),
            start_tls=False,
            local_hostname="localhost",
            timeout=LOGIN_SECONDS,
            tls_context=reach.tls,
        )
        try:
            await _logged_in(session, host, security, settings)
        except BaseException:
            session.close()
            raise
        return session

    outbox = Smtp(manifest, settings, options, reach, connect)
    await outbox.open()
    try:
        yield outbox  # type: ignore[misc]  # an `Outbox`; of `Driver` it has what a login asks for
    finally:
        outbox.close()


async def _logged_in(session: SMTP, host: str, security: str, settings: Mapping[str, Any]) -> None:
    session.hostname = host
    session.use_tls = security == "tls"
    with faults("letter", host):
        await session.connect()
        await session.ehlo()
        if security == "starttls":
            if not session.supports_extension("starttls"):
                raise ProviderError("config", Reason.PROVIDER_CHANGED, words("no_smtp_tls", host=host))
            await session.starttls(server_hostname=host)
            await session.ehlo()
    username, password = settings.get("username"), settings.get("password")
    if token := settings.get("access_token"):
        with faults("login", host):
            await session.auth_xoauth2(str(username or ""), str(token))
        return
    if not username and not password:
        return
    ways = {"plain": session.auth_plain, "login": session.auth_login, "cram-md5": session.auth_crammd5}
    way = next((ways[name] for name in ways if name in session.server_auth_methods), None)
    if way is None:
        raise ProviderError("config", Reason.PROVIDER_CHANGED, words("no_smtp_login", host=host))
    with faults("login", host):
        # One way alone: aiosmtplib's `login` tries a wrong password in each, and providers count that.
        await way(str(username or ""), str(password or ""))


class Smtp:
    """`providers.outbox.Outbox`, and of `Driver` what a login asks for."""

    def __init__(
        self,
        manifest: Manifest,
        settings: Mapping[str, Any],
        options: Mapping[str, Any],
        reach: Reach,
        connect: Callable[[], Awaitable[SMTP]],
    ) -> None:
        self._connect = connect
        self._session = SMTP(hostname="never-connected")
        self._host = plain_host(str(settings["host"]))
        self._sender = str(settings.get("sender") or settings.get("username") or "")
        self._to = str(settings.get("to") or options.get("to") or "")
        self._reach = reach
        self._identity = identity_of(manifest, settings, self._sender)
        self._allowed = manifest.limits.max_bytes
        self.most_bytes: int | None = None
        self.capabilities = Capabilities(
            create_only=False, atomic_put=True, conditional_replace=False, concurrency=1
        )

    async def open(self) -> None:
        """Log in where no session is open, and learn what the server takes at most."""
        if self._session.is_connected:
            return
        self._session = await self._connect()
        said = self._session.esmtp_extensions.get("size", "")
        limits = [int(said)] if said.isdigit() and int(said) > 0 else []  # 0 is no limit (RFC 1870 §5)
        limits += [self._allowed] if self._allowed else []
        self.most_bytes = min(limits, default=None)

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    async def check(self) -> None:
        """That the server lets this sender in; nothing is sent."""
        await self._answered("sender", b"MAIL", f"FROM:<{_address(self._sender)}>".encode())
        with faults("letter", self._host):
            await self._session.rset()

    async def identity(self) -> str:
        """The sender's address, or the manifest's pattern."""
        return self._identity

    async def choices(self, option: str, query: str = "", parent: str | None = None) -> list[Choice]:
        """Nothing: a mail server tells nobody who its addressees are."""
        del option, query, parent
        return []

    def message_id(self, reference: str) -> str:
        """At the sender's own domain, as receivers expect it (RFC 5322 §3.6.4)."""
        return f"{reference}@{_address(self._sender).rpartition('@')[2] or 'localhost'}"

    def weight(self, name: str, size: int) -> int:
        """As base64, with its head."""
        return PART + 3 * len(name.encode()) + encoded_size(size)

    async def send(self, letter: Letter, committing: Committing) -> Posted:
        """MAIL, RCPT for each, DATA in pieces; the last dot alone decides."""
        await self.open()
        weight = HEADERS + sum(self.weight(each.name, each.body.size) for each in letter.enclosures)
        if self.most_bytes is not None and weight > self.most_bytes:
            raise ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, words("too_large"))
        message_id = self.message_id(letter.reference)
        seconds = self._reach.http.seconds_for(weight)
        with faults("letter", self._host):
            async with asyncio.timeout(seconds):
                refused = await self._envelope(_addressees(self._to), weight)
        try:
            with faults("letter", self._host):
                async with asyncio.timeout(seconds):
                    await self._content(letter, message_id)
            await committing()
        except BaseException:
            self._session.close()  # in the middle of DATA there is no other way not to send it
            raise
        await self._dot()
        return Posted(message_id, refused)

    async def _envelope(self, addressees: list[str], weight: int) -> list[str]:
        """Who is refused for good. A refusal that may pass, or of everybody, sends nothing."""
        size = [f"SIZE={weight}".encode()] if self._session.supports_extension("size") else []
        await self._answered("sender", b"MAIL", f"FROM:<{_address(self._sender)}>".encode(), *size)
        refused, error = [], None
        for each in addressees:
            try:
                await self._answered("addressee", b"RCPT", f"TO:<{each}>".encode())
            except ProviderError as refusal:
                error = refusal
                if refusal.later or refusal.kind == "item_permanent":
                    break
                refused.append(each)
        if error is not None and (error.later or len(refused) == len(addressees) or error.field != "to"):
            with faults("letter", self._host):
                await self._session.rset()
            raise error
        await self._answered("letter", b"DATA")
        return refused

    async def _content(self, letter: Letter, message_id: str) -> None:
        """Everything but the last dot. A line that begins with one gets another (RFC 5321 §4.5.2): only the
        text can have such lines.
        """
        top = head(letter, message_id, self._sender, self._to, self._reach.clock())
        await self._write(top.replace(b"\r\n.", b"\r\n.."))
        for number, each in enumerate(letter.enclosures):
            await self._write(part(letter, each.name, each.body.media_type))
            async for lines in encoded(number, each.body):
                await self._write(lines)
        await self._write(end(letter))

    async def _write(self, data: bytes) -> None:
        transport = self._session.transport
        if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
            raise broken_off(self._host)
        transport.write(data)
        while transport.get_write_buffer_size() > BUFFERED:
            await asyncio.sleep(0.005)
            if transport.is_closing():
                raise broken_off(self._host)

    async def _dot(self) -> None:
        if not self._session.is_connected:
            raise broken_off(self._host)
        try:
            reply = await self._session.execute_command(b".", timeout=self._reach.http.seconds_for(0))
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            raise Unsure("transient", Reason.INTERRUPTED, words("mail_unsure", host=self._host)) from None
        if reply.code != 250:
            raise of_reply("letter", reply.code, reply.message, self._host)

    async def _answered(self, at: At, *command: bytes) -> None:
        with faults(at, self._host):
            reply = await self._session.execute_command(*command, timeout=LOGIN_SECONDS)
        if reply.code not in (250, 251, 252, 354):
            raise of_reply(at, reply.code, reply.message, self._host)


def _addressees(to: str) -> list[str]:
    """The addresses of `to`, which may hold several, with names.

    Raises:
        ProviderError: `invalid` where there is none.
    """
    found = [address for _, address in getaddresses([to.replace(";", ",")]) if address]
    if not found or any("@" not in address for address in found):
        raise _no_address()
    return list(dict.fromkeys(_address(each) for each in found))


def _no_address() -> ProviderError:
    return ProviderError("config", Reason.INVALID, words("no_address"), field="to")


def _address(text: str) -> str:
    """The bare address, its domain in ASCII.

    Raises:
        ProviderError: `invalid` for what would leave its place in the command.
    """
    address = next((bare for _, bare in getaddresses([text])), "")
    local, _, domain = address.rpartition("@")
    if any(not letter.isprintable() or letter in '<> "' for letter in address) or not local.isascii():
        raise _no_address()
    return f"{local}@{plain_host(domain)}" if domain else address
