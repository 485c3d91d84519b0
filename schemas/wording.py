"""What the breach of a rule is called: `must be …`, `is missing`. It repeats no input and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BY_KIND = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "timezone_aware": "must say its offset from UTC, such as 2026-11-22T16:30:00Z",
}
_TIME = "must be a time of RFC 3339, such as 2026-11-22T16:30:00Z"
_DAY = "must be a day, such as 2026-11-22"
_BY_BEGINNING = {"datetime_": _TIME, "date_": _DAY}
BY_PATTERN = {
    r"^-?\d{1,18}(\.\d{1,6})?$": "must be a decimal amount as a text, such as 119.00",
    r"^[0-9a-fA-F]{64}$": "must be a SHA-256 as 64 hexadecimal digits",
    r"^[A-Z]{3}$": "must be a currency of ISO 4217, such as EUR",
    r"^([01]\d|2[0-3]):[0-5]\d$": "must be a time of day, such as 02:30",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "must be lower-case words joined by hyphens",
    r"^[\w.+-]+/[\w.+-]+(\s*;.*)?$": "must be a media type, such as application/pdf",
    r"^(https?://|gridfs:).+$": "must be an address that begins with https://, or gridfs: and an id",
    r"^[a-z]{2}$": "must be two lower-case letters, such as de",
    r"^[^\x00-\x1f/]+$": "must hold no slash and no control character",
}
"""For people who do not read regular expressions; others are shown as they are."""
_BEGINNINGS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^value is not "), "must be "),
    (re.compile(r"^Input should "), "must "),
    (re.compile(r"^[A-Z]\w+ should "), "must "),
    (re.compile(r", (?:unable|got|input) .*$"), ""),
)


def wording(error: Mapping[str, Any]) -> str:
    """One of pydantic's findings, to stand after a member's name and before the full stop.

    Args:
        error: as `ValidationError.errors` gives it; `ctx` may be left out.
    """
    kind, message = str(error["type"]), str(error["msg"])
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    for beginning, said in _BY_BEGINNING.items():
        if kind.startswith(beginning):
            return said
    if kind == "string_pattern_mismatch":
        pattern = message.partition("'")[2].removesuffix("'")
        return BY_PATTERN.get(pattern, f"must match {pattern}")
    for found, said in _BEGINNINGS:
        message = found.sub(said, message)
    return message.rstrip(".")
