"""Deciding by table, on a table small enough to see."""

from dataclasses import dataclass, replace
from enum import StrEnum

import pytest

from kit.endings import Refused
from kit.transitions import Decision, IllegalTransition, Refuse, Row, decide, draw
from schemas.reasons import Reason


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut tight"


@dataclass(frozen=True)
class Opened:
    by: str


@dataclass(frozen=True)
class Closed:
    pass


@dataclass(frozen=True)
class Painted:
    pass


@dataclass(frozen=True)
class House:
    door: Door = Door.SHUT
    visitors: tuple[str, ...] = ()


def let_in(house: House, message: Opened) -> House:
    return replace(house, visitors=(*house.visitors, message.by))


def greet(house: House, message: Opened) -> list[str]:
    return [f"{message.by} came, the door is {house.door}"]


def is_known(house: House, message: Opened) -> bool:
    return message.by in house.visitors


TABLE = {
    (Door.SHUT, Opened): (
        Refuse(Reason.EXISTS, "You were here before.", when=is_known),
        Row(Door.OPEN, change=let_in, emits=greet),
    ),
    (Door.OPEN, Closed): Row(Door.SHUT),
    (Door.OPEN, Opened): Row(Door.OPEN),
    (Door.SHUT, Painted): Refuse(Reason.NOT_YET, "Open it first."),
    (Door.OPEN, Painted): Row(Door.OPEN, when=lambda house, _: bool(house.visitors)),
}


def entered(house: House, door: Door) -> House:
    return replace(house, door=door)


def done(house: House, message: object) -> Decision[House]:
    return decide(TABLE, house.door, house, message, entered)


def test_a_row_changes_the_thing_enters_the_state_and_then_emits() -> None:
    decision = done(House(), Opened("Ann"))

    assert decision == Decision(House(Door.OPEN, ("Ann",)), ("Ann came, the door is open",))


def test_a_race_is_a_row_that_changes_nothing() -> None:
    house = House(Door.OPEN)

    assert done(house, Opened("Bob")) == Decision(house, ())


def test_the_first_row_that_holds_is_taken() -> None:
    with pytest.raises(Refused, match="here before") as refused:
        done(House(visitors=("Ann",)), Opened("Ann"))

    assert refused.value.reason == Reason.EXISTS


def test_a_refusing_row_says_its_reason() -> None:
    with pytest.raises(Refused, match="Open it first") as refused:
        done(House(), Painted())

    assert not isinstance(refused.value, IllegalTransition)


@pytest.mark.parametrize("house", [House(), House(Door.OPEN)])
def test_a_pair_without_a_row_that_holds_is_refused_in_words(house: House) -> None:
    message = Closed() if house.door is Door.SHUT else Painted()
    with pytest.raises(
        IllegalTransition, match=rf"{type(message).__name__} cannot happen while {house.door}"
    ):
        done(house, message)


def test_without_enter_the_state_is_left_to_the_caller() -> None:
    assert decide(TABLE, Door.OPEN, House(Door.OPEN), Closed()).after == House(Door.OPEN)


def test_the_drawing_has_every_row_in_order_and_no_refusal() -> None:
    assert draw(TABLE) == (
        "stateDiagram-v2\n"
        "    shut_tight --> open: Opened\n"
        "    open --> shut_tight: Closed\n"
        "    open --> open: Opened\n"
        "    open --> open: Painted [<lambda>]\n"
    )
