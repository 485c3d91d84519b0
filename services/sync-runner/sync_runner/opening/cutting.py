"""Long bodies taken out of a mail before it is parsed, and put back after: `email` reads line by line.

One line stands for many, so that the parser meets the same structure. What a mail says is not asked here.
"""

from __future__ import annotations

import re
import secrets
from email.message import Message

LONG = 2048
"""Bytes of a body from which it is worth while."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{20,}\r?\n")


def cut(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The mail with its long bodies replaced by a line each, and what these lines stand for.

    A body goes from the last empty line to the next that may be a boundary (RFC 2046 §5.1.1), and begins with
    a line of base64, which is no header. So nothing in it means anything to a parser. Lines that end with
    a single CR are not looked for, but mails that have them are left as they are.
    """
    parts, bodies = data.split(b"\n--"), dict[str, str]()
    for number, part in enumerate(parts):
        start = max(part.rfind(b"\n\r\n") + 3, part.rfind(b"\n\n") + 2)
        body = part[start:].rstrip(b"\r\n")
        if len(body) >= LONG and _BASE64.match(body) and body.count(b"\r") == body.count(b"\r\n"):
            line = secrets.token_hex(16)  # nobody can know it, so no mail has it in it
            bodies[line] = body.decode("ascii", "surrogateescape")
            parts[number] = part[:start] + line.encode() + part[start + len(body) :]
    return b"\n--".join(parts), bodies


def restore(message: Message, bodies: dict[str, str]) -> bool:
    """Put back what was cut. False: some of it is where no bodies are (after the last part, say)."""
    for part in message.walk() if bodies else ():
        payload = part.get_payload()
        line = payload.rstrip("\r\n") if isinstance(payload, str) else ""
        if line in bodies:
            part.set_payload(str(payload).replace(line, bodies.pop(line)))
    return not bodies
