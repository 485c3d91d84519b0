"""What one try opens and counts: sealed states where they belong alone, guesses but not what was verified."""

from __future__ import annotations

import pytest

from connections.budgets import budgets
from connections.handlers.tries import first_question
from providers.login import outcomes
from schemas.connections import ConnectionOptionsSubmitted, ReauthenticationRequested
from tests.unit.connections.builders import ID, MANIFEST, request
from tests.unit.connections.room import FIELDS, Room


@pytest.fixture
def room() -> Room:
    return Room()


def _state(number: int) -> outcomes.LoginState:
    return {"step": 0, "values": {}, "pins": {}, "known": {}, "here": {}, "number": number}


@pytest.mark.parametrize("from_where", ["an earlier step", "an earlier session"])
async def test_a_sealed_state_that_is_put_back_opens_nothing_and_asks_nobody(
    room: Room, from_where: str
) -> None:
    """Whoever writes into the database cannot let a step be taken again."""
    await room.ask(request())
    for number in range(2):
        room.outcome = outcomes.Asked(_state(number), first_question(MANIFEST, "en", {}))
        await room.logins.answer(await room.an_answer())
        await room.tries.look(ID)
        if number == 0:
            earlier = room.things.documents[ID]["login"]
    if from_where == "an earlier session":
        earlier = room.things.documents[ID]["login"]
        await room.ask(ReauthenticationRequested(connection_id=ID, answer_by="sealed"))
        room.things.documents[ID]["login"]["machine_fence"] = earlier["machine_fence"]
    room.things.documents[ID]["login"]["machine"] = earlier["machine"]
    asked = len(room.answers)

    await room.logins.answer(await room.an_answer())
    await room.tries.look(ID)

    assert len(room.answers) == asked
    ended = room.data("AuthSessionEnded")
    assert (ended["result"], ended["reason"]) == ("failed", "bug")


async def test_credentials_that_were_verified_before_are_not_counted_and_go_on_working(room: Room) -> None:
    room.outcome = outcomes.Authorized(FIELDS, "jane@dav", {"username": "jane"})
    await room.ask(request())
    await room.logins.answer(await room.an_answer())
    await room.tries.look(ID)
    await room.ask(ConnectionOptionsSubmitted(connection_id=ID, options={}))
    for number in range(3):  # somebody guesses at the same name
        name = budgets(MANIFEST, "another", FIELDS)[:1]
        assert await room.gate.spend(name, f"{number}") is None
        await room.gate.settle(name, f"{number}", "failed")

    for fields, tried in ((FIELDS, 2), ({**FIELDS, "password": "a guess"}, 2)):
        await room.ask(ReauthenticationRequested(connection_id=ID, answer_by="sealed"))
        await room.logins.answer(await room.an_answer(fields=fields))
        await room.tries.look(ID)
        assert len(room.answers) == tried
    assert room.said().count("ConnectionAuthorized") == 2
    assert room.data("AuthSessionEnded")["reason"] == "locked"
