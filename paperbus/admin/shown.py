"""How `paperbus admin` shows what it found: columns for people, one JSON object a line for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from schemas.base import rfc3339

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
"""The option that every call has."""


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print `rows`: whole as JSON, else their `columns`. Nothing found is said on standard error."""
    rows = list(rows)
    if as_json:
        for row in rows:
            click.echo(line(row))
        return
    if not rows:
        click.echo("There is nothing.", err=True)
        return
    cells = [[text(row.get(column)) for column in columns] for row in rows]
    heads = [column.upper().replace("_", " ") for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for cell in (heads, *cells):
        click.echo("  ".join(part.ljust(width) for part, width in zip(cell, widths, strict=True)).rstrip())


def line(row: Mapping[str, Any]) -> str:
    """One row as JSON, on one line."""
    return json.dumps(row, ensure_ascii=False, default=text)


def text(value: Any) -> str:
    """A value as one reads it: times as the events have them, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
