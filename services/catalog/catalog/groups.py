"""Numbers in groups by score, joined. It knows no providers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Groups = Mapping[int, set[int]]
"""Numbers by their score. One that has several scores counts by its best: see `best_first`."""


def either(*many: Groups) -> Groups:
    """All of these; scores without a number are left out."""
    merged: dict[int, set[int]] = {}
    for groups in many:
        for score, numbers in groups.items():
            if numbers:
                merged[score] = merged[score] | numbers if score in merged else numbers
    return merged


def both(some: Groups, others: Groups) -> Groups:
    """Numbers that are in both, at the sum of their scores."""
    sums: dict[int, set[int]] = {}
    for score, numbers in some.items():
        for other, more in others.items():
            if common := numbers & more:
                sums.setdefault(score + other, set()).update(common)
    return sums


def best_first(groups: Groups) -> Iterator[tuple[int, set[int]]]:
    """Each number once, at its best score. What is not asked for is not made."""
    seen: set[int] = set()
    for score in sorted(groups, reverse=True):
        yield score, groups[score] - seen
        seen |= groups[score]
