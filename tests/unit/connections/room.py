"""connections without Kafka, Mongo or a provider: its handlers and its worker, over stores in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from connections import store
from connections.handlers.counting import Counting
from connections.handlers.facts import Facts
from connections.handlers.onboarding import LoginHandlers
from connections.handlers.requests import Requests
from connections.handlers.tries import Tries, first_question
from connections.lifecycle.things import Connection
from connections.vault import Vault
from connections.window.onboarding import Answer
from kit.endings import Refused
from kit.heard import Heard
from kit.memory import MemoryAggregates
from providers.login import outcomes
from schemas.envelope import Data, Event
from tests.unit.connections.builders import ACCOUNT, ID, MANIFEST, NOW
from tests.unit.connections.fakes import MemoryGate, MemoryProviders, MemoryTrying, SetClock

CANARY = "canary-S3cr3t"
FIELDS = {"url": "https://dav.example.org/", "username": "jane", "password": CANARY}


def event(data: Data, account: str = ACCOUNT, **members: Any) -> Event[Any]:
    plain = {"id": str(uuid4()), "source": "/tests", "type": data.TYPE, "time": NOW, "accountid": account}
    return Event[Any](**{**plain, "subject": data.subject or ID, "data": data, **members})


def heard(data: Data, topic: str = "connections.requests", **members: Any) -> Heard:
    return Heard(event(data, **members), topic, 0, 0)


@dataclass
class Room:
    """connections without Kafka, Mongo or a provider."""

    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    read_to_the_end: bool = True
    outcome: outcomes.Outcome | Exception = field(
        default_factory=lambda: outcomes.Authorized({"password": CANARY}, "jane@dav", {"username": "jane"})
    )
    answers: list[outcomes.Answer] = field(default_factory=list)
    opened: Answer | Refused | None = None

    def __post_init__(self) -> None:
        self.things: MemoryAggregates[Connection] = MemoryAggregates(store.KIND, self.clock)
        self.providers = MemoryProviders(MANIFEST)
        self.trying = MemoryTrying(self.things, self.clock)
        vault = Vault([("test", bytes(32))])
        self.requests = Requests(self.things, self.providers, self._caught_up, first_question)
        self.logins = LoginHandlers(self.things, self.providers, vault)
        self.facts = Facts(self.things, self.providers, self.trying)
        self.gate = MemoryGate(self.clock)
        self.counting = Counting(self.gate, vault, self._step)
        self.tries = Tries(self.things, self.providers, self.trying, self.counting, vault)

    async def _caught_up(self) -> bool:
        return self.read_to_the_end

    async def _step(
        self, _: object, state: dict[str, Any], answer: outcomes.Answer, __: object
    ) -> outcomes.Outcome:
        assert state["step"] == 0
        self.answers.append(answer)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def open(self, _: object) -> Answer:
        assert self.opened is not None
        if isinstance(self.opened, Refused):
            raise self.opened
        return self.opened

    async def ask(self, *data: Data, **members: Any) -> Sequence[Any]:
        return await self.requests.handle([heard(one, **members) for one in data])

    async def it(self) -> Connection:
        return (await self.things.read([ID]))[ID].thing

    async def an_answer(self, **members: Any) -> Answer:
        challenge = (await self.it()).login.challenge
        assert challenge is not None
        plain = {"account": ACCOUNT, "connection_id": ID, "challenge_id": challenge.challenge_id}
        plain |= {"answer_id": str(uuid4()), "action": "answer", "fields": FIELDS}
        return Answer(**{**plain, **members})

    def said(self) -> list[str]:
        return [owed.type.split(".")[1] for owed in self.things.owed]

    def data(self, name: str) -> dict[str, Any]:
        """The data of the newest event of that name."""
        whole = [json.loads(owed.value) for owed in self.things.owed if owed.type.split(".")[1] == name]
        found: dict[str, Any] = whole[-1]["data"]
        return found
