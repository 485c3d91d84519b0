"""Regular expressions of manifests: whether they end soon on whatever customers type. Pure; it runs none.

`re` goes back and tries again: `(a+)+$` takes hours on forty letters. More is refused here than what is slow:
telling exactly is far harder than writing such a pattern another way.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from re import _constants as sre, _parser as parser  # type: ignore[attr-defined]  # typeshed leaves them out
from typing import Any, TypeAlias

Part: TypeAlias = tuple[Any, Any]
"""What `re` reads a piece of a pattern as: its kind, and what belongs to it."""

MOST_OPEN_ENDS = 3
_OPEN = 64
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_SIGNS = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_LOOKS = (sre.ASSERT, sre.ASSERT_NOT)
_CATEGORIES = {
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


@lru_cache(maxsize=1024)
def fault(pattern: str) -> str | None:
    """What is wrong with a pattern, as the end of a sentence; None where nothing is."""
    try:
        with warnings.catch_warnings():
            # Not by `re.compile`: what it remembers it does not warn of again.
            warnings.simplefilter("error", FutureWarning)
            read = parser.parse(pattern)
        re.compile(pattern)
        parts = _flat(read)
        if any(not _is_clear(_taking(body)) for most, body in _repeats(parts) if most > 1):
            return (
                "can take hours on some texts: it repeats what repeats or varies itself. Let each turn begin"
                " or end with a sign that the rest of it cannot hold."
            )
        if sum(_open_ends(parts)) > MOST_OPEN_ENDS:
            return f"can take long on some texts: it has more than {MOST_OPEN_ENDS} open ends (`*` or `+`)."
    except FutureWarning:
        return "may mean something else one day: within `[…]` write `\\` before `[`, `--`, `&&`, `||`, `~~`."
    except (re.error, OverflowError, RecursionError):
        return "is no regular expression."
    return None


@lru_cache(maxsize=1024)
def takes(pattern: str, signs: str) -> bool:
    """Whether some part of a good pattern can match one of these characters."""
    return any(_takes(part, sign) for part in _single(_flat(parser.parse(pattern))) for sign in signs)


def _flat(parts: Iterable[Part]) -> list[Part]:
    """The parts in a row, groups opened."""
    row: list[Part] = []
    for kind, what in parts:
        if kind is sre.SUBPATTERN:
            row += _flat(what[-1])
        elif kind is sre.ATOMIC_GROUP:
            row += _flat(what)
        elif kind is not sre.AT:
            row.append((kind, what))
    return row


def _below(part: Part) -> Sequence[Iterable[Part]]:
    """The rows inside a part."""
    kind, what = part
    if kind in _REPEATS:
        return (what[2],)
    if kind in _LOOKS:
        return (what[1],)
    if kind is sre.BRANCH:
        return tuple(what[1])
    if kind is sre.GROUPREF_EXISTS:
        return tuple(row for row in what[1:] if row is not None)
    return ()


def _taking(parts: Iterable[Part]) -> list[Part]:
    """The parts in a row without those that only look."""
    return [part for part in _flat(parts) if part[0] not in _LOOKS]


def _repeats(parts: Sequence[Part]) -> Iterator[tuple[int, Iterable[Part]]]:
    """How often at most, and what, for everything that is repeated, inside one another too."""
    for part in parts:
        if part[0] in _REPEATS:
            yield int(part[1][1]), part[1][2]
        for row in _below(part):
            yield from _repeats(_flat(row))


def _is_clear(body: Sequence[Part]) -> bool:
    """Whether a text can be told apart into turns of this in one way at most."""
    varying = [part for part in body if part[0] not in _SIGNS]
    if not varying:
        return True
    if len(varying) > 1 or _repeated_sign(varying[0]) is None:
        return False
    return any(
        _is_mark(mark) and not any(_takes(part, chr(mark[1])) for part in _single(rest))
        for mark, rest in ((body[0], body[1:]), (body[-1], body[:-1]))
    )


def _open_ends(row: Sequence[Part]) -> Iterator[bool]:
    """For everything that is repeated without an end: whether nothing tells where it stops."""
    for part, after in zip_longest(row, row[1:]):
        sign = _repeated_sign(part)
        if part[0] in _REPEATS and part[1][1] > _OPEN:
            yield sign is None or after is None or not _is_mark(after) or _takes(sign, chr(after[1]))
        for inner in _below(part):
            yield from _open_ends(_flat(inner))


def _repeated_sign(part: Part) -> Part | None:
    """The one sign that is repeated here, where it is one."""
    if part[0] not in _REPEATS:
        return None
    body = _taking(part[1][2])
    return body[0] if len(body) == 1 and body[0][0] in _SIGNS else None


def _is_mark(part: Part) -> bool:
    """A sign that is the same in upper and lower case."""
    return part[0] is sre.LITERAL and not chr(part[1]).isalpha()


def _single(row: Sequence[Part]) -> Iterator[Part]:
    """Every part that takes one character, and what is not known to."""
    for part in row:
        inner = () if part[0] in _LOOKS else _below(part)
        if not inner and part[0] not in _LOOKS:
            yield part
        for each in inner:
            yield from _single(_flat(each))


def _takes(part: Part, sign: str) -> bool:
    kind, what = part
    if kind is sre.LITERAL:
        return bool(chr(what) == sign)
    if kind is sre.NOT_LITERAL:
        return bool(chr(what) != sign)
    if kind is sre.IN:
        negated = what[0][0] is sre.NEGATE
        return negated != any(_is_in(member, sign) for member in what)
    return True


def _is_in(member: Part, sign: str) -> bool:
    kind, what = member
    if kind is sre.RANGE:
        return bool(what[0] <= ord(sign) <= what[1])
    if kind is sre.CATEGORY:
        return re.match(_CATEGORIES[what], sign) is not None
    return kind is sre.LITERAL and chr(what) == sign
