"""A mail whose long bodies were cut out while it was parsed is the mail that `email` makes of the whole."""

import base64
import email
from email.message import Message
from email.policy import compat32
from typing import Any

import pytest
from hypothesis import example, given, strategies as some
from mails import a_mail

from sync_runner.opening import cutting
from sync_runner.opening.mails import parsed

RUN = base64.encodebytes(bytes(range(256)) * 12).replace(b"\n", b"\r\n")
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n"
LINES = (
    b"",
    b"--b",
    b"--b--",
    b"--c",
    b"--c--",
    b"text",
    b"\xfcber",
    b"Subject: x",
    b" folded",
    b"From jane",
    b"Content-Type: text/plain; charset=utf-8",
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: multipart/alternative; boundary=c",
    b"Content-Type: message/rfc822",
    b"Content-Type: message/delivery-status",
    b"Content-Transfer-Encoding: base64",
    RUN,
    RUN.replace(b"\r", b"").rstrip(),
    RUN[:80] + b"\xfc<p>: x</p>\r\n" * 200,
)
A_LINE = some.builds(bytes.__add__, some.sampled_from(LINES), some.sampled_from((b"\r\n", b"\n", b"\r")))


def like(message: Message) -> Any:
    """All that a parsed mail says, to be compared."""
    payload = message._payload  # type: ignore[attr-defined]  # get_payload() guesses at charsets
    parts = [like(each) for each in payload] if isinstance(payload, list) else payload
    return (
        message.items(),
        [type(each) for each in message.defects],
        message.preamble,
        message.epilogue,
        parts,
    )


@given(some.lists(A_LINE, max_size=30).map(b"".join))
@example(MIXED + b"\r\n--b\r\n\r\n" + RUN + b"--b--\r\n" + RUN)
@example(MIXED + b"\r\n" + RUN + b"--b\r\n\r\nx\r\n--b--\r\n")
@example(b"Content-Type: message/delivery-status\r\n\r\n" + RUN + b"\r" + RUN)
@example(b"\r\n" + RUN + b"\r--b\r" + RUN)
@example(b"Content-Type: message/rfc822\r\n\r\n" + b"X: y\r\n" * 600)
@example(MIXED + b"\r\n--b\r\n" + b"X: y\r\n" * 600 + b"--b--")
def test_any_mail_is_parsed_as_email_parses_it(data: bytes) -> None:
    rest, bodies = cutting.cut(data)
    message = email.message_from_bytes(rest, policy=compat32)

    if cutting.restore(message, bodies):
        assert like(message) == like(email.message_from_bytes(data, policy=compat32))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_attachments_and_the_body_of_a_mail_without_parts_are_cut(end: bytes) -> None:
    whole = a_mail(1, *((name, b"%PDF" + bytes(9000), "application/pdf") for name in ("a.pdf", "b.pdf")))
    alone = b"Content-Transfer-Encoding: base64\r\n\r\n" + RUN
    for data, count in ((whole.replace(b"\n", end), 2), (alone, 1)):
        rest, bodies = cutting.cut(data)

        assert len(bodies) == count
        assert len(rest) < 2500
        assert cutting.restore(email.message_from_bytes(rest), bodies)


def test_a_mail_with_a_long_end_behind_its_last_part_is_parsed_whole() -> None:
    data = MIXED + b"\r\n--b\r\n\r\nx\r\n--b--\r\n\r\n" + RUN
    rest, bodies = cutting.cut(data)

    assert bodies
    assert not cutting.restore(email.message_from_bytes(rest), bodies)
    assert parsed(data).epilogue == "\r\n" + RUN.decode()
