"""What follows where a name is taken, against a grid written by hand."""

from __future__ import annotations

import pytest

from sync_runner.clashes import Action, At, Clash, decide

GRID = """
                                      | skip_same | number | replace | reject
nothing                               | put       | put    | put     | put
these bytes, put by us for this row   | done      | done   | done    | done
the beginning of these bytes, left by our cut try | replace | replace | replace | replace
these bytes                           | done      | number | done    | done
other bytes                           | number    | number | replace | reject
another document of ours, other bytes | number    | number | number  | reject
another document of ours, these bytes | done      | number | number  | done
"""


def _cells() -> list[tuple[At, Clash, Action]]:
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in GRID.strip("\n").splitlines()]
    return [
        (At(line[0]), rule, Action(cell))  # type: ignore[misc]  # the grid's words
        for line in lines
        for rule, cell in zip(head[1:], line[1:], strict=True)
    ]


@pytest.mark.parametrize(("found", "rule", "action"), _cells())
def test_a_taken_name_is_treated_by_the_chosen_rule(found: At, rule: Clash, action: Action) -> None:
    assert decide(rule, found) is action


def test_the_grid_names_everything_that_can_be_found() -> None:
    assert {found for found, _, _ in _cells()} == set(At)
