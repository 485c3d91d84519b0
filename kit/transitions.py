"""Deciding by table: a state and a message make a row, a row makes the next state and what it emits.

Pure and generic over thing and message: no I/O, no clock, no randomness, no logging. What has been heard
before is filtered out earlier (`kit.aggregates`). Races are rows, not exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from kit.endings import Refused
from schemas.reasons import Reason

S = TypeVar("S", bound=Enum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """What follows: the next state, how the thing changes besides it, and what is emitted then.

    `change(thing, message)` returns the changed thing; `emits(changed, message)` what to say about it;
    `when(thing, message)` says whether the row holds, where one pair has several rows. All are pure; each
    may raise `Refused`.
    """

    to: S
    change: Callable[[Any, Any], Any] | None = None
    emits: Callable[[Any, Any], Sequence[Any]] | None = None
    when: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """A row that refuses, with the reason its asker is told."""

    reason: Reason
    message: str
    when: Callable[[Any, Any], bool] | None = None


Rows: TypeAlias = Row[S] | Refuse | tuple[Row[S] | Refuse, ...]
"""One row, or several with `when`: the first that holds is taken."""
Table: TypeAlias = Mapping[tuple[S, type[Any]], Rows[S]]


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What one message did: the thing afterwards and what it says, in order."""

    after: T
    emits: tuple[Any, ...] = ()


class IllegalTransition(Refused):
    """The table has no row for this message in this state."""

    def __init__(self, state: Enum, message: type[Any]) -> None:
        super().__init__(Reason.INVALID, f"{message.__name__} cannot happen while {_words(state)}.")


def decide(
    table: Table[S], state: S, thing: T, message: object, enter: Callable[[T, S], T] | None = None
) -> Decision[T]:
    """What `message` does to `thing`, which is in `state`.

    `enter(thing, state)` gives the changed thing its new state before `emits` is asked; without it the state
    is left to the caller.

    Raises:
        IllegalTransition: no row for this pair, or none whose `when` holds.
        Refused: the row says so.
    """
    row = _row(table.get((state, type(message)), ()), thing, message)
    if row is None:
        raise IllegalTransition(state, type(message))
    if isinstance(row, Refuse):
        raise Refused(row.reason, row.message)
    after = row.change(thing, message) if row.change else thing
    if enter is not None:
        after = enter(after, row.to)
    return Decision(after, tuple(row.emits(after, message)) if row.emits else ())


def _row(rows: Rows[S], thing: object, message: object) -> Row[S] | Refuse | None:
    for row in rows if isinstance(rows, tuple) else (rows,):
        if row.when is None or row.when(thing, message):
            return row
    return None


def draw(table: Table[S]) -> str:
    """The table as a Mermaid `stateDiagram-v2`, in the order of its rows; what refuses is not drawn."""
    lines = ["stateDiagram-v2"]
    for (state, message), rows in table.items():
        for row in rows if isinstance(rows, tuple) else (rows,):
            if isinstance(row, Refuse):
                continue
            label = message.__name__ + (f" [{_words(row.when)}]" if row.when else "")
            lines.append(f"    {_node(state)} --> {_node(row.to)}: {label}")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _node(state: Enum) -> str:
    return str(state.value).replace("-", "_").replace(" ", "_")


def _words(named: Enum | Callable[[Any, Any], bool]) -> str:
    name = str(named.value) if isinstance(named, Enum) else getattr(named, "__name__", "")
    return name.strip("_").replace("_", " ")
