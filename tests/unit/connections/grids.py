"""Reads a hand-written grid: which state a message leads to from each state, or why it is refused."""

from __future__ import annotations

from collections.abc import Iterator


def cells(grid: str) -> Iterator[tuple[str, str, str]]:
    """(message, state, what becomes of it) for each cell."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in grid.strip().splitlines()]
    for message, *outcomes in rows:
        assert len(outcomes) == len(head) - 1, f"the row of {message} does not fill the grid"
        for state, outcome in zip(head[1:], outcomes, strict=True):
            yield message, state, outcome


def states(grid: str) -> set[str]:
    return {state for _, state, _ in cells(grid)}


def messages(grid: str) -> set[str]:
    return {message for message, _, _ in cells(grid)}
