"""A room whose visitor is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.console.room import Room, room


@pytest.fixture
async def visit() -> AsyncIterator[Room]:
    async with room() as made:
        await made.enter()
        yield made
