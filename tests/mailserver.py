"""A mail server that nobody here wrote (aiosmtpd), on loopback, and what it was sent."""

import contextlib
import email
import email.policy
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from targets import PASSWORD, USER

from paperbus.local.folder import free_port


@dataclass
class Mailserver:
    """What it answers, by addressee and at the end, and every mail that it took.

    `last` is said to a whole letter; None hangs up instead, after taking it.
    """

    recipients: dict[str, str] = field(default_factory=dict)
    last: str | None = "250 2.0.0 taken"
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        if (said := self.recipients.get(address)) is not None:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.last is None or self.last.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
            assert isinstance(mail, EmailMessage)
            self.taken.append(mail)
            self.raw.append(envelope.content)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        if self.last is None:
            server.transport.abort()
            return "250 nobody hears this"
        return self.last

    def documents(self) -> list[dict[str, bytes]]:
        """The attachments of each mail, by name."""
        return [
            {str(part.get_filename()): part.get_payload(decode=True) for part in mail.iter_attachments()}  # type: ignore[misc]
            for mail in self.taken
        ]


def _lets_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=isinstance(data, LoginPassword) and data == right, handled=False)


@contextlib.contextmanager
def mailserver(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, most: int = 3_000_000, **said: Any
) -> Iterator[Mailserver]:
    """For as long as the block runs; with `tls` after STARTTLS, or `at_once`."""
    server = Mailserver(**said)
    controller = Controller(
        server,
        "127.0.0.1",
        free_port(),
        data_size_limit=most,
        authenticator=_lets_in,
        auth_required=True,
        auth_require_tls=tls is not None and not at_once,
        require_starttls=tls is not None and not at_once,
        tls_context=None if at_once else tls,
        ssl_context=tls if at_once else None,
        enable_SMTPUTF8=False,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")  # on loopback, knowingly
        controller.start()
        try:
            server.port = controller.port
            yield server
        finally:
            controller.stop()
