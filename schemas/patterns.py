"""Patterns of folders and file names (CONTRACT §7), read and filled. Pure; making names safe is `names`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.documents import Metadata

EMPTY = "none"
"""What stands where a value, or a whole name, is empty."""
LONGEST_PATTERN = 500


class WrongPattern(ValueError):
    """A pattern that cannot be used. The text is a sentence; `code` is for who has words of their own."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document is named by."""

    document_id: str
    filename: str
    metadata: Metadata = field(default_factory=Metadata)


def extension(name: str) -> str:
    """The extension with its dot, or nothing: a dot after something, then up to 16 letters and digits."""
    found = re.search(r"(?<=.)\.\w{1,16}\Z", name)
    return found.group() if found else ""


def _day(form: str) -> Callable[[Facts], str]:
    def of(facts: Facts) -> str:
        day = facts.metadata.issue_date
        return "" if day is None else form.format(day=day, quarter=(day.month + 2) // 3)

    return of


def _metadata(name: str) -> Callable[[Facts], str]:
    def of(facts: Facts) -> str:
        return getattr(facts.metadata, name) or ""

    return of


PLACEHOLDERS: Mapping[str, Callable[[Facts], str]] = {
    "filename": lambda facts: facts.filename,
    "stem": lambda facts: facts.filename.removesuffix(extension(facts.filename)),
    "ext": lambda facts: extension(facts.filename),
    "document_id": lambda facts: facts.document_id,
    "document_type": _metadata("document_type"),
    "number": _metadata("number"),
    "issue_date": _day("{day:%Y-%m-%d}"),
    "year": _day("{day:%Y}"),
    "month": _day("{day:%m}"),
    "day": _day("{day:%d}"),
    "quarter": _day("{quarter}"),
    "seller_name": _metadata("seller_name"),
    "buyer_name": _metadata("buyer_name"),
    "gross_amount": _metadata("gross_amount"),
    "currency": _metadata("currency"),
}
"""Every placeholder of the contract, and where its value comes from."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a pattern: text as it stands, or the name of a placeholder."""

    kind: Literal["text", "placeholder"]
    value: str


Segment = tuple[Part, ...]
"""One name of a pattern: what stands between two slashes."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{|[^{}]+|\}")


def parse(pattern: str) -> Segment:
    """The pieces of a pattern. `{{` and `}}` are braces, and so is a `}` that closes nothing.

    Raises:
        WrongPattern: a placeholder that nobody knows, a `{` that is not closed, too long.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise WrongPattern(
            "long", f"A pattern has at most {LONGEST_PATTERN} characters.", most=LONGEST_PATTERN
        )
    return tuple(_part(found) for found in _TOKEN.finditer(pattern))


def _part(found: re.Match[str]) -> Part:
    piece, name = found.group(), found.group(1)
    if name is not None:
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            text = f"{piece} is no placeholder. There are {known}; for a plain brace write {{{{."
            raise WrongPattern("placeholder", text, known=known)
        return Part("placeholder", name)
    if piece == "{":
        raise WrongPattern("brace", "A { is not closed by a }; for a plain brace write {{.")
    return Part("text", piece[0] if piece in ("{{", "}}") else piece)


def parse_filename(pattern: str) -> Segment:
    """The pieces of a file name's pattern.

    Raises:
        WrongPattern: as `parse`, or a slash in it, or nothing at all.
    """
    parts = parse(pattern)
    if not pattern.strip():
        raise WrongPattern("missing", "A file name needs a pattern, such as {filename}.")
    if any("/" in part.value for part in parts if part.kind == "text"):
        raise WrongPattern("slash", "A file name holds no slash; write folders into the folder's own field.")
    return parts


def parse_folder(pattern: str) -> tuple[Segment, ...]:
    """The folder's names, from the root down; empty for the root itself.

    Raises:
        WrongPattern: as `parse`, or `.` or `..` as a name.
    """
    segments: list[list[Part]] = [[]]
    for part in parse(pattern):
        if part.kind == "placeholder":
            segments[-1].append(part)
            continue
        first, *more = part.value.split("/")
        for step, text in enumerate((first, *more)):
            if step:
                segments.append([])
            if text:
                segments[-1].append(Part("text", text))
    named = tuple(
        tuple(segment) for segment in segments if text_of(segment) is None or _text(segment).strip()
    )
    if any(_text(segment).strip() in (".", "..") for segment in named if text_of(segment) is not None):
        raise WrongPattern("folder", "A folder is written from the root down, without . or .. in it.")
    return named


def text_of(segment: Sequence[Part]) -> str | None:
    """The segment as it stands, where it holds no placeholder; else None."""
    return None if any(part.kind == "placeholder" for part in segment) else _text(segment)


def _text(segment: Iterable[Part]) -> str:
    return "".join(part.value for part in segment)


def complaint(option: Literal["folder", "filename"], pattern: str) -> str | None:
    """What is wrong with an option's pattern, as a sentence; None where nothing is."""
    try:
        parse_folder(pattern) if option == "folder" else parse_filename(pattern)
    except WrongPattern as wrong:
        return str(wrong)
    return None
