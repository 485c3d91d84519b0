"""Texts of manifests with `{name}`s: which they hold, and filling them in. Nothing is evaluated."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def placeholders(value: object) -> list[str]:
    """The names in braces; none where the braces do not match."""
    if not isinstance(value, str) or not braces_match(value):
        return []
    return [name for _, name, _, _ in string.Formatter().parse(value) if name]


def braces_match(value: object) -> bool:
    """Whether every brace has its other half, or is written twice."""
    try:
        if isinstance(value, str):
            list(string.Formatter().parse(value))
    except ValueError:
        return False
    return True


def fill(pattern: str, values: Mapping[str, Any], *, is_address: bool) -> str:
    """`pattern` with each `{name}` filled in; what is not there is empty.

    In an address no value leaves its place.
    """
    text = ""
    for literal, name, _, _ in string.Formatter().parse(pattern):
        text += literal
        if name:
            value = str(values.get(name) or "")
            if is_address:
                value = quote(value, safe="") if text else value.rstrip("/")
            text += value
    return text
