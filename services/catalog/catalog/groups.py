"""Numbers in groups by score, joined. It knows no providers. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Groups = Mapping[int, set[int]]
"""Numbers by their score, each number once."""


def either(*many: Groups) -> Groups:
    """All of these, each number once, at its best score."""
    given = [groups for groups in many if any(groups.values())]
    if len(given) == 1:
        return given[0]
    merged: dict[int, set[int]] = {}
    for groups in given:
        for score, numbers in groups.items():
            merged[score] = merged[score] | numbers if score in merged else numbers
    seen: set[int] = set()
    best: dict[int, set[int]] = {}
    for score in sorted(merged, reverse=True):
        if fresh := merged[score] - seen:
            best[score] = fresh
            seen |= fresh
    return best


def both(some: Groups, others: Groups) -> Groups:
    """Numbers that are in both, at the sum of their scores."""
    sums: dict[int, set[int]] = {}
    for score, numbers in some.items():
        for other, more in others.items():
            if common := numbers & more:
                sums.setdefault(score + other, set()).update(common)
    return sums
