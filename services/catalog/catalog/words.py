"""Folding texts into words, and finding words that are the same, start the same or are misspelt. Pure."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
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
    """Words, and the numbers of those that have them."""

    def __init__(self) -> None:
        # By the word's length, for the search with typos. Most words are of one provider only: an array for
        # each of those would take more memory than everything else.
        self._numbers: dict[int, dict[str, int | array[int]]] = {}
        self._sorted: list[str] = []
        self._grown = False

    def add(self, word: str, number: int) -> None:
        """Notes that this number has this word."""
        same_length = self._numbers.setdefault(len(word), {})
        held = same_length.get(word)
        if held is None:
            same_length[word] = number
            self._sorted.append(word)
            self._grown = True
        elif isinstance(held, int):
            same_length[word] = array("I", (held, number))
        else:
            held.append(number)

    def having(self, word: str) -> set[int]:
        """Those with exactly this word."""
        held = self._numbers.get(len(word), {}).get(word)
        if held is None:
            return set()
        return {held} if isinstance(held, int) else set(held)

    def starting(self, beginning: str) -> set[int]:
        """Those with a word that starts like this."""
        if self._grown:
            self._sorted.sort()
            self._grown = False
        start, end = bisect_left(self._sorted, beginning), bisect_right(self._sorted, beginning + LAST)
        return set().union(*map(self._held, self._sorted[start:end]))

    def misspelt(self, word: str, typos: int) -> dict[int, set[int]]:
        """Those with a word so many typos away, by their number; two letters swapped are one typo."""
        found: dict[int, set[int]] = {}
        for length in range(len(word) - typos, len(word) + typos + 1):
            known = self._numbers.get(length, {}).keys()
            for term, distance, _ in process.extract(
                word, known, scorer=OSA.distance, score_cutoff=typos, limit=None
            ):
                found.setdefault(int(distance), set()).update(self._held(term))
        return found

    def _held(self, word: str) -> array[int] | tuple[int]:
        held = self._numbers[len(word)][word]
        return (held,) if isinstance(held, int) else held
