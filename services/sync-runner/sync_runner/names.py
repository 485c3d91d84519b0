"""Names that every target takes, and that never leave their folder. Pure; patterns are read by `patterns`.

A name is made portable as far as that costs nothing (no trailing dot, no reserved name of Windows, no mark
that reverses the text); characters that only some targets forbid are replaced for those alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.patterns import (
    EMPTY,
    PLACEHOLDERS,
    Facts,
    Part,
    Segment,
    extension,
    parse_filename,
    parse_folder,
    text_of,
)

STAND_IN = "_"
SMALLEST_LIMIT = 32
"""Bytes. A target that takes less is asked with names of this length all the same, and will say no."""

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
"""Marks that reverse the text or show nothing: they hide what a name is. The joiners of emoji are not among
them."""
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f/\\\\\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""Control characters, separators of lines and paths, and halves of characters."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(?=\.|\Z)", re.IGNORECASE)
"""Devices of Windows, which it sees behind any extension."""
_STEPS = re.compile(r"(?P<stem>.*) \((?P<step>\d{1,9})\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a target takes. `max_bytes` of UTF-8 for one name; `forbidden` characters besides the usual."""

    forbidden: str = ""
    max_bytes: int = 255
    case_sensitive: bool = True


PLAIN = Rules()


@lru_cache(maxsize=1024)
def safe(name: str, rules: Rules = PLAIN) -> str:
    """`name` as one name within a folder: not empty, `.` or `..`, no separators, in NFC, within limits.

    Remembered: of a batch, the folders are mostly the same, and each name is asked for again when it goes.
    Making a safe name safe again changes nothing.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", name))
    text = _NEVER.sub(STAND_IN, text)
    if rules.forbidden:
        text = re.sub(f"[{re.escape(rules.forbidden)}]", STAND_IN, text)
    text = _trimmed(text)
    if reserved := _RESERVED.match(text):
        text = reserved.group().rstrip() + STAND_IN + text[reserved.end() :]
    return _fitted(text, "", rules.max_bytes) or EMPTY


def numbered(name: str, step: int, rules: Rules = PLAIN) -> str:
    """The step-th name for a safe `name` that is taken: `name (2).pdf`, within limits."""
    return name if step < 2 else _fitted(name, f" ({step})", rules.max_bytes)


def key(path: str, rules: Rules = PLAIN) -> str:
    """What two paths share where the target takes them for the same."""
    return path if rules.case_sensitive else unicodedata.normalize("NFC", path.casefold())


def _trimmed(text: str) -> str:
    """Without spaces around and without dots at the end, which Windows drops."""
    return re.sub(r"[\s.]+\Z", "", text).lstrip()


def _fitted(text: str, suffix: str, limit: int) -> str:
    """`text` with `suffix` before its extension, its stem cut between two characters where it is too long."""
    limit = max(limit, SMALLEST_LIMIT)
    end = extension(text)
    if len(end.encode()) + len(suffix) > limit // 2:
        end = ""
    stem = text.removesuffix(end) if end else text
    room = limit - len((suffix + end).encode())
    if len(stem.encode()) > room:
        stem = _cut(stem, room)
        stem = stem.rstrip() if suffix + end else _trimmed(stem)
    return stem + suffix + end


def _cut(text: str, room: int) -> str:
    """As much of `text` as `room` bytes hold, and no half of what is seen as one character."""
    kept = text.encode()[:room].decode("utf-8", "ignore")
    whole = len(kept)
    while whole and (_joins(text[whole]) or text[whole - 1] == "\u200d"):
        whole -= 1
    return text[:whole] or kept


def _joins(char: str) -> bool:
    """Whether `char` is seen as part of the one before it."""
    return (
        bool(unicodedata.combining(char))
        or char in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document goes: its folder (`/` or `/a/b`) and its name, both safe."""

    folder: str
    name: str

    @property
    def path(self) -> str:
        return joined(self.folder, self.name)

    def step(self, step: int, rules: Rules) -> str:
        """The path of the step-th try."""
        return joined(self.folder, numbered(self.name, step, rules))

    def step_of(self, path: str, rules: Rules) -> int | None:
        """Which step of this place `path` is; None where it is none."""
        found = _STEPS.fullmatch(path.rpartition("/")[2].removesuffix(extension(path)))
        step = int(found["step"]) if found else 1
        return next((n for n in {1, step} if self.step(n, rules) == path), None)


def joined(folder: str, name: str) -> str:
    """The path of `name` in `folder`."""
    return f"{folder.rstrip('/')}/{name}"


@dataclass(frozen=True, slots=True)
class Naming:
    """The options `folder` and `filename` of a connection, read, with the rules of its target.

    Raises (on `of`):
        WrongPattern: one of the patterns cannot be used.
    """

    folder: tuple[Segment, ...]
    filename: Segment
    rules: Rules = PLAIN

    @classmethod
    def of(cls, folder: str, filename: str, rules: Rules = PLAIN) -> Naming:
        return cls(parse_folder(folder), parse_filename(filename), rules)

    @property
    def fixed(self) -> str:
        """The folder's part before its first placeholder: chosen, or made once, and never made again."""
        return "/" + "/".join(safe(text, self.rules) for text in _fixed(self.folder))

    def place(self, facts: Facts) -> Place:
        """Where a document of these facts goes."""
        folder = "/".join(_rendered(segment, facts, self.rules) for segment in self.folder)
        return Place("/" + folder, _rendered(self.filename, facts, self.rules))


def _fixed(folder: Sequence[Segment]) -> Iterator[str]:
    for segment in folder:
        text = text_of(segment)
        if text is None:
            return
        yield text


def _rendered(segment: Segment, facts: Facts, rules: Rules) -> str:
    return safe("".join(_said(part, facts) for part in segment), rules)


def _said(part: Part, facts: Facts) -> str:
    if part.kind == "text":
        return part.value
    return _INVISIBLE.sub("", PLACEHOLDERS[part.value](facts)).strip() or EMPTY


def preview(folder: str, filename: str, documents: Iterable[Facts], rules: Rules = PLAIN) -> list[str]:
    """The paths that these documents would get, in order, numbered where two are the same.

    Raises:
        WrongPattern: one of the patterns cannot be used; the text is for the customer.
    """
    naming = Naming.of(folder, filename, rules)
    taken: set[str] = set()
    paths = []
    for facts in documents:
        place, step = naming.place(facts), 1
        while key(place.step(step, rules), rules) in taken:
            step += 1
        paths.append(place.step(step, rules))
        taken.add(key(paths[-1], rules))
    return paths
