"""Folding texts into words, and finding words that are the same, start the same or are misspelt. Pure."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

LONGEST_WORD: Final = 40
LAST: Final = "\U0010ffff"
"""Sorts after whatever may follow a beginning."""

_WORD: Final = re.compile(r"[^\W_]+")
_UNDECOMPOSED: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def folded(text: str) -> str:
    """Without accents and case: `Crédit Müßig` becomes `credit mussig`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_UNDECOMPOSED)


def words(text: str) -> list[str]:
    """The folded words of a text, each cut at forty characters."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded(text))]


class Terms:
    """The words of a few fields, and the numbers of those that have them."""

    def __init__(self, fields: Iterable[str]) -> None:
        # Most words are of one provider only: an array for each of those would take much memory.
        self._numbers: dict[str, dict[str, int | array[int]]] = {field: {} for field in fields}
        self._by_length: dict[int, list[str]] = {}
        self._sorted: list[str] = []
        self._grown = False

    def add(self, field: str, word: str, number: int) -> None:
        """Notes that this number has this word in this field."""
        numbers = self._numbers[field]
        held = numbers.get(word)
        if held is None:
            self._learn(word)
            numbers[word] = number
        elif isinstance(held, int):
            numbers[word] = array("I", (held, number))
        else:
            held.append(number)

    def _learn(self, word: str) -> None:
        for numbers in self._numbers.values():
            if word in numbers:
                return
        self._sorted.append(word)
        self._grown = True
        if not word.isdecimal():  # a number that is another one is no typo
            self._by_length.setdefault(len(word), []).append(word)

    def having(self, field: str, words: Iterable[str]) -> set[int]:
        """Those with exactly one of these words in this field."""
        numbers, found = self._numbers[field], set[int]()
        for word in words:
            held = numbers.get(word)
            if isinstance(held, int):
                found.add(held)
            elif held is not None:
                found.update(held)
        return found

    def starting(self, beginning: str) -> list[str]:
        """The words that start like this."""
        if self._grown:
            self._sorted.sort()
            self._grown = False
        start, end = bisect_left(self._sorted, beginning), bisect_right(self._sorted, beginning + LAST)
        return self._sorted[start:end]

    def misspelt(self, word: str, typos: int) -> dict[int, list[str]]:
        """The words at most so many typos away, by their number; two letters swapped are one typo."""
        found: dict[int, list[str]] = {}
        for length in range(len(word) - typos, len(word) + typos + 1):
            for term, distance, _ in process.extract(
                word, self._by_length.get(length, ()), scorer=OSA.distance, score_cutoff=typos, limit=None
            ):
                found.setdefault(int(distance), []).append(term)
        return found
