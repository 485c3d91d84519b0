"""Finding providers by name, alias or category, forgiving of typos and accents. Pure and in memory.

It knows ids, names and what to filter by, never whole manifests: 50,000 of those would be hundreds of MB.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from catalog.groups import Groups, best_first, both, either
from catalog.words import LAST, LONGEST_WORD, Terms, words

LOCALES: Final = ("en", "fr", "de")

CATEGORY_WORDS: Final[Mapping[str, str]] = {
    "storage": "storage cloud files folder stockage fichiers dossier Speicher Dateien Ordner Ablage",
    "accounting": "accounting bookkeeping comptabilité Buchhaltung Rechnungswesen",
    "email": "email mail courriel messagerie E-Mail Postfach",
    "shop": "shop store boutique commerce Laden Onlineshop",
    "payment": "payment paiement Zahlung Bezahlung",
    "bank": "bank banking banque Konto",
    "erp": "erp enterprise gestion Warenwirtschaft",
    "archive": "archive archivage Archiv Aufbewahrung",
    "tax_adviser": "tax adviser accountant expert comptable Steuerberater Kanzlei",
    "other": "other autre sonstige",
}
"""What people type for a category, in the languages that we speak."""

MOST_WORDS: Final = 8
_MANY: Final = 200
_FEW: Final = 100
"""One in so many, or fewer, are sorted; more are sooner found by going through all in their order."""
_EXACT, _PREFIX, _TYPO = 100, 80, {1: 60, 2: 50}
_WHOLE_NAME, _NAME_STARTS = 100_000, 50_000
_WEIGHTS: Final = {"name": 10, "alias": 9, "category": 5}


@dataclass(frozen=True, slots=True)
class Listed:
    """What the index is told of a provider. `names` is by locale; no countries means everywhere."""

    id: str
    names: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is None does not matter."""

    query: str = ""
    direction: str | None = None
    category: str | None = None
    country: str | None = None
    locale: str = "en"


class Place(NamedTuple):
    """Where a page ended: the next one starts behind it, whatever was added or dropped meanwhile."""

    score: int
    name: str
    id: str


class Found(NamedTuple):
    """One page of ids, best first, and where the next page goes on."""

    ids: list[str]
    next: Place | None


class _Row(NamedTuple):
    id: str
    names: tuple[str, ...]  # folded, in the order of LOCALES
    categories: tuple[str, ...]
    countries: tuple[str, ...]
    directions: tuple[str, ...]

    def fits(self, wanted: Wanted) -> bool:
        return (
            (wanted.direction is None or wanted.direction in self.directions)
            and (wanted.category is None or wanted.category in self.categories)
            and (wanted.country is None or not self.countries or wanted.country in self.countries)
        )


