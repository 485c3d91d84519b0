"""Choices that only the provider knows: who asks it, how often, and when nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from connections.choices import LiveChoices
from connections.lifecycle.things import LOGIN_BROKEN, Connection
from connections.vault import Vault, credentials_place
from kit.http import Problem
from providers.errors import ProviderError
from schemas.fields import Choice
from schemas.manifest import Manifest
from schemas.reasons import Reason
from tests.unit.connections.builders import MANIFEST, NOW, active, attention
from tests.unit.connections.fakes import MemoryProviders, SetClock

VAULT = Vault([("test", bytes(32))])
FOLDER = Choice(value="/Invoices", label="Invoices")


class Folders:
    """A provider that counts who is logged in, and may take for ever to answer."""

    def __init__(self) -> None:
        self.logins: list[Mapping[str, Any]] = []
        self.at_once = self.most = 0
        self.answers = True
        self.refuses: ProviderError | None = None

    @asynccontextmanager
    async def open(
        self, _: Manifest, credentials: Mapping[str, Any], __: Mapping[str, Any]
    ) -> AsyncIterator[Any]:
        self.logins.append(credentials)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if self.refuses is not None:
                raise self.refuses
            yield self
        finally:
            self.at_once -= 1

    async def count(self, since: datetime) -> int | None:
        return None if since.year == 2025 else since.month

    async def choices(self, *_: object) -> list[Choice]:
        await asyncio.sleep(0 if self.answers else 60)
        return [FOLDER]


@pytest.fixture
async def folders() -> Folders:
    return Folders()


async def live(folders: Folders, **members: Any) -> LiveChoices:
    providers = MemoryProviders()
    await providers.publish([(MANIFEST, 3)])
    return LiveChoices(providers, VAULT, folders.open, folders.open, **members)


def logged_in(it: Connection) -> Connection:
    place = credentials_place(it.account, it.id, it.credentials_revision)
    return it.model_copy(update={"credentials": VAULT.seal_values(place, {"password": "x"}).document()})


async def test_the_provider_is_asked_with_the_stored_credentials(folders: Folders) -> None:
    choices = await live(folders)

    assert await choices.of(logged_in(active()), "folder", "", None) == [FOLDER]
    assert folders.logins == [{"password": "x"}]


async def test_days_to_import_from_say_how_many_documents_come_where_that_can_be_counted(
    folders: Folders,
) -> None:
    choices = await live(folders, now=lambda: datetime(2026, 11, 22, 9, tzinfo=UTC))
    it = logged_in(active())
    usual, one = await choices.days(it, ""), await choices.days(it, "2026-03-04")

    assert [day.label for day in usual] == [
        "2026-11-22 (11)",
        "2026-10-23 (10)",
        "2026-01-01 (1)",
        "2025-01-01",
    ]
    assert one == [Choice(value="2026-03-04", label="2026-03-04 (3)")]
    assert await choices.days(it, "2026-02-31") == usual


@pytest.mark.parametrize("reason", sorted(LOGIN_BROKEN))
async def test_credentials_known_to_be_wrong_are_tried_by_nobody(folders: Folders, reason: Reason) -> None:
    choices = await live(folders)
    with pytest.raises(Problem) as problem:
        await choices.of(logged_in(attention(reason)), "folder", "", None)

    assert (problem.value.status, problem.value.reason) == (409, reason)
    assert folders.logins == []


async def test_whoever_lacks_another_folder_may_choose_one(folders: Folders) -> None:
    choices = await live(folders)
    assert await choices.of(logged_in(attention(Reason.DESTINATION_MISSING)), "folder", "", None) == [FOLDER]


async def test_what_the_provider_refuses_is_not_tried_by_every_letter_that_is_typed(folders: Folders) -> None:
    clock = SetClock(NOW)
    folders.refuses = ProviderError("auth", Reason.CREDENTIALS_WRONG, "No.")
    choices, it = await live(folders, now=clock), logged_in(active())
    asked = await asyncio.gather(
        *(choices.of(it, "folder", letters, None) for letters in "Invoices"), return_exceptions=True
    )

    assert {problem.reason for problem in asked if isinstance(problem, Problem)} == {Reason.CREDENTIALS_WRONG}
    assert len(folders.logins) == 1
    again = logged_in(it.model_copy(update={"credentials_revision": 2}))
    folders.refuses = None
    assert await choices.of(again, "folder", "", None) == [FOLDER]
    clock.on(1000)
    assert await choices.of(it, "folder", "", None) == [FOLDER]


async def test_one_connection_logs_in_once_at_a_time(folders: Folders) -> None:
    choices, it = await live(folders), logged_in(active())
    await asyncio.gather(*(choices.of(it, "folder", letters, None) for letters in ("I", "In", "Inv")))

    assert (len(folders.logins), folders.most) == (3, 1)


async def test_a_provider_that_does_not_answer_holds_nobody(folders: Folders) -> None:
    folders.answers = False
    choices, it = await live(folders, seconds=0.01), logged_in(active())
    problems = await asyncio.gather(
        *(choices.of(it, "folder", "", None) for _ in range(3)), return_exceptions=True
    )

    assert [(problem.status, problem.reason) for problem in problems if isinstance(problem, Problem)] == [
        (503, Reason.PROVIDER_DOWN)
    ] * 3
    assert folders.at_once == 0