class Index:
    """All published providers, searchable."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._rows: list[_Row | None] = []
        self._terms = Terms(_WEIGHTS)
        self._order: dict[str, list[int]] = {locale: [] for locale in LOCALES}
        self._unsorted: list[int] = []
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, listed: Listed) -> None:
        """Adds a provider, in place of its older self."""
        self.drop(listed.id)
        number = len(self._rows)
        self._numbers[listed.id] = number
        self._rows.append(self._row(listed))
        self._unsorted.append(number)
        for field, found in _words_of(listed).items():
            for word in found:
                self._terms.add(field, word, number)

    def drop(self, provider_id: str) -> None:
        """Takes a provider out; its number is never used again, so that the words need no clearing."""
        if (number := self._numbers.pop(provider_id, None)) is None:
            return
        self._sort()
        for locale, order in self._order.items():
            by = self._by(locale)
            order.pop(bisect_left(order, by(number), key=by))
        self._rows[number] = None

    def __contains__(self, provider_id: str) -> bool:
        return provider_id in self._numbers

    def ids(self) -> set[str]:
        """All that are in it."""
        return set(self._numbers)

    def named(self, joined: str, direction: str) -> str | None:
        """The provider whose name, in any language, has these letters and digits in this order.

        `joined` is a folded name without its spaces.
        """
        candidates = self._terms.having("name", self._terms.starting(joined[:2])) if joined else set()
        for row in (self._rows[number] for number in sorted(candidates)):
            if row is None or direction not in row.directions:
                continue
            if joined in {name.replace(" ", "") for name in (*row.names, row.id.replace("-", ""))}:
                return row.id
        return None

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """The providers that fit, best first, then by name; those behind `after`."""
        self._sort()
        ids: list[str] = []
        place = None
        for here, row in self._ranked(wanted, after):
            if len(ids) == limit:
                return Found(ids, place)
            place = here
            ids.append(row.id)
        return Found(ids, None)

    def _ranked(self, wanted: Wanted, after: Place | None) -> Iterator[tuple[Place, _Row]]:
        by = self._by(wanted.locale if wanted.locale in LOCALES else "en")
        for score, numbers in self._scored(wanted.query, by):
            if after is not None and score > after.score:
                continue
            past = (after.name, after.id) if after is not None and score == after.score else ("", "")
            for number in self._by_name(numbers, by, past):
                row = self._rows[number]
                if row is not None and row.fits(wanted):
                    yield Place(score, *by(number)), row

    def _scored(self, query: str, by: _ByName) -> Iterator[tuple[int, set[int] | None]]:
        """Groups of providers, best first; None stands for all of them."""
        if not query.strip():
            yield 0, None
        elif asked := words(query)[:MOST_WORDS]:
            yield from best_first(self._groups(asked, by))

    def _groups(self, asked: list[str], by: _ByName) -> Groups:
        """Providers by how well they match all the words. A word that would leave nothing is passed over."""
        best: Groups = {}
        for word in asked:
            more = self._matching(word)
            best = both(best, more) or best or more
        if len(asked) > 1:  # who types "next cloud" may mean "nextcloud"
            joined = self._holding("".join(asked)[:LONGEST_WORD])
            best = either(best, {score * len(asked): numbers for score, numbers in joined.items()})
        whole = " ".join(asked)
        starts = set(self._between((whole, ""), (whole + LAST, ""), by))
        if not starts:
            return best
        exact = set(self._between((whole, ""), (whole, LAST), by))
        best = either(best, {_PREFIX * _WEIGHTS["name"]: starts})
        return either(best, both(best, {_WHOLE_NAME: exact, _NAME_STARTS: starts}))

    def _matching(self, word: str) -> Groups:
        return self._holding(word) or self._split(word) or self._misspelt(word)

    def _holding(self, word: str) -> Groups:
        """Providers with this word or one that starts like it; one letter alone starts too many."""
        exact = self._weighed(_EXACT, (word,))
        if len(word) == 1:
            return either(*exact)
        longer = [term for term in self._terms.starting(word) if term != word]
        return either(*exact, *self._weighed(_PREFIX, longer))

    def _weighed(self, score: int, words: Collection[str]) -> list[Groups]:
        """Providers with one of these words, by what the field counts that has it."""
        return [{score * weight: self._terms.having(field, words)} for field, weight in _WEIGHTS.items()]

    def _split(self, word: str) -> Groups:
        """Who types "onedrive" may mean "one drive"."""
        terms = self._terms
        for cut in range(2, len(word) - 1):
            start = terms.having("name", (word[:cut],))
            if start and (both := start & terms.having("name", terms.starting(word[cut:]))):
                return {_PREFIX * _WEIGHTS["name"]: both}
        return {}

    def _misspelt(self, word: str) -> Groups:
        if len(word) < 4:
            return {}
        typos = 1 if len(word) < 8 else 2
        found = self._terms.misspelt(word, typos)
        return either(*(group for typo, like in found.items() for group in self._weighed(_TYPO[typo], like)))

    def _by_name(self, numbers: set[int] | None, by: _ByName, past: tuple[str, str]) -> Iterable[int]:
        """These numbers by name, those behind `past`. Many are cheaper picked from the order than sorted."""
        order = self._order[LOCALES[by.locale]]
        if numbers is not None and len(numbers) * _FEW < len(order):
            return (number for number in sorted(numbers, key=by) if by(number) > past)
        start = bisect_right(order, past, key=by)
        return (number for number in order[start:] if numbers is None or number in numbers)

    def _between(self, first: tuple[str, str], last: tuple[str, str], by: _ByName) -> list[int]:
        order = self._order[LOCALES[by.locale]]
        return order[bisect_left(order, first, key=by) : bisect_right(order, last, key=by)]

    def _sort(self) -> None:
        """Put what was added into its places: one by one after an edit, all at once after a load."""
        for locale, order in self._order.items():
            by = self._by(locale)
            if len(self._unsorted) > _MANY:
                order.extend(self._unsorted)
                order.sort(key=by)
            else:
                for number in self._unsorted:
                    insort(order, number, key=by)
        self._unsorted.clear()

    def _by(self, locale: str) -> _ByName:
        return _ByName(self._rows, LOCALES.index(locale))

    def _row(self, listed: Listed) -> _Row:
        by_name = {name: " ".join(words(name)) for name in listed.names.values()}
        names = tuple(by_name[listed.names.get(locale, listed.names["en"])] for locale in LOCALES)
        lists = (listed.categories, listed.countries, listed.directions)
        # There are few different lists: one tuple serves all that have the same.
        return _Row(listed.id, names, *(self._shared.setdefault(texts, texts) for texts in lists))


@dataclass(frozen=True, slots=True)
class _ByName:
    """The order of numbers: by name in one language, then by id. Numbers that were dropped come first."""

    rows: list[_Row | None]
    locale: int

    def __call__(self, number: int) -> tuple[str, str]:
        row = self.rows[number]
        return ("", "") if row is None else (row.names[self.locale], row.id)


def _words_of(listed: Listed) -> dict[str, set[str]]:
    return {
        "name": {word for name in {*listed.names.values(), listed.id} for word in words(name)},
        "alias": {word for alias in listed.aliases for word in words(alias)},
        "category": {word for category in listed.categories for word in _category_words(category)},
    }


@cache
def _category_words(category: str) -> tuple[str, ...]:
    return tuple(words(CATEGORY_WORDS.get(category, category)))
